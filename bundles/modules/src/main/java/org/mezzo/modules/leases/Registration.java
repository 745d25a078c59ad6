package org.mezzo.modules.leases;

import java.util.Optional;
import java.util.Set;
import org.mezzo.api.Module;
import org.mezzo.modules.ParameterDescriptions;

/**
 * One registered module, wherever it is registered. Two registrations are the same only when they
 * are the same object. Instances are made and released on mailbox threads, never under a lock.
 */
public interface Registration {

  /** What the module says of itself and where it comes from. */
  Announcement announcement();

  /** Whether it was registered under that SPI interface. */
  boolean provides(Class<?> type);

  /** The package of the class that it is; empty where that is not known. */
  default Optional<String> packageName() {
    return Optional.empty();
  }

  /**
   * What it says of its parameters; empty when it describes none. Reads its bundle at first, so
   * that it is not to be called under a lock.
   */
  default Optional<ParameterDescriptions> parameters() {
    return Optional.empty();
  }

  /** A new instance that nobody else uses; runs code of the module. */
  Module create() throws Exception;

  /** Gives back an instance; runs code of the module. Never throws for one that is gone already. */
  void release(Module instance);

  /**
   * A module's announcement.
   *
   * @param flags names of the daemon's flags that it reads
   * @param bundleId of candidates with the same kind and name the highest wins
   * @param serviceId tells apart registrations of one bundle; the lowest wins
   */
  record Announcement(
      String kind,
      String name,
      String version,
      String author,
      String description,
      Set<String> flags,
      long bundleId,
      String bundleName,
      String bundleVersion,
      long serviceId) {
    public Announcement {
      flags = Set.copyOf(flags);
    }
  }
}
