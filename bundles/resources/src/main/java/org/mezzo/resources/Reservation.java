package org.mezzo.resources;

import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource.ReservationInfo;

/**
 * One entry of a reservation stack (rule 292).
 *
 * @param dynamic whether it was made at run time
 * @param role never {@code *}
 * @param principal who reserved, if known
 * @param labels in the order of their keys and values, because their order does not count
 */
public record Reservation(
    boolean dynamic, String role, Optional<String> principal, Optional<List<Label>> labels) {
  private static final Comparator<Label> BY_KEY_AND_VALUE =
      Comparator.comparing(Label::getKey)
          .thenComparing(Label::hasValue)
          .thenComparing(Label::getValue);

  public Reservation {
    Objects.requireNonNull(role);
    labels = labels.map(Reservation::sorted);
  }

  /** A static reservation, as agents are started with. */
  public static Reservation fixed(String role) {
    return new Reservation(false, role, Optional.empty(), Optional.empty());
  }

  static Reservation of(ReservationInfo info) {
    return new Reservation(
        info.getType() == ReservationInfo.Type.DYNAMIC,
        info.getRole(),
        info.hasPrincipal() ? Optional.of(info.getPrincipal()) : Optional.empty(),
        info.hasLabels() ? Optional.of(info.getLabels().getLabelsList()) : Optional.empty());
  }

  /** The message form within a reservation stack. */
  public ReservationInfo toMessage() {
    return details(
        ReservationInfo.newBuilder()
            .setType(dynamic ? ReservationInfo.Type.DYNAMIC : ReservationInfo.Type.STATIC)
            .setRole(role));
  }

  /** The message form of the field {@code reservation}: principal and labels only. */
  ReservationInfo toLegacyMessage() {
    return details(ReservationInfo.newBuilder());
  }

  private ReservationInfo details(ReservationInfo.Builder info) {
    principal.ifPresent(info::setPrincipal);
    labels.ifPresent(list -> info.setLabels(Labels.newBuilder().addAllLabels(list)));
    return info.build();
  }

  static List<Label> sorted(List<Label> labels) {
    return labels.stream().sorted(BY_KEY_AND_VALUE).toList();
  }
}
