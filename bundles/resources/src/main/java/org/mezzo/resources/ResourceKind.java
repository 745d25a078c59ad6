package org.mezzo.resources;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.protocol.v1.Resource.DiskInfo;

/**
 * Everything of a resource but its amount, interned so that equality is identity: name, type,
 * allocation role, reservations, disk, revocable, shared and provider (rule 278). Of a disk only
 * source and persistence id count (rule 280).
 *
 * <p>The pool holds kinds weakly: one that nobody refers to any more is forgotten.
 */
public final class ResourceKind {

  /** The value types a resource can have. */
  public enum Type {
    SCALAR,
    RANGES,
    SET
  }

  static final int ALLOCATED = 1;
  static final int RESERVED = 1 << 1;
  static final int REFINED = 1 << 2;
  static final int REVOCABLE = 1 << 3;
  static final int SHARED = 1 << 4;

  /** Never merges and is taken whole or not at all (rules 278, 279). */
  static final int EXCLUSIVE = 1 << 5;

  static final int NON_SCALAR = 1 << 6;
  static final int DISK = 1 << 7;
  static final int PERSISTENT = 1 << 8;

  private static final ConcurrentHashMap<Key, Pooled> POOL = new ConcurrentHashMap<>();
  private static final ReferenceQueue<ResourceKind> FORGOTTEN = new ReferenceQueue<>();

  private final Key key;
  final int flags;
  final String name;
  final Type type;

  /** Null when not allocated. */
  final String allocationRole;

  /** The role of the last reservation; null when unreserved. */
  final String reservationRole;

  /** This kind without allocation role; itself if it has none. */
  private final ResourceKind unallocated;

  /** The kind that was last asked for by {@link #allocatedTo}; repeated asking is the rule. */
  private volatile ResourceKind lastAllocated;

  private ResourceKind(Key key, ResourceKind unallocated) {
    this.key = key;
    this.name = key.name;
    this.type = key.type;
    this.allocationRole = key.allocationRole;
    this.reservationRole =
        key.reservations.isEmpty()
            ? null
            : key.reservations.get(key.reservations.size() - 1).role();
    this.unallocated = unallocated == null ? this : unallocated;
    this.flags = flagsOf(key);
  }

  private static int flagsOf(Key key) {
    int flags = key.allocationRole == null ? 0 : ALLOCATED;
    if (!key.reservations.isEmpty()) {
      flags |= RESERVED;
    }
    if (key.reservations.size() > 1) {
      flags |= REFINED;
    }
    if (key.revocable) {
      flags |= REVOCABLE;
    }
    if (key.shared) {
      flags |= SHARED;
    }
    if (key.type != Type.SCALAR) {
      flags |= NON_SCALAR;
    }
    if (key.disk != null) {
      flags |= DISK;
      if (key.disk.persistenceId() != null) {
        flags |= PERSISTENT | EXCLUSIVE;
      }
      DiskInfo.Source source = key.disk.source();
      if (source != null) {
        switch (source.getType()) {
          case MOUNT, BLOCK -> flags |= EXCLUSIVE;
          case RAW -> flags |= source.hasId() ? EXCLUSIVE : 0;
          default -> {}
        }
      }
    }
    return flags;
  }

  /** The plain kind of that name: unreserved, unallocated, not special in any way. */
  static ResourceKind plain(String name, Type type) {
    return intern(new Key(name, type, null, List.of(), null, false, false, null));
  }

  static ResourceKind intern(
      String name,
      Type type,
      String allocationRole,
      List<Reservation> reservations,
      Disk disk,
      boolean revocable,
      boolean shared,
      String provider) {
    return intern(
        new Key(
            name,
            type,
            allocationRole,
            List.copyOf(reservations),
            disk,
            revocable,
            shared,
            provider));
  }

  private static ResourceKind intern(Key key) {
    for (Object gone = FORGOTTEN.poll(); gone != null; gone = FORGOTTEN.poll()) {
      POOL.remove(((Pooled) gone).key, gone);
    }
    ResourceKind fresh = null;
    while (true) {
      Pooled pooled = POOL.get(key);
      if (pooled != null) {
        ResourceKind kind = pooled.get();
        if (kind != null) {
          return kind;
        }
        POOL.remove(key, pooled);
      }
      if (fresh == null) {
        fresh =
            new ResourceKind(
                key, key.allocationRole == null ? null : intern(key.withAllocationRole(null)));
      }
      if (POOL.putIfAbsent(key, new Pooled(fresh)) == null) {
        return fresh;
      }
    }
  }

  public String name() {
    return name;
  }

  public Type type() {
    return type;
  }

  public Optional<String> allocationRole() {
    return Optional.ofNullable(allocationRole);
  }

  /** The role of the last reservation (rule 293). */
  public Optional<String> reservationRole() {
    return Optional.ofNullable(reservationRole);
  }

  /** The reservation stack, outermost first; empty when unreserved. */
  public List<Reservation> reservations() {
    return key.reservations;
  }

  public boolean isReserved() {
    return (flags & RESERVED) != 0;
  }

  /** Whether the reservation stack has more than one entry. */
  public boolean isRefined() {
    return (flags & REFINED) != 0;
  }

  public boolean isRevocable() {
    return (flags & REVOCABLE) != 0;
  }

  public boolean isShared() {
    return (flags & SHARED) != 0;
  }

  /** Whether it is a disk with a persistence id. */
  public boolean isPersistentVolume() {
    return (flags & PERSISTENT) != 0;
  }

  /** Whether it carries disk info. */
  public boolean hasDisk() {
    return (flags & DISK) != 0;
  }

  /** Whether amounts of it cannot be added up or cut (rules 278, 279). */
  public boolean isIndivisible() {
    return (flags & EXCLUSIVE) != 0;
  }

  /** The persistence id of a persistent volume. */
  public Optional<String> persistenceId() {
    return key.disk == null ? Optional.empty() : Optional.ofNullable(key.disk.persistenceId());
  }

  /** The id of the resource provider; empty for the agent's own resources. */
  public Optional<String> provider() {
    return Optional.ofNullable(key.provider);
  }

  /** Whether it may be allocated to the role (rule 293). */
  public boolean isAllocatableTo(String role) {
    return reservationRole == null || Roles.isSameOrBelow(role, reservationRole);
  }

  /** The same kind with this allocation role. */
  public ResourceKind allocatedTo(String role) {
    if (role.equals(allocationRole)) {
      return this;
    }
    ResourceKind base = unallocated;
    ResourceKind last = base.lastAllocated;
    if (last != null && last.allocationRole.equals(role)) {
      return last;
    }
    ResourceKind kind = intern(base.key.withAllocationRole(role));
    base.lastAllocated = kind;
    return kind;
  }

  /** The same kind without allocation role. */
  public ResourceKind unallocated() {
    return unallocated;
  }

  /** The same kind with another reservation stack. */
  public ResourceKind withReservations(List<Reservation> reservations) {
    return reservations.equals(key.reservations)
        ? this
        : intern(
            key.name,
            key.type,
            key.allocationRole,
            reservations,
            key.disk,
            key.revocable,
            key.shared,
            key.provider);
  }

  /** The disk as far as it identifies; null when there is no disk info. */
  Disk disk() {
    return key.disk;
  }

  /** How many kinds the pool knows, for tests and metrics. */
  static int pooled() {
    return POOL.size();
  }

  /** Two kinds are equal when they are the same object. */
  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return key.hash;
  }

  @Override
  public String toString() {
    return ResourceText.kind(Resource.emptyMessage(this));
  }

  /**
   * What identifies a disk (rule 280).
   *
   * @param source with labels in order; null when absent
   * @param persistenceId null when it is no persistent volume
   */
  record Disk(DiskInfo.Source source, String persistenceId) {}

  private static final class Pooled extends WeakReference<ResourceKind> {
    final Key key;

    Pooled(ResourceKind kind) {
      super(kind, FORGOTTEN);
      this.key = kind.key;
    }
  }

  private static final class Key {
    final String name;
    final Type type;
    final String allocationRole;
    final List<Reservation> reservations;
    final Disk disk;
    final boolean revocable;
    final boolean shared;
    final String provider;
    private final int rest;
    final int hash;

    Key(
        String name,
        Type type,
        String allocationRole,
        List<Reservation> reservations,
        Disk disk,
        boolean revocable,
        boolean shared,
        String provider) {
      this.name = name;
      this.type = type;
      this.allocationRole = allocationRole;
      this.reservations = reservations;
      this.disk = disk;
      this.revocable = revocable;
      this.shared = shared;
      this.provider = provider;
      this.rest =
          Objects.hash(name, type.ordinal(), reservations, disk, revocable, shared, provider);
      this.hash = 31 * rest + Objects.hashCode(allocationRole);
    }

    private Key(Key other, String allocationRole) {
      this.name = other.name;
      this.type = other.type;
      this.allocationRole = allocationRole;
      this.reservations = other.reservations;
      this.disk = other.disk;
      this.revocable = other.revocable;
      this.shared = other.shared;
      this.provider = other.provider;
      this.rest = other.rest;
      this.hash = 31 * rest + Objects.hashCode(allocationRole);
    }

    Key withAllocationRole(String role) {
      return new Key(this, role);
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Key that
          && hash == that.hash
          && name.equals(that.name)
          && type == that.type
          && revocable == that.revocable
          && shared == that.shared
          && Objects.equals(allocationRole, that.allocationRole)
          && Objects.equals(provider, that.provider)
          && Objects.equals(disk, that.disk)
          && reservations.equals(that.reservations);
    }
  }
}
