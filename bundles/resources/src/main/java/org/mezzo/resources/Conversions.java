package org.mezzo.resources;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.protocol.v1.Offer.Operation;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Value;

/**
 * What operations on resources consume and what they make of it (rules 298-302, 304), the same for
 * masters and agents. Only the operation itself is looked at: whose principal and role it may use,
 * and whether somebody has what it consumes, is for the caller.
 */
public final class Conversions {
  private Conversions() {}

  /**
   * The conversion that an operation asks for: RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME or
   * SHRINK_VOLUME. Allocations of its resources are kept.
   *
   * @param operation with resources in any reservation format
   * @throws ResourceFormatException saying what is wrong with the operation, also when it is of a
   *     type that converts nothing of an agent's own
   */
  public static Conversion of(Operation operation) throws ResourceFormatException {
    return switch (operation.getType()) {
      case RESERVE -> {
        expect(operation.hasReserve(), "reserve");
        yield reserve(operation.getReserve());
      }
      case UNRESERVE -> {
        expect(operation.hasUnreserve(), "unreserve");
        yield unreserve(operation.getUnreserve());
      }
      case CREATE -> {
        expect(operation.hasCreate(), "create");
        Resources volumes = volumes("create.volumes", operation.getCreate().getVolumesList());
        yield new Conversion(stripped(volumes), volumes);
      }
      case DESTROY -> {
        expect(operation.hasDestroy(), "destroy");
        Resources volumes = volumes("destroy.volumes", operation.getDestroy().getVolumesList());
        yield new Conversion(volumes, stripped(volumes));
      }
      case GROW_VOLUME -> {
        expect(operation.hasGrowVolume(), "grow_volume");
        yield grow(operation.getGrowVolume());
      }
      case SHRINK_VOLUME -> {
        expect(operation.hasShrinkVolume(), "shrink_volume");
        yield shrink(operation.getShrinkVolume());
      }
      case LAUNCH, LAUNCH_GROUP, CREATE_DISK, DESTROY_DISK, UNKNOWN ->
          throw new ResourceFormatException(
              "Operation "
                  + operation.getType()
                  + " does not convert an agent's own resources; use RESERVE, UNRESERVE, CREATE,"
                  + " DESTROY, GROW_VOLUME or SHRINK_VOLUME");
    };
  }

  private static void expect(boolean present, String field) throws ResourceFormatException {
    if (!present) {
      throw new ResourceFormatException("Expecting '" + field + "' to be present");
    }
  }

  /** Rule 298. */
  private static Conversion reserve(Operation.Reserve reserve) throws ResourceFormatException {
    Resources reserved = read("reserve.resources", reserve.getResourcesList());
    for (Resource resource : reserved) {
      refuseVolume(resource, "A persistent volume must already be reserved: " + resource);
      if (resource.kind.isRevocable()) {
        throw new ResourceFormatException(
            "Resource " + resource + " is revocable and cannot be reserved");
      }
      demandDynamic(resource);
    }
    if (reserve.getSourceCount() == 0) {
      return new Conversion(popped(reserved), reserved);
    }
    Resources source = read("reserve.source", reserve.getSourceList());
    for (Resource resource : source) {
      refuseVolume(
          resource,
          "The reservation of persistent volume "
              + resource
              + " cannot be updated; destroy the volume first");
    }
    List<Reservation> from = onlyStack("reserve.source", source);
    List<Reservation> to = onlyStack("reserve.resources", reserved);
    if (!source.withoutReservations().equals(reserved.withoutReservations())) {
      throw new ResourceFormatException(
          "'reserve.source' and 'reserve.resources' must be the same resources but for their"
              + " reservations, and are '"
              + source
              + "' and '"
              + reserved
              + "'");
    }
    int common = 0;
    while (common < Math.min(from.size(), to.size()) && from.get(common).equals(to.get(common))) {
      common++;
    }
    List<Reservation> changed = new ArrayList<>(from.subList(common, from.size()));
    changed.addAll(to.subList(common, to.size()));
    for (Reservation layer : changed) {
      if (!layer.dynamic()) {
        throw new ResourceFormatException(
            "The static reservation for role '"
                + layer.role()
                + "' can be neither made nor taken away by RESERVE; change the agent's"
                + " --resources");
      }
    }
    return new Conversion(source, reserved);
  }

  private static List<Reservation> onlyStack(String field, Resources resources)
      throws ResourceFormatException {
    List<Reservation> stack = resources.get(0).kind.reservations();
    for (Resource resource : resources) {
      if (!resource.kind.reservations().equals(stack)) {
        throw new ResourceFormatException(
            "All of '" + field + "' must have the same reservations, and are '" + resources + "'");
      }
    }
    return stack;
  }

  /** Rule 299. */
  private static Conversion unreserve(Operation.Unreserve unreserve)
      throws ResourceFormatException {
    Resources reserved = read("unreserve.resources", unreserve.getResourcesList());
    for (Resource resource : reserved) {
      demandDynamic(resource);
      refuseVolume(
          resource,
          "A dynamically reserved persistent volume "
              + resource
              + " cannot be unreserved directly. Please destroy the persistent volume first then"
              + " unreserve the resource");
    }
    return new Conversion(reserved, popped(reserved));
  }

  private static void demandDynamic(Resource resource) throws ResourceFormatException {
    List<Reservation> stack = resource.kind.reservations();
    if (stack.isEmpty() || !stack.get(stack.size() - 1).dynamic()) {
      throw new ResourceFormatException("Resource " + resource + " is not dynamically reserved");
    }
  }

  private static void refuseVolume(Resource resource, String why) throws ResourceFormatException {
    if (resource.kind.isPersistentVolume()) {
      throw new ResourceFormatException(why);
    }
  }

  /** The same resources without their last reservation. */
  private static Resources popped(Resources resources) {
    Resource[] out = new Resource[resources.size()];
    for (int i = 0; i < out.length; i++) {
      Resource resource = resources.get(i);
      List<Reservation> stack = resource.kind.reservations();
      out[i] = resource.as(resource.kind.withReservations(stack.subList(0, stack.size() - 1)));
    }
    return Resources.of(out);
  }

  private static Resources volumes(
      String field, Collection<org.mezzo.protocol.v1.Resource> messages)
      throws ResourceFormatException {
    Resources volumes = read(field, messages);
    Set<List<String>> seen = new HashSet<>();
    for (Resource volume : volumes) {
      if (!volume.kind.isPersistentVolume()) {
        throw new ResourceFormatException(
            "Not a persistent volume: Resource "
                + volume
                + (volume.kind.hasDisk()
                    ? " does not have a persistence ID in its DiskInfo"
                    : " does not have DiskInfo"));
      }
      List<String> id =
          List.of(volume.kind.reservationRole, volume.kind.persistenceId().orElseThrow());
      if (volume.copies > 1 || !seen.add(id)) {
        throw new ResourceFormatException(
            "Persistent volume " + volume.withCopies(1) + " is there twice in '" + field + "'");
      }
    }
    return volumes;
  }

  /** The reserved disk that volumes are made of (rule 300). */
  private static Resources stripped(Resources volumes) throws ResourceFormatException {
    List<org.mezzo.protocol.v1.Resource> plain = new ArrayList<>();
    for (Resource volume : volumes) {
      plain.add(stripped(volume));
    }
    return Resources.of(plain);
  }

  private static org.mezzo.protocol.v1.Resource stripped(Resource volume) {
    var disk = volume.toMessage(Resources.Format.POST_REFINEMENT).toBuilder().clearShared();
    if (disk.getDisk().hasSource()) {
      disk.setDisk(DiskInfo.newBuilder().setSource(disk.getDisk().getSource()));
    } else {
      disk.clearDisk();
    }
    return disk.build();
  }

  /** Rule 302. */
  private static Conversion grow(Operation.GrowVolume grow) throws ResourceFormatException {
    Resource volume = resizable("grow_volume.volume", grow.getVolume());
    Resources additions = read("grow_volume.addition", List.of(grow.getAddition()));
    Resource addition = additions.get(0);
    Resource like = Resources.of(List.of(stripped(volume))).get(0);
    if (addition.kind != like.kind) {
      throw new ResourceFormatException(
          "Incompatible resources in the 'volume' and 'addition' fields: "
              + volume
              + " is made of "
              + like.kind
              + " and cannot grow by "
              + addition);
    }
    Resource grown = volume.withMillis(Millis.sum(volume.millis, addition.millis));
    return new Conversion(Resources.of(volume).plus(additions), Resources.of(grown));
  }

  /** Rule 302. */
  private static Conversion shrink(Operation.ShrinkVolume shrink) throws ResourceFormatException {
    Resource volume = resizable("shrink_volume.volume", shrink.getVolume());
    double subtract = shrink.getSubtract().getValue();
    if (!(subtract > 0 && subtract <= Millis.MAX_SCALAR) || Millis.of(subtract) <= 0) {
      throw new ResourceFormatException(
          "The value of 'subtract' must be greater than zero and at most 9e12");
    }
    if (Millis.of(subtract) >= volume.millis) {
      throw new ResourceFormatException(
          "The value of 'subtract' must be smaller than the size of the volume, "
              + Millis.print(volume.millis));
    }
    DiskInfo.Source source = volume.kind.disk().source();
    if (source != null && source.getType() == DiskInfo.Source.Type.MOUNT) {
      throw new ResourceFormatException(
          "Shrinking a volume on a MOUNT disk is not supported: " + volume);
    }
    Resource left = volume.withMillis(volume.millis - Millis.of(subtract));
    Resources freed =
        Resources.of(
            List.of(
                stripped(volume).toBuilder()
                    .setScalar(Value.Scalar.newBuilder().setValue(subtract))
                    .build()));
    return new Conversion(Resources.of(volume), Resources.of(left).plus(freed));
  }

  private static Resource resizable(String field, org.mezzo.protocol.v1.Resource message)
      throws ResourceFormatException {
    Resource volume = volumes(field, List.of(message)).get(0);
    if (volume.kind.isShared()) {
      throw new ResourceFormatException(
          "Resizing a shared persistent volume is not supported: " + volume);
    }
    if (volume.kind.provider().isPresent()) {
      throw new ResourceFormatException(
          "Resizing a volume of a resource provider is not supported: " + volume);
    }
    return volume;
  }

  /**
   * What resources were before all operations: volumes are disk again, and dynamic reservations are
   * gone, so that what is left is what an agent is started with (rule 305).
   */
  public static Resources undone(Resources resources) throws ResourceFormatException {
    Resource[] disks = new Resource[resources.size()];
    for (int i = 0; i < disks.length; i++) {
      Resource resource = resources.get(i);
      Resource disk =
          resource.kind.isPersistentVolume() ? Resource.ofChecked(stripped(resource)) : resource;
      List<Reservation> stack = disk.kind.reservations();
      boolean fixed = !stack.isEmpty() && !stack.get(0).dynamic();
      disks[i] = disk.as(disk.kind.withReservations(stack.subList(0, fixed ? 1 : 0)));
    }
    return Resources.of(disks);
  }

  /**
   * Whether operations made a resource what it is, so that an agent has to keep it over a restart:
   * a persistent volume, or something with a dynamic reservation.
   */
  public static boolean isMade(ResourceKind kind) {
    List<Reservation> stack = kind.reservations();
    return kind.isPersistentVolume() || !stack.isEmpty() && stack.get(stack.size() - 1).dynamic();
  }

  /** Never empty. */
  private static Resources read(String field, Collection<org.mezzo.protocol.v1.Resource> messages)
      throws ResourceFormatException {
    Optional<String> problem = ResourceChecks.checkRequest(messages);
    if (problem.isPresent()) {
      throw new ResourceFormatException("Invalid resources: " + problem.get());
    }
    for (var message : messages) {
      if (Resources.of(List.of(message)).isEmpty()) {
        throw new ResourceFormatException(
            "The amount of "
                + ResourceText.print(message)
                + " in '"
                + field
                + "' must be greater than zero");
      }
    }
    if (messages.isEmpty()) {
      throw new ResourceFormatException("'" + field + "' must not be empty");
    }
    return Resources.of(messages);
  }
}
