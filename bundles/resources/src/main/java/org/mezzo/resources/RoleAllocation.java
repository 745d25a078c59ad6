package org.mezzo.resources;

import java.util.Objects;

/**
 * Allocates resources to one role, again and again: as {@link Resources#allocatedTo}, but knows
 * what the last few kinds become, which is cheaper where many roles take turns. Not for several
 * threads at once.
 */
public final class RoleAllocation {
  /** So many kinds are known at a time; an agent rarely has more. */
  private static final int MOST = 8;

  private final String role;
  private final ResourceKind[] kinds = new ResourceKind[MOST];
  private final ResourceKind[] allocated = new ResourceKind[MOST];
  private int next;

  /** To that role. */
  public RoleAllocation(String role) {
    this.role = Objects.requireNonNull(role, "role");
  }

  /** The same resources with the role as their allocation role. */
  public Resources of(Resources resources) {
    return resources.as(this::kind);
  }

  private ResourceKind kind(ResourceKind kind) {
    for (int i = 0; i < MOST && kinds[i] != null; i++) {
      if (kinds[i] == kind) {
        return allocated[i];
      }
    }
    ResourceKind found = kind.allocatedTo(role);
    kinds[next] = kind;
    allocated[next] = found;
    next = (next + 1) % MOST;
    return found;
  }
}
