package org.mezzo.coordination;

import org.mezzo.coordination.zookeeper.ZooKeeperCoordination;

/** Makes a {@link Coordination} where there is no service registry: in tests and command lines. */
public final class Coordinations {
  private Coordinations() {}

  /** A coordination of its own; holds nothing open by itself. */
  public static Coordination create() {
    return new ZooKeeperCoordination();
  }
}
