package org.mezzo.modules.local;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleDescription;
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
  private static final Duration SETTLING = Duration.ofSeconds(30);

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

  /** With other limits. */
  public LocalModules(Limits limits) {
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
    return register(type, kind, name, Set.of(), instances);
  }

  /** The same for a module that is shown those flags of its daemon. */
  public <M extends Module> Registered register(
      Class<M> type, String kind, String name, Set<String> flags, Supplier<? extends M> instances) {
    long id = bundles.incrementAndGet();
    Local local =
        new Local(
            type,
            instances,
            new Registration.Announcement(
                kind, name, "", "", "", flags, id, "local." + kind + "." + name, "1.0." + id, id));
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

  /**
   * Registers one instance for whoever leases it; it is opened and closed with each lease.
   *
   * @param kind of the module
   */
  public <M extends Module> Registered register(Kind<M> kind, String name, M instance) {
    return register(kind.type(), kind.name(), name, () -> instance);
  }

  /** These modules as a daemon has them that is the same to each of them. */
  public DaemonModules of(DaemonContext daemon) {
    return new DaemonModules(table, (kind, name) -> daemon);
  }

  /**
   * Waits until every lease is held by the newest module of those that it wants, if there is any.
   *
   * @throws IllegalStateException when that takes longer than half a minute
   */
  public void awaitHolders() throws InterruptedException {
    long end = System.nanoTime() + SETTLING.toNanos();
    while (!table.leases().stream().allMatch(this::isSettled)) {
      if (System.nanoTime() - end > 0) {
        throw new IllegalStateException("Leases do not get their modules: " + table.leases());
      }
      Thread.sleep(1);
    }
  }

  private boolean isSettled(LeaseDescription lease) {
    OptionalLong newest =
        table.modules().stream()
            .filter(it -> it.kind().equals(lease.kind()) && it.name().equals(lease.name()))
            .mapToLong(ModuleDescription::bundleId)
            .max();
    return newest.isEmpty()
        || lease.holder().filter(it -> it.bundleId() == newest.getAsLong()).isPresent();
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

        @Override
        public void remove(String name) {}
      };
}
