package org.mezzo.resources;

import java.util.Optional;

/** One resource: an interned identity ({@link ResourceKind}) and an amount. */
public final class Resource {
  private Resource() {}

  public static Resource scalar(String name, double value) {
    throw new UnsupportedOperationException();
  }

  public ResourceKind kind() {
    throw new UnsupportedOperationException();
  }

  public String name() {
    throw new UnsupportedOperationException();
  }

  public Optional<String> allocationRole() {
    throw new UnsupportedOperationException();
  }

  /** The role of the last reservation. */
  public Optional<String> reservationRole() {
    throw new UnsupportedOperationException();
  }
}
