package org.mezzo.resources;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource.AllocationInfo;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.RevocableInfo;
import org.mezzo.protocol.v1.Resource.SharedInfo;
import org.mezzo.protocol.v1.ResourceProviderID;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.ResourceKind.Type;

/**
 * One resource: an interned identity ({@link ResourceKind}) and an amount. Immutable. What a
 * message says beyond identity and amount (volume, persistence principal) is carried along.
 */
public final class Resource {
  final ResourceKind kind;

  /** The amount of a scalar in thousandths. */
  final long millis;

  final long[] spans;
  final String[] items;

  /** How many copies of a shared resource this stands for; 1 if it is not shared. */
  final int copies;

  /** The disk info with its details; null without disk info. */
  private final DiskInfo disk;

  private Resource(
      ResourceKind kind, long millis, long[] spans, String[] items, int copies, DiskInfo disk) {
    this.kind = kind;
    this.millis = millis;
    this.spans = spans;
    this.items = items;
    this.copies = copies;
    this.disk = disk;
  }

  /** An unreserved scalar. */
  public static Resource scalar(String name, double value) {
    if (!(value >= 0 && value <= Millis.MAX_SCALAR)) {
      throw new IllegalArgumentException(
          "The amount of '" + name + "' must be between 0 and 9e12, not " + value);
    }
    return ofMillis(ResourceKind.plain(name, Type.SCALAR), Millis.of(value));
  }

  /**
   * Unreserved ranges.
   *
   * @param bounds pairs of inclusive begin and end, in any order, overlapping or not
   */
  public static Resource ranges(String name, long... bounds) {
    if (bounds.length % 2 != 0) {
      throw new IllegalArgumentException("Ranges of '" + name + "' need pairs of bounds");
    }
    for (int i = 0; i < bounds.length; i += 2) {
      if (Long.compareUnsigned(bounds[i], bounds[i + 1]) > 0) {
        throw new IllegalArgumentException("A range of '" + name + "' has begin > end");
      }
    }
    return new Resource(
        ResourceKind.plain(name, Type.RANGES),
        0,
        Spans.coalesce(bounds.clone()),
        Items.NONE,
        1,
        null);
  }

  /** An unreserved set. */
  public static Resource set(String name, String... items) {
    return new Resource(
        ResourceKind.plain(name, Type.SET),
        0,
        Spans.NONE,
        Arrays.stream(items).distinct().sorted().toArray(String[]::new),
        1,
        null);
  }

  private static Resource ofMillis(ResourceKind kind, long millis) {
    return new Resource(kind, millis, Spans.NONE, Items.NONE, 1, null);
  }

  /** From a message in post-refinement form that has passed the checks. */
  static Resource ofChecked(org.mezzo.protocol.v1.Resource message) {
    List<Reservation> stack = new ArrayList<>(message.getReservationsCount());
    for (var info : message.getReservationsList()) {
      stack.add(Reservation.of(info));
    }
    ResourceKind kind =
        ResourceKind.intern(
            message.getName(),
            switch (message.getType()) {
              case SCALAR -> Type.SCALAR;
              case RANGES -> Type.RANGES;
              case SET -> Type.SET;
              case TEXT -> throw new IllegalArgumentException("A resource cannot be a text");
            },
            message.hasAllocationInfo() && message.getAllocationInfo().hasRole()
                ? message.getAllocationInfo().getRole()
                : null,
            stack,
            message.hasDisk() ? identityOf(message.getDisk()) : null,
            message.hasRevocable(),
            message.hasShared(),
            message.hasProviderId() ? message.getProviderId().getValue() : null);
    long[] bounds = Spans.NONE;
    if (kind.type == Type.RANGES) {
      bounds = new long[2 * message.getRanges().getRangeCount()];
      int i = 0;
      for (Value.Range range : message.getRanges().getRangeList()) {
        bounds[i++] = range.getBegin();
        bounds[i++] = range.getEnd();
      }
    }
    return new Resource(
        kind,
        kind.type == Type.SCALAR ? Millis.of(message.getScalar().getValue()) : 0,
        Spans.coalesce(bounds),
        kind.type == Type.SET
            ? message.getSet().getItemList().stream().sorted().toArray(String[]::new)
            : Items.NONE,
        1,
        message.hasDisk() ? message.getDisk() : null);
  }

  private static ResourceKind.Disk identityOf(DiskInfo disk) {
    DiskInfo.Source source = null;
    if (disk.hasSource()) {
      source = disk.getSource();
      if (source.hasMetadata()) {
        List<Label> labels = Reservation.sorted(source.getMetadata().getLabelsList());
        source = source.toBuilder().setMetadata(Labels.newBuilder().addAllLabels(labels)).build();
      }
    }
    return new ResourceKind.Disk(
        source, disk.hasPersistence() ? disk.getPersistence().getId() : null);
  }

  public ResourceKind kind() {
    return kind;
  }

  public String name() {
    return kind.name;
  }

  public Type type() {
    return kind.type;
  }

  public Optional<String> allocationRole() {
    return Optional.ofNullable(kind.allocationRole);
  }

  /** The role of the last reservation. */
  public Optional<String> reservationRole() {
    return Optional.ofNullable(kind.reservationRole);
  }

  /** The amount of a scalar in thousandths; 0 for ranges and sets. */
  public long millis() {
    return millis;
  }

  /** Scalars by value, ranges and sets by count, in thousandths (rule 306). */
  public long quantity() {
    return switch (kind.type) {
      case SCALAR -> millis;
      case RANGES -> Millis.ofCount(Spans.count(spans));
      case SET -> Millis.ofCount(items.length);
    };
  }

  /** Inclusive unsigned bounds {@code begin, end, begin, end, ...}, ascending; empty if none. */
  public long[] ranges() {
    return spans.clone();
  }

  /** The items of a set in order; empty if it is none. */
  public List<String> items() {
    return List.of(items);
  }

  /** How many copies of a shared resource this stands for; 1 if it is not shared. */
  public int copies() {
    return copies;
  }

  /** The disk info as it came, with the details that identity ignores. */
  public Optional<DiskInfo> disk() {
    return Optional.ofNullable(disk);
  }

  /** The amount as rule 277 prints it, for example {@code 0.5} or {@code [31000-32000]}. */
  public String valueText() {
    return ResourceText.value(this);
  }

  /** As a message; a shared resource of several copies is one message for each. */
  public org.mezzo.protocol.v1.Resource toMessage(Resources.Format format) {
    var message = emptyMessage(kind, disk).toBuilder();
    switch (kind.type) {
      case SCALAR -> message.setScalar(Value.Scalar.newBuilder().setValue(Millis.toDouble(millis)));
      case RANGES -> {
        Value.Ranges.Builder ranges = Value.Ranges.newBuilder();
        for (int i = 0; i < spans.length; i += 2) {
          ranges.addRangeBuilder().setBegin(spans[i]).setEnd(spans[i + 1]);
        }
        message.setRanges(ranges);
      }
      case SET -> message.setSet(Value.Set.newBuilder().addAllItem(Arrays.asList(items)));
    }
    ReservationForms.write(kind.reservations(), format, message);
    return message.build();
  }

  /** A message with the identity but no amount and no reservation. */
  private static org.mezzo.protocol.v1.Resource emptyMessage(ResourceKind kind, DiskInfo disk) {
    var message =
        org.mezzo.protocol.v1.Resource.newBuilder()
            .setName(kind.name)
            .setType(Value.Type.valueOf(kind.type.name()));
    if (kind.allocationRole != null) {
      message.setAllocationInfo(AllocationInfo.newBuilder().setRole(kind.allocationRole));
    }
    if (disk != null) {
      message.setDisk(disk);
    }
    if (kind.isRevocable()) {
      message.setRevocable(RevocableInfo.getDefaultInstance());
    }
    if (kind.isShared()) {
      message.setShared(SharedInfo.getDefaultInstance());
    }
    kind.provider()
        .ifPresent(id -> message.setProviderId(ResourceProviderID.newBuilder().setValue(id)));
    return message.buildPartial();
  }

  /** A message with everything the kind knows and no amount. */
  static org.mezzo.protocol.v1.Resource emptyMessage(ResourceKind kind) {
    DiskInfo disk = null;
    if (kind.disk() != null) {
      DiskInfo.Builder info = DiskInfo.newBuilder();
      if (kind.disk().source() != null) {
        info.setSource(kind.disk().source());
      }
      if (kind.disk().persistenceId() != null) {
        info.setPersistence(DiskInfo.Persistence.newBuilder().setId(kind.disk().persistenceId()));
      }
      disk = info.build();
    }
    var message = emptyMessage(kind, disk).toBuilder();
    ReservationForms.write(kind.reservations(), Resources.Format.POST_REFINEMENT, message);
    return message.buildPartial();
  }

  /** The same shared resource standing for so many copies. */
  public Resource withCopies(int number) {
    return number == copies ? this : new Resource(kind, millis, spans, items, number, disk);
  }

  /** The same amount and details under another kind of the same type. */
  Resource as(ResourceKind other) {
    return other == kind ? this : new Resource(other, millis, spans, items, copies, disk);
  }

  boolean isEmpty() {
    return millis <= 0 && spans.length == 0 && items.length == 0;
  }

  boolean sameAmount(Resource other) {
    return millis == other.millis
        && Arrays.equals(spans, other.spans)
        && Arrays.equals(items, other.items);
  }

  /** Whether both can become one entry (rule 278). */
  boolean mergesWith(Resource other) {
    if (kind != other.kind) {
      return false;
    }
    if ((kind.flags & ResourceKind.SHARED) != 0) {
      return sameAmount(other);
    }
    return (kind.flags & ResourceKind.EXCLUSIVE) == 0;
  }

  /** Whether something of {@code other} can be taken out of this (rule 279). */
  boolean givesTo(Resource other) {
    return kind == other.kind
        && ((kind.flags & (ResourceKind.SHARED | ResourceKind.EXCLUSIVE)) == 0
            || sameAmount(other));
  }

  /** Of two that merge. */
  Resource plus(Resource other) {
    if ((kind.flags & ResourceKind.SHARED) != 0) {
      return new Resource(kind, millis, spans, items, copies + other.copies, disk);
    }
    return switch (kind.type) {
      case SCALAR ->
          new Resource(kind, Millis.sum(millis, other.millis), Spans.NONE, Items.NONE, 1, disk);
      case RANGES -> new Resource(kind, 0, Spans.union(spans, other.spans), Items.NONE, 1, disk);
      case SET -> new Resource(kind, 0, Spans.NONE, Items.union(items, other.items), 1, disk);
    };
  }

  /** What is left when the other is taken out; null when nothing is. */
  Resource minus(Resource other) {
    if ((kind.flags & ResourceKind.SHARED) != 0) {
      return copies > other.copies
          ? new Resource(kind, millis, spans, items, copies - other.copies, disk)
          : null;
    }
    if ((kind.flags & ResourceKind.EXCLUSIVE) != 0) {
      return null;
    }
    switch (kind.type) {
      case SCALAR:
        return millis > other.millis
            ? new Resource(kind, millis - other.millis, Spans.NONE, Items.NONE, 1, disk)
            : null;
      case RANGES:
        long[] left = Spans.minus(spans, other.spans);
        return left.length == 0 ? null : new Resource(kind, 0, left, Items.NONE, 1, disk);
      default:
        String[] rest = Items.minus(items, other.items);
        return rest.length == 0 ? null : new Resource(kind, 0, Spans.NONE, rest, 1, disk);
    }
  }

  /** Whether this one entry holds all of the other, which can be taken out of it. */
  boolean holds(Resource other) {
    if ((kind.flags & ResourceKind.SHARED) != 0) {
      return copies >= other.copies;
    }
    return switch (kind.type) {
      case SCALAR -> millis >= other.millis;
      case RANGES -> Spans.contains(spans, other.spans);
      case SET -> Items.contains(items, other.items);
    };
  }

  /** This scalar with so many thousandths; whoever cuts an indivisible one makes another of it. */
  Resource withMillis(long amount) {
    return amount == millis
        ? this
        : new Resource(kind, amount, Spans.NONE, Items.NONE, copies, disk);
  }

  /** Same kind, amount and copies; details of the disk do not count (rule 280). */
  @Override
  public boolean equals(Object other) {
    return other instanceof Resource that
        && kind == that.kind
        && copies == that.copies
        && sameAmount(that);
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, millis, Arrays.hashCode(spans), Arrays.hashCode(items), copies);
  }

  /** As logs and error messages of the field show it, for example {@code cpus:0.5}. */
  @Override
  public String toString() {
    String text = ResourceText.kind(toMessage(Resources.Format.POST_REFINEMENT));
    return (copies > 1 ? text + "<" + copies + ">" : text) + ":" + valueText();
  }
}
