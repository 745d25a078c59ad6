package org.mezzo.resources;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;

/** What is wrong with resource messages. Every check answers empty when nothing is. */
public final class ResourceChecks {
  private static final Pattern UNFIT_FOR_ID = Pattern.compile("[\\x00-\\x1f\\x7f/\\\\]");
  private static final int LONGEST_ID = 255;

  private ResourceChecks() {}

  /**
   * Checks one message on its own: value, reservations in any form, disk, shared (rules 273, 274,
   * 276, 289, 290-292, 294).
   */
  public static Optional<String> check(org.mezzo.protocol.v1.Resource message) {
    return problem(message)
        .map(problem -> "Resource '" + ResourceText.print(message) + "' is invalid: " + problem);
  }

  private static Optional<String> problem(org.mezzo.protocol.v1.Resource message) {
    if (message.getName().isEmpty()) {
      return Optional.of("Empty resource name");
    }
    return checkValue(message)
        .or(() -> ReservationForms.check(message))
        .or(() -> checkDisk(message))
        .or(() -> checkShared(message))
        .or(
            () ->
                message.hasAllocationInfo() && message.getAllocationInfo().hasRole()
                    ? Roles.check(message.getAllocationInfo().getRole())
                    : Optional.empty());
  }

  private static Optional<String> checkValue(org.mezzo.protocol.v1.Resource message) {
    return switch (message.getType()) {
      case SCALAR ->
          !message.hasScalar() || message.hasRanges() || message.hasSet()
              ? Optional.of("Invalid scalar resource")
              : checkScalar(message.getScalar().getValue());
      case RANGES ->
          !message.hasRanges() || message.hasScalar() || message.hasSet()
              ? Optional.of("Invalid ranges resource")
              : checkRanges(message.getRanges());
      case SET ->
          !message.hasSet() || message.hasScalar() || message.hasRanges()
              ? Optional.of("Invalid set resource")
              : checkSet(message.getSet());
      case TEXT -> Optional.of("Unsupported resource type TEXT: use SCALAR, RANGES or SET");
    };
  }

  private static Optional<String> checkScalar(double value) {
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      return Optional.of("Invalid scalar resource: value is not a finite number");
    }
    if (value > Millis.MAX_SCALAR) {
      return Optional.of("Invalid scalar resource: value > 9e12");
    }
    return value != 0 && Millis.of(value) <= 0
        ? Optional.of("Invalid scalar resource: value <= 0")
        : Optional.empty();
  }

  private static Optional<String> checkRanges(Value.Ranges ranges) {
    List<Value.Range> sorted =
        ranges.getRangeList().stream()
            .sorted((a, b) -> Long.compareUnsigned(a.getBegin(), b.getBegin()))
            .toList();
    Value.Range before = null;
    for (Value.Range range : sorted) {
      if (Long.compareUnsigned(range.getBegin(), range.getEnd()) > 0) {
        return Optional.of("Invalid ranges resource: begin > end");
      }
      if (before != null && Long.compareUnsigned(range.getBegin(), before.getEnd()) <= 0) {
        return Optional.of("Invalid ranges resource: overlapping ranges");
      }
      before = range;
    }
    return Optional.empty();
  }

  private static Optional<String> checkSet(Value.Set set) {
    Set<String> seen = new HashSet<>();
    for (String item : set.getItemList()) {
      if (!seen.add(item)) {
        return Optional.of("Invalid set resource: duplicate element '" + item + "'");
      }
    }
    return Optional.empty();
  }

  private static Optional<String> checkDisk(org.mezzo.protocol.v1.Resource message) {
    if (!message.hasDisk()) {
      return Optional.empty();
    }
    if (!message.getName().equals("disk")) {
      return Optional.of("DiskInfo should not be set for " + message.getName() + " resource");
    }
    if (!message.getDisk().hasSource()) {
      return Optional.empty();
    }
    DiskInfo.Source source = message.getDisk().getSource();
    return switch (source.getType()) {
      case PATH ->
          source.hasMount()
              ? Optional.of("Invalid DiskInfo: a PATH source must not have 'mount'")
              : Optional.empty();
      case MOUNT ->
          source.hasPath()
              ? Optional.of("Invalid DiskInfo: a MOUNT source must not have 'path'")
              : Optional.empty();
      case BLOCK, RAW ->
          source.hasPath() || source.hasMount()
              ? Optional.of(
                  "Invalid DiskInfo: a "
                      + source.getType()
                      + " source must have neither 'path' nor 'mount'")
              : Optional.empty();
      case UNKNOWN -> Optional.of("Unsupported 'DiskInfo.Source.Type' UNKNOWN");
    };
  }

  private static Optional<String> checkShared(org.mezzo.protocol.v1.Resource message) {
    if (!message.hasShared()) {
      return Optional.empty();
    }
    if (!message.getName().equals("disk")) {
      return Optional.of("Resource " + message.getName() + " cannot be shared");
    }
    return message.getDisk().hasPersistence()
        ? Optional.empty()
        : Optional.of("Only persistent volumes can be shared");
  }

  /**
   * Checks the resources of one request (a task, an executor, an operation): each message, whole
   * {@code gpus}, disk info with a meaning, valid and unique volumes, nothing both revocable and
   * not, one allocation role (rules 289, 294-297).
   */
  public static Optional<String> checkRequest(Collection<org.mezzo.protocol.v1.Resource> messages) {
    return first(messages, ResourceChecks::check)
        .or(() -> first(messages, ResourceChecks::checkGpus))
        .or(() -> first(messages, ResourceChecks::checkVolume))
        .or(() -> checkUniqueVolumes(messages))
        .or(() -> checkRevocableMix(messages))
        .or(() -> checkAllocationRoles(messages));
  }

  private static Optional<String> first(
      Collection<org.mezzo.protocol.v1.Resource> messages,
      Function<org.mezzo.protocol.v1.Resource, Optional<String>> check) {
    for (var message : messages) {
      Optional<String> problem = check.apply(message);
      if (problem.isPresent()) {
        return problem;
      }
    }
    return Optional.empty();
  }

  /** Graphics processors come whole (rule 289). */
  public static Optional<String> checkGpus(org.mezzo.protocol.v1.Resource message) {
    return message.getName().equals("gpus") && Millis.of(message.getScalar().getValue()) % 1000 != 0
        ? Optional.of("Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer")
        : Optional.empty();
  }

  /** Disk info must say something, and a persistent volume must be complete (rules 295, 296). */
  public static Optional<String> checkVolume(org.mezzo.protocol.v1.Resource message) {
    if (!message.hasDisk()) {
      return Optional.empty();
    }
    DiskInfo disk = message.getDisk();
    if (!disk.hasPersistence()) {
      if (disk.hasVolume()) {
        return Optional.of("Invalid DiskInfo: Non-persistent volume not supported");
      }
      return disk.hasSource()
          ? Optional.empty()
          : Optional.of("Invalid DiskInfo: DiskInfo is set but empty");
    }
    boolean reserved = message.getReservationsCount() > 0 || !message.getRole().equals(Roles.ANY);
    Volume volume = disk.getVolume();
    String problem = null;
    if (message.hasRevocable()) {
      problem = "Persistent volumes cannot be created from revocable resources";
    } else if (!reserved) {
      problem = "Persistent volumes cannot be created from unreserved resources";
    } else if (!disk.hasVolume()) {
      problem = "Expecting 'volume' to be set for persistent volume";
    } else if (volume.getMode() == Volume.Mode.RO) {
      problem = "Read-only persistent volume not supported";
    } else if (volume.hasHostPath()) {
      problem = "Expecting 'host_path' to be unset for persistent volume";
    } else {
      problem = problemOfId(disk.getPersistence().getId());
    }
    return Optional.ofNullable(problem).map(text -> "Invalid DiskInfo: " + text);
  }

  private static String problemOfId(String id) {
    String text = "Invalid persistence ID for persistent volume: ";
    if (id.isEmpty()) {
      return text + "ID must not be empty";
    }
    if (id.length() > LONGEST_ID) {
      return text + "ID must not be greater than " + LONGEST_ID + " characters";
    }
    if (id.equals(".") || id.equals("..")) {
      return text + "'" + id + "' is disallowed";
    }
    return UNFIT_FOR_ID.matcher(id).find()
        ? text + "'" + id + "' contains invalid characters"
        : null;
  }

  private static Optional<String> checkUniqueVolumes(
      Collection<org.mezzo.protocol.v1.Resource> messages) {
    Set<List<String>> seen = new HashSet<>();
    for (var message : messages) {
      if (!message.getDisk().hasPersistence() || message.hasShared()) {
        continue;
      }
      int depth = message.getReservationsCount();
      String role = depth > 0 ? message.getReservations(depth - 1).getRole() : message.getRole();
      if (!seen.add(List.of(role, message.getDisk().getPersistence().getId()))) {
        return Optional.of(
            "Persistence ID '"
                + message.getDisk().getPersistence().getId()
                + "' is not unique for role '"
                + role
                + "'");
      }
    }
    return Optional.empty();
  }

  /** No name may be asked for both revocable and not (rule 297). */
  public static Optional<String> checkRevocableMix(
      Collection<org.mezzo.protocol.v1.Resource> messages) {
    Map<String, Boolean> revocable = new HashMap<>();
    for (var message : messages) {
      Boolean before = revocable.putIfAbsent(message.getName(), message.hasRevocable());
      if (before != null && before != message.hasRevocable()) {
        return Optional.of(
            "Cannot use both revocable and non-revocable '"
                + message.getName()
                + "' at the same time");
      }
    }
    return Optional.empty();
  }

  /** All that is allocated must be allocated to one role (rule 297). */
  public static Optional<String> checkAllocationRoles(
      Collection<org.mezzo.protocol.v1.Resource> messages) {
    Set<String> roles = new TreeSet<>();
    for (var message : messages) {
      if (message.getAllocationInfo().hasRole()) {
        roles.add(message.getAllocationInfo().getRole());
      }
    }
    return roles.size() > 1
        ? Optional.of(
            "The resources have multiple allocation roles ('"
                + String.join("' and '", roles)
                + "') but only one allocation role is allowed")
        : Optional.empty();
  }

  /** What an operator may give an agent by flag (rule 287); for messages in stack form. */
  static Optional<String> checkFlag(Collection<org.mezzo.protocol.v1.Resource> messages) {
    Map<String, Value.Type> types = new HashMap<>();
    for (var message : messages) {
      String problem = null;
      if (message.getDisk().hasPersistence()) {
        problem = "persistent volumes cannot be given here";
      } else if (message.hasRevocable()) {
        problem = "revocable resources cannot be given here";
      } else if (message.getReservationsList().stream()
          .anyMatch(info -> Reservation.of(info).dynamic())) {
        problem = "dynamic reservations cannot be given here; write name(role) for a static one";
      } else {
        Value.Type type = types.putIfAbsent(message.getName(), message.getType());
        if (type != null && type != message.getType()) {
          problem = "resources with the same name must have the same type";
        }
      }
      if (problem != null) {
        return Optional.of("Resource '" + ResourceText.print(message) + "' is invalid: " + problem);
      }
    }
    return Optional.empty();
  }
}
