package org.mezzo.resources;

/** Everything of a resource but its amount, interned so that equality is identity. */
public final class ResourceKind {
  private ResourceKind() {}
}
