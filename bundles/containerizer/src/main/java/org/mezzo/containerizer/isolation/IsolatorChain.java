package org.mezzo.containerizer.isolation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseListener;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The isolators of one agent in the order of {@code --isolation}. An isolator that is selected and
 * has no module refuses launches: a limit that was asked for must not be missing in silence.
 */
public final class IsolatorChain implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(IsolatorChain.class);

  /** Isolators of Mesos that limit nothing; what they do here is the containerizer's own work. */
  private static final Set<String> BUILT_IN = Set.of("posix/cpu", "posix/mem", "filesystem/posix");

  private static final class Link implements LeaseListener {
    final String name;
    final IsolatorChain chain;

    /** What the isolator has been told of and not to clean up, as it was told of last. */
    final Map<String, Container> known = new ConcurrentHashMap<>();

    /** What it has cleaned up, as long as the containerizer still lists it. */
    final Set<String> cleaned = ConcurrentHashMap.newKeySet();

    volatile ModuleLease<Isolator> lease;

    Link(String name, IsolatorChain chain) {
      this.name = name;
      this.chain = chain;
    }

    /** On the events executor, while no call of the lease runs. */
    ModuleLease.Action<Isolator> takeover(BooleanSupplier valid) {
      Map<String, Container> all = new HashMap<>();
      Set<String> listed = new HashSet<>();
      for (Container container : chain.running.get()) {
        listed.add(container.id());
        if (!cleaned.contains(container.id())) {
          all.put(container.id(), container);
        }
      }
      cleaned.retainAll(listed);
      all.putAll(known);
      List<Container> containers = List.copyOf(all.values());
      return isolator -> {
        isolator.limitations(
            (id, resources, reason, message) -> {
              if (valid.getAsBoolean()) {
                chain.limitations.limited(id, resources, reason, message);
              }
            });
        isolator.recover(containers);
      };
    }

    void entered(Container container) {
      known.put(container.id(), container);
    }

    void left(Container container) {
      known.remove(container.id());
      cleaned.add(container.id());
    }

    @Override
    public void acquired(long acquired, ModuleDescription module) {}

    @Override
    public void lost(long lost, ModuleDescription module, String reason) {
      if (lease.epoch() == 0) {
        LOG.warn("Isolator '{}' is gone ({}); launches fail until it is back", name, reason);
      }
    }

    <R> CompletionStage<R> ask(String operation, ModuleLease.Call<Isolator, R> call) {
      ModuleLease<Isolator> present = lease;
      return present == null ? absent() : explained(present.ask(operation, call));
    }

    CompletionStage<Void> tell(String operation, ModuleLease.Action<Isolator> action) {
      ModuleLease<Isolator> present = lease;
      return present == null ? absent() : explained(present.tell(operation, action));
    }

    private <R> CompletionStage<R> explained(CompletionStage<R> stage) {
      return stage.exceptionallyCompose(
          failure ->
              ModuleException.isAbsence(failure)
                  ? absent()
                  : CompletableFuture.failedStage(failure));
    }

    private <R> CompletionStage<R> absent() {
      return CompletableFuture.failedStage(
          new LaunchException(
              "Isolator '"
                  + name
                  + "' is not available; install its module or take it out of"
                  + " --isolation"));
    }
  }

  private final List<Link> links = new ArrayList<>();
  private final Isolator.LimitationListener limitations;
  private final Supplier<List<Container>> running;

  /**
   * Leases what {@code --isolation} names.
   *
   * @param isolation the names, in the order in which they are called
   * @param events where leases report, one at a time
   * @param running the containers to hand to an isolator that takes over; called on {@code events}
   */
  public IsolatorChain(
      ContainerizerHost host,
      List<String> isolation,
      Executor events,
      Isolator.LimitationListener limitations,
      Supplier<List<Container>> running) {
    this.limitations = limitations;
    this.running = running;
    for (String name : isolation) {
      if (BUILT_IN.contains(name)) {
        LOG.info("Isolation '{}' limits nothing by itself and needs no module", name);
        continue;
      }
      Link link = new Link(name, this);
      links.add(link);
      // The listener may be called before lease() returns, so it runs behind this task.
      events.execute(
          () ->
              link.lease =
                  host.modules()
                      .leases()
                      .lease(
                          host.modules()
                              .request(Kinds.ISOLATOR, name, events)
                              .heardBy(link)
                              .after(link::takeover)));
    }
  }

  /** Whether there is nothing to wait for before a process is let go. */
  public boolean isEmpty() {
    return links.isEmpty();
  }

  /** The variables that isolators add; fails at the first isolator that fails. */
  public CompletionStage<Map<String, String>> prepare(Container container) {
    CompletionStage<Map<String, String>> done = CompletableFuture.completedStage(new HashMap<>());
    for (Link link : links) {
      done =
          done.thenCompose(
              environment ->
                  named(link, link.ask("prepare", isolator -> isolator.prepare(container)))
                      .thenApply(
                          preparation -> {
                            link.entered(container);
                            environment.putAll(preparation.environment());
                            return environment;
                          }));
    }
    return done;
  }

  /** Isolates the first process, which waits. */
  public CompletionStage<Void> isolate(Container container) {
    long pid = container.pid().orElseThrow();
    CompletionStage<Void> done = CompletableFuture.completedStage(null);
    for (Link link : links) {
      done =
          done.thenCompose(
              ignored ->
                  named(link, link.tell("isolate", isolator -> isolator.isolate(container, pid)))
                      .thenAccept(told -> link.entered(container)));
    }
    return done;
  }

  /** Adds the parts of all isolators to a container's usage; one that fails adds nothing. */
  public CompletionStage<ResourceStatistics.Builder> usage(
      Container container, ResourceStatistics.Builder own) {
    CompletionStage<ResourceStatistics.Builder> done = CompletableFuture.completedStage(own);
    for (Link link : links) {
      done =
          done.thenCombine(
              optional(link.ask("usage", isolator -> isolator.usage(container))),
              (all, part) -> part.map(all::mergeFrom).orElse(all));
    }
    return done;
  }

  /** Adds the parts of all isolators to a container's status; one that fails adds nothing. */
  public CompletionStage<ContainerStatus.Builder> status(
      Container container, ContainerStatus.Builder own) {
    CompletionStage<ContainerStatus.Builder> done = CompletableFuture.completedStage(own);
    for (Link link : links) {
      done =
          done.thenCombine(
              optional(link.ask("status", isolator -> isolator.status(container))),
              (all, part) -> part.map(all::mergeFrom).orElse(all));
    }
    return done;
  }

  /** Lets every isolator clean up, the last one first; failures are logged. */
  public CompletionStage<Void> cleanup(Container container) {
    CompletionStage<Void> done = CompletableFuture.completedStage(null);
    for (int i = links.size() - 1; i >= 0; i--) {
      Link link = links.get(i);
      done =
          done.thenCompose(
              ignored ->
                  link.tell("cleanup", isolator -> isolator.cleanup(container))
                      .handle(
                          (told, failure) -> {
                            link.left(container);
                            if (failure != null) {
                              LOG.warn(
                                  "Isolator '{}' did not clean up after container {}: {}",
                                  link.name,
                                  container.id(),
                                  root(failure).getMessage());
                            }
                            return null;
                          }));
    }
    return done;
  }

  /** The container with its first process. */
  public static Container with(Container container, long pid) {
    return new Container(
        container.id(),
        container.sandbox(),
        container.user(),
        container.resources(),
        container.limits(),
        container.info(),
        OptionalLong.of(pid));
  }

  private static <R> CompletionStage<R> named(Link link, CompletionStage<R> stage) {
    CompletableFuture<R> named = new CompletableFuture<>();
    stage.whenComplete(
        (result, failure) -> {
          if (failure == null) {
            named.complete(result);
          } else {
            Throwable root = root(failure);
            named.completeExceptionally(
                root instanceof LaunchException
                    ? root
                    : new LaunchException(
                        "Isolator '" + link.name + "' failed: " + reason(root), root));
          }
        });
    return named;
  }

  /** What an isolator said itself is told as it said it. */
  private static String reason(Throwable root) {
    return root instanceof ModuleException module
            && module.kind() == ModuleException.Kind.THREW
            && module.getCause() != null
            && module.getCause().getMessage() != null
        ? module.getCause().getMessage()
        : root.getMessage();
  }

  private static <R> CompletionStage<Optional<R>> optional(CompletionStage<Optional<R>> stage) {
    return stage.exceptionally(failure -> Optional.empty());
  }

  private static Throwable root(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null
        && (root instanceof java.util.concurrent.CompletionException
            || root instanceof java.util.concurrent.ExecutionException)) {
      root = root.getCause();
    }
    return root;
  }

  @Override
  public void close() {
    for (Link link : links) {
      if (link.lease != null) {
        link.lease.close();
      }
    }
  }
}
