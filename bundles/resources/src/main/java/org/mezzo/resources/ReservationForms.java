package org.mezzo.resources;

import java.util.List;
import java.util.Optional;
import org.mezzo.protocol.v1.Resource.ReservationInfo;

/** The three ways in which messages say who a resource is reserved for (rules 290, 291). */
final class ReservationForms {
  private ReservationForms() {}

  /** What is inconsistent about the fields role, reservation and reservations. */
  static Optional<String> check(org.mezzo.protocol.v1.Resource message) {
    if (message.getReservationsCount() > 0) {
      return checkStack(message);
    }
    if (message.hasRole()) {
      Optional<String> problem = Roles.check(message.getRole());
      if (problem.isPresent()) {
        return problem;
      }
    }
    if (!message.hasReservation()) {
      return Optional.empty();
    }
    ReservationInfo info = message.getReservation();
    if (info.hasType()) {
      return Optional.of(
          "'Resource.ReservationInfo.type' must not be set for the 'Resource.reservation' field");
    }
    if (info.hasRole()) {
      return Optional.of(
          "'Resource.ReservationInfo.role' must not be set for the 'Resource.reservation' field");
    }
    if (message.getRole().equals(Roles.ANY)) {
      return Optional.of("Invalid reservation: role \"*\" cannot be dynamically reserved");
    }
    return Optional.empty();
  }

  private static Optional<String> checkStack(org.mezzo.protocol.v1.Resource message) {
    ReservationInfo before = null;
    for (ReservationInfo info : message.getReservationsList()) {
      if (!info.hasType() || info.getType() == ReservationInfo.Type.UNKNOWN) {
        return Optional.of("Invalid reservation: 'type' must be STATIC or DYNAMIC");
      }
      if (!info.hasRole()) {
        return Optional.of("Invalid reservation: 'role' must be set");
      }
      Optional<String> problem = Roles.check(info.getRole());
      if (problem.isPresent()) {
        return problem;
      }
      if (info.getRole().equals(Roles.ANY)) {
        return Optional.of("Invalid reservation: role \"*\" cannot be reserved");
      }
      if (before != null) {
        if (info.getType() == ReservationInfo.Type.STATIC) {
          return Optional.of("Invalid refined reservation: a refined reservation cannot be STATIC");
        }
        if (!Roles.isStrictlyBelow(info.getRole(), before.getRole())) {
          return Optional.of(
              "Invalid refined reservation: role '"
                  + info.getRole()
                  + "' is not a refinement of '"
                  + before.getRole()
                  + "'");
        }
      }
      before = info;
    }
    if (!message.hasRole() && !message.hasReservation()) {
      return Optional.empty();
    }
    if (message.getReservationsCount() > 1) {
      return Optional.of(
          "Invalid resource format: 'role' and 'reservation' must not be set beside more than one"
              + " entry in 'reservations'");
    }
    return checkBothForms(message, before);
  }

  private static Optional<String> checkBothForms(
      org.mezzo.protocol.v1.Resource message, ReservationInfo only) {
    if (!message.getRole().equals(only.getRole())) {
      return Optional.of(
          "Invalid resource format: 'role' is '"
              + message.getRole()
              + "' but the entry in 'reservations' is for '"
              + only.getRole()
              + "'");
    }
    ReservationInfo legacy = message.getReservation();
    if (only.getType() == ReservationInfo.Type.STATIC) {
      return message.hasReservation()
          ? Optional.of(
              "Invalid resource format: 'reservation' must not be set beside a STATIC entry in"
                  + " 'reservations'")
          : Optional.empty();
    }
    if (!message.hasReservation()) {
      return Optional.of(
          "Invalid resource format: 'reservation' must be set beside a DYNAMIC entry in"
              + " 'reservations' when 'role' is");
    }
    if (!Reservation.of(legacy).principal().equals(Reservation.of(only).principal())
        || !Reservation.of(legacy).labels().equals(Reservation.of(only).labels())) {
      return Optional.of(
          "Invalid resource format: 'reservation' and the entry in 'reservations' differ in"
              + " principal or labels");
    }
    return Optional.empty();
  }

  /** A checked message in any form to the stack form. */
  static org.mezzo.protocol.v1.Resource upgrade(org.mezzo.protocol.v1.Resource message) {
    if (!message.hasRole() && !message.hasReservation()) {
      return message;
    }
    var upgraded = message.toBuilder().clearRole().clearReservation();
    if (message.getReservationsCount() == 0 && !message.getRole().equals(Roles.ANY)) {
      upgraded.addReservations(
          message.getReservation().toBuilder()
              .setRole(message.getRole())
              .setType(
                  message.hasReservation()
                      ? ReservationInfo.Type.DYNAMIC
                      : ReservationInfo.Type.STATIC));
    }
    return upgraded.build();
  }

  /** Writes a stack in the wanted form; one of several entries has the stack form only. */
  static void write(
      List<Reservation> stack,
      Resources.Format format,
      org.mezzo.protocol.v1.Resource.Builder message) {
    if (format != Resources.Format.POST_REFINEMENT && stack.size() <= 1) {
      message.setRole(stack.isEmpty() ? Roles.ANY : stack.get(0).role());
      if (!stack.isEmpty() && stack.get(0).dynamic()) {
        message.setReservation(stack.get(0).toLegacyMessage());
      }
      if (format == Resources.Format.PRE_REFINEMENT) {
        return;
      }
    }
    for (Reservation reservation : stack) {
      message.addReservations(reservation.toMessage());
    }
  }
}
