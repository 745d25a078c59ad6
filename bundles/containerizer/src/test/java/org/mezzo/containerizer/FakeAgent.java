package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.modules.Kind;
import org.mezzo.modules.local.LocalModules;

/** An agent with modules that are there from the start, for tests. */
public final class FakeAgent implements DaemonContext {
  private static final String CGROUPS_PROPERTY = "mezzo.test.cgroups";

  /**
   * The folder in each hierarchy of this process, and of agents that it starts and kills: others
   * test beside it, with the same names.
   */
  public static final String CGROUPS =
      System.getProperty(CGROUPS_PROPERTY, "mezzo-test-" + ProcessHandle.current().pid());

  /** What a process is started with that is an agent of the same machine. */
  public static final String SAME_CGROUPS = "-D" + CGROUPS_PROPERTY + "=" + CGROUPS;

  static {
    if (System.getProperty(CGROUPS_PROPERTY) == null) {
      Runtime.getRuntime().addShutdownHook(new Thread(FakeAgent::removeCgroups));
    }
  }

  private static void removeCgroups() {
    Path hierarchies = Path.of("/sys/fs/cgroup");
    try (DirectoryStream<Path> all = Files.newDirectoryStream(hierarchies)) {
      Files.deleteIfExists(hierarchies.resolve(CGROUPS));
      for (Path hierarchy : all) {
        Files.deleteIfExists(hierarchy.resolve(CGROUPS));
      }
    } catch (IOException e) {
      System.err.println("Cgroups of " + CGROUPS + " stay: " + e);
    }
  }

  private final Path folder;
  private LauncherChoice launcher =
      Boolean.getBoolean("mezzo.test.native") ? NativeLaunchers.built() : LauncherChoice.SHELL;
  private ContainerizerOptions.Logging logging = ContainerizerOptions.Logging.NONE;
  public final LocalModules modules = new LocalModules();

  public FakeAgent(Path folder) {
    this.folder = folder;
  }

  /** Registers a module. */
  public <M extends Module> FakeAgent with(Kind<M> kind, String name, M module) {
    modules.register(kind, name, module);
    return this;
  }

  /** Has containers started by a launcher. */
  public FakeAgent launching(LauncherChoice choice) {
    launcher = choice;
    return this;
  }

  /** Has what becomes of output chosen. */
  public FakeAgent logging(String logger, boolean demanded) {
    logging = new ContainerizerOptions.Logging(Optional.of(logger), demanded);
    return this;
  }

  /** It as a containerizer sees it. */
  public ContainerizerHost host() {
    return new ContainerizerHost(this, modules.of(this));
  }

  /** A containerizer of this agent, which has the isolators that there are. */
  public Containerizer containerizer(String... isolation) throws Exception {
    Containerizer containerizer = Containerizer.open(host(), options(isolation));
    modules.awaitHolders();
    return containerizer;
  }

  public ContainerizerOptions options(String... isolation) {
    return new ContainerizerOptions(
        List.of(isolation),
        true,
        Optional.of(new ContainerizerOptions.CgroupRoot(Path.of("/sys/fs/cgroup"), CGROUPS)),
        new ContainerizerOptions.Fetching(
            Optional.empty(), Duration.ofSeconds(10), Optional.empty(), 10 << 20, true, 10 << 20),
        Path.of("/bin/sh"),
        launcher,
        logging,
        "default");
  }

  @Override
  public String daemon() {
    return "test";
  }

  @Override
  public Role role() {
    return Role.AGENT;
  }

  @Override
  public Path workDir() {
    return folder.resolve("work");
  }

  @Override
  public Path runtimeDir() {
    return folder.resolve("run time");
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
    return new Metrics() {
      private final Map<String, AtomicLong> counters = new ConcurrentHashMap<>();

      @Override
      public Counter counter(String name) {
        return counters.computeIfAbsent(name, k -> new AtomicLong())::addAndGet;
      }

      @Override
      public void gauge(String name, DoubleSupplier value) {
        // Not a number is no value yet.
        assertThat(value.getAsDouble()).as(name).isNotInfinite();
      }

      @Override
      public void remove(String name) {
        counters.remove(name);
      }
    };
  }

  @Override
  public Clock clock() {
    return Clock.systemUTC();
  }
}
