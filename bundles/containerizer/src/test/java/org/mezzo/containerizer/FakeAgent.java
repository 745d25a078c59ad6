package org.mezzo.containerizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleSupplier;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;

/** An agent with modules that are there from the start, for tests. */
public final class FakeAgent implements DaemonContext, ModuleLeases {
  private final Path folder;
  private final Map<String, Module> modules = new ConcurrentHashMap<>();
  private final Map<String, ModuleException.Kind> failures = new ConcurrentHashMap<>();

  public FakeAgent(Path folder) {
    this.folder = folder;
  }

  /** Registers a module by kind and name. */
  public FakeAgent with(String kind, String name, Module module) {
    modules.put(kind + " " + name, module);
    return this;
  }

  /** Makes one call of that operation fail as the lease of a module does. */
  public void failNextCall(String operation, ModuleException.Kind kind) {
    failures.put(operation, kind);
  }

  /** It as a containerizer sees it, with its own modules. */
  public ContainerizerHost host() {
    return host(this);
  }

  /** It as a containerizer sees it, with modules from elsewhere. */
  public ContainerizerHost host(ModuleLeases leases) {
    return new ContainerizerHost(this, (kind, name) -> this, leases);
  }

  /** A containerizer of this agent. */
  public Containerizer containerizer(String... isolation) throws IOException {
    return Containerizer.open(host(), options(isolation));
  }

  public ContainerizerOptions options(String... isolation) {
    return new ContainerizerOptions(
        List.of(isolation),
        true,
        Optional.of(new ContainerizerOptions.CgroupRoot(Path.of("/sys/fs/cgroup"), "mezzo-test")),
        Optional.empty(),
        Duration.ofSeconds(10),
        Path.of("/bin/sh"));
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
        assertThat(value.getAsDouble()).as(name).isNotNaN();
      }
    };
  }

  @Override
  public Clock clock() {
    return Clock.systemUTC();
  }

  @Override
  public <M extends Module> ModuleLease<M> lease(LeaseRequest<M> request) {
    Module module = modules.get(request.kind() + " " + request.name());
    Lease<M> lease = new Lease<>(request, request.type().cast(module));
    if (module != null) {
      request.events().execute(() -> request.listener().acquired(1, describe(request.name())));
    }
    return lease;
  }

  private static ModuleDescription describe(String key) {
    String[] words = key.split(" ");
    return new ModuleDescription(
        words[0], words[words.length - 1], "", "", "", 1, "b", "1", "leased", "", List.of());
  }

  private final class Lease<M extends Module> implements ModuleLease<M> {
    private final LeaseRequest<M> request;
    private final M module;
    private final ExecutorService mailbox = Executors.newSingleThreadExecutor();

    Lease(LeaseRequest<M> request, M module) {
      this.request = request;
      this.module = module;
    }

    @Override
    public void select(String name) {}

    @Override
    public long epoch() {
      return module == null ? 0 : 1;
    }

    @Override
    public Optional<ModuleDescription> holder() {
      return Optional.empty();
    }

    @Override
    public <R> CompletionStage<R> call(
        long epoch, String operation, Duration deadline, Call<M, R> call) {
      CompletableFuture<R> done = new CompletableFuture<>();
      ModuleException.Kind failure = failures.remove(operation);
      if (failure != null) {
        return CompletableFuture.failedStage(new ModuleException(failure, "it was swapped", null));
      }
      mailbox.execute(
          () -> {
            try {
              R result = call.apply(module);
              request.events().execute(() -> done.complete(result));
            } catch (Throwable t) {
              request
                  .events()
                  .execute(
                      () ->
                          done.completeExceptionally(
                              new ModuleException(ModuleException.Kind.THREW, t.getMessage(), t)));
            }
          });
      return done;
    }

    @Override
    public int backlog() {
      return 0;
    }

    @Override
    public void close() {
      mailbox.shutdown();
    }
  }

  @Override
  public List<ModuleDescription> modules() {
    List<ModuleDescription> all = new ArrayList<>();
    modules.keySet().forEach(key -> all.add(describe(key)));
    return all;
  }

  @Override
  public CompletionStage<Void> drain(long bundleId, Duration deadline) {
    return CompletableFuture.completedStage(null);
  }

  @Override
  public List<org.mezzo.modules.LeaseDescription> leases() {
    return List.of();
  }

  @Override
  public void readmit(long bundleId) {}

  @Override
  public List<DaemonContext> wanting(String kind, String name) {
    return List.of(this);
  }

  @Override
  public List<ModuleDescription> quarantined() {
    return List.of();
  }
}
