package org.mezzo.containerizer.isolation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.LeaseListener;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
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
  private static final Duration DEADLINE = Duration.ofSeconds(10);

  /** Isolators of Mesos that limit nothing; what they do here is the containerizer's own work. */
  private static final Set<String> BUILT_IN = Set.of("posix/cpu", "posix/mem", "filesystem/posix");

  private static final class Link implements LeaseListener {
    final String name;
    final IsolatorChain chain;
    ModuleLease<Isolator> lease;
    volatile long epoch;

    Link(String name, IsolatorChain chain) {
      this.name = name;
      this.chain = chain;
    }

    @Override
    public void acquired(long acquired, ModuleDescription module) {
      List<Container> running = chain.running.get();
      lease
          .call(
              acquired,
              "recover",
              DEADLINE,
              isolator -> {
                isolator.limitations(chain.limitations);
                isolator.recover(running);
                return true;
              })
          .whenComplete(
              (done, failure) -> {
                if (failure != null) {
                  LOG.error(
                      "Isolator '{}' could not take over {} containers; launches fail until it can",
                      name,
                      running.size(),
                      failure);
                }
              })
          .thenAccept(done -> epoch = acquired);
    }

    @Override
    public void lost(long lost, ModuleDescription module, String reason) {
      if (epoch == lost) {
        epoch = 0;
      }
      LOG.warn("Isolator '{}' is gone ({}); launches fail until it is back", name, reason);
    }

    <R> CompletionStage<R> call(String operation, ModuleLease.Call<Isolator, R> call) {
      long now = epoch;
      return now == 0
          ? CompletableFuture.failedStage(
              new LaunchException(
                  "Isolator '"
                      + name
                      + "' is not available; install its module or take it out of"
                      + " --isolation"))
          : lease.call(now, operation, DEADLINE, call);
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
                      .lease(
                          new LeaseRequest<>(
                              Isolator.class,
                              Isolator.KIND,
                              name,
                              host.contexts().apply(Isolator.KIND, name),
                              1,
                              events,
                              link)));
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
                  named(link, link.call("prepare", isolator -> isolator.prepare(container)))
                      .thenApply(
                          preparation -> {
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
                  named(
                          link,
                          link.call(
                              "isolate",
                              isolator -> {
                                isolator.isolate(container, pid);
                                return true;
                              }))
                      .thenAccept(yes -> {}));
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
              optional(link.call("usage", isolator -> isolator.usage(container).orElse(null))),
              (all, part) -> part == null ? all : all.mergeFrom(part));
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
              optional(link.call("status", isolator -> isolator.status(container).orElse(null))),
              (all, part) -> part == null ? all : all.mergeFrom(part));
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
                  link.call(
                          "cleanup",
                          isolator -> {
                            isolator.cleanup(container);
                            return true;
                          })
                      .handle(
                          (yes, failure) -> {
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
                        "Isolator '" + link.name + "' failed: " + root.getMessage(), root));
          }
        });
    return named;
  }

  private static <R> CompletionStage<R> optional(CompletionStage<R> stage) {
    return stage.exceptionally(failure -> null);
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
