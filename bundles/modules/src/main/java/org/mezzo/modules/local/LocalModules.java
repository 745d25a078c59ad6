package org.mezzo.modules.local;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.leases.LeaseTable;
import org.mezzo.modules.leases.Limits;
import org.mezzo.modules.leases.Registration;

/**
 * The real lease mechanism over modules that are plain objects, without OSGi. Every registration
 * counts as a bundle of its own, with rising bundle ids, so that a later one of the same kind and
 * name takes over from an earlier one. Safe for any thread.
 *
 * <pre>{@code
 * LocalModules modules = new LocalModules();
 * Registered first = modules.register(Allocator.class, Allocator.KIND, "hierarchical", Drf::new);
 * ModuleLeases leases = modules.leases();
 * }</pre>
 */
public final class LocalModules implements AutoCloseable {
  private final LeaseTable table;
  private final AtomicLong bundles = new AtomicLong();

  /** A registered module; closing withdraws it, as stopping its bundle would. */
  public interface Registered extends AutoCloseable {
    /** The id that its bundle would have. */
    long bundleId();

    @Override
    void close();
  }

  /** With the patience of a host, but failed modules are tried again after 10 ms. */
  public LocalModules() {
    this(Limits.DEFAULT.withBackoff(Duration.ofMillis(10), Duration.ofMillis(100)));
  }

  private LocalModules(Limits limits) {
    table = new LeaseTable(limits);
  }

  /** The leases of these modules. */
  public ModuleLeases leases() {
    return table;
  }

  /**
   * Registers a module.
   *
   * @param instances makes an instance for each lease
   */
  public <M extends Module> Registered register(
      Class<M> type, String kind, String name, Supplier<? extends M> instances) {
    long id = bundles.incrementAndGet();
    Local local =
        new Local(
            type,
            instances,
            new Registration.Announcement(
                kind, name, "", "", "", id, "local." + kind + "." + name, "1.0." + id, id));
    table.register(local);
    return new Registered() {
      @Override
      public long bundleId() {
        return id;
      }

      @Override
      public void close() {
        table.withdraw(local);
      }
    };
  }

  @Override
  public void close() {
    table.close();
  }

  private record Local(
      Class<?> type, Supplier<? extends Module> instances, Announcement announcement)
      implements Registration {
    @Override
    public boolean provides(Class<?> wanted) {
      return wanted == type;
    }

    @Override
    public Module create() {
      return instances.get();
    }

    @Override
    public void release(Module instance) {}

    @Override
    public boolean equals(Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  /** A daemon for tests: no flags, no parameters, the system's clock, numbers go nowhere. */
  public static DaemonContext daemon(String name, DaemonContext.Role role, Path dir) {
    return new DaemonContext() {
      @Override
      public String daemon() {
        return name;
      }

      @Override
      public Role role() {
        return role;
      }

      @Override
      public Path workDir() {
        return dir.resolve("work").toAbsolutePath();
      }

      @Override
      public Path runtimeDir() {
        return dir.resolve("run").toAbsolutePath();
      }

      @Override
      public Map<String, String> flags() {
        return Map.of();
      }

      @Override
      public Map<String, String> parameters() {
        return Map.of();
      }

      @Override
      public Metrics metrics() {
        return NOWHERE;
      }

      @Override
      public Clock clock() {
        return Clock.systemUTC();
      }
    };
  }

  private static final Metrics NOWHERE =
      new Metrics() {
        @Override
        public Counter counter(String name) {
          return n -> {};
        }

        @Override
        public void gauge(String name, DoubleSupplier value) {}
      };
}
