package org.mezzo.containerizer.processes;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.mezzo.api.Metrics;
import org.mezzo.api.isolator.Container;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.isolation.IsolatorChain;
import org.mezzo.resources.Resources;

/**
 * Gives containers that are there other resources. What is wanted is written first, so that an
 * agent to come wants the same; then isolators are told, of one change of a container at a time: of
 * those that come meanwhile, the newest is next. Isolators hear of none before the container runs,
 * nor once they clean up after it. For the loop only.
 */
final class Resizing {
  /** What is to be done about the resources of one container. */
  static final class Change {
    /** Isolators are to be told of its resources as they are now. */
    boolean due;

    /** Isolators are being told; only the loop changes it. */
    volatile boolean underWay;

    /** Who waits until they were told. */
    private List<CompletableFuture<Boolean>> waiting = new ArrayList<>();

    /** What waits until nobody is being told. */
    private Runnable then = () -> {};
  }

  private final Consumer<Runnable> loop;
  private final ContainerLog log;
  private final IsolatorChain isolators;
  private final Metrics.Counter failures;

  /**
   * No change yet.
   *
   * @param loop where what isolators answer is heard
   */
  Resizing(Consumer<Runnable> loop, ContainerLog log, IsolatorChain isolators, Metrics metrics) {
    this.loop = loop;
    this.log = log;
    this.isolators = isolators;
    failures = metrics.counter("containerizer/updates_failed");
  }

  /**
   * A container is to have these resources.
   *
   * @param told whether it was told so to isolators: false where the container is over
   */
  void want(
      ManagedContainer on, Resources resources, Resources limits, CompletableFuture<Boolean> told) {
    if (on.life.state().compareTo(Lifecycle.State.RUNNING) > 0) {
      told.complete(false);
      return;
    }
    Container before = on.container;
    if (!before.resources().equals(resources) || !before.limits().equals(limits)) {
      on.container = before.toBuilder().resources(resources, limits).build();
      on.change.due = true;
      log.add(Checkpoint.resized(on.id, on.container));
    }
    on.change.waiting.add(told);
    advance(on);
  }

  /** Tells what is to be told, if it can be now. */
  void advance(ManagedContainer on) {
    Change change = on.change;
    if (change.underWay || on.life.state() != Lifecycle.State.RUNNING) {
      return;
    }
    List<CompletableFuture<Boolean>> answers = change.waiting;
    change.waiting = new ArrayList<>();
    if (!change.due) {
      log.then(() -> answers.forEach(told -> told.complete(true)));
      return;
    }
    change.due = false;
    change.underWay = true;
    Container container = on.withProcess();
    boolean isolated = on.isolated;
    log.then(
        () -> {
          if (isolated) {
            isolators
                .update(container)
                .whenComplete((done, failure) -> loop.accept(() -> told(on, answers, failure)));
          } else {
            loop.accept(() -> told(on, answers, null));
          }
        },
        failure -> loop.accept(() -> told(on, answers, failure)));
  }

  private void told(
      ManagedContainer on, List<CompletableFuture<Boolean>> answers, Throwable failure) {
    Change change = on.change;
    change.underWay = false;
    if (failure != null) {
      failures.increment();
      // Whoever wants the same again has it tried again.
      change.due = true;
    }
    answers.forEach(
        told -> {
          if (failure == null) {
            told.complete(true);
          } else {
            told.completeExceptionally(reason(failure));
          }
        });
    Runnable then = change.then;
    change.then = () -> {};
    then.run();
    if (!change.waiting.isEmpty()) {
      advance(on);
    }
  }

  private static LaunchException reason(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && !(root instanceof LaunchException)) {
      root = root.getCause();
    }
    return root instanceof LaunchException known
        ? known
        : new LaunchException(String.valueOf(root.getMessage()), failure);
  }

  /** The container is to go: nobody is told any more, but for who is being told. */
  void over(ManagedContainer on) {
    on.change.due = false;
    List<CompletableFuture<Boolean>> answers = on.change.waiting;
    on.change.waiting = new ArrayList<>();
    answers.forEach(told -> told.complete(false));
  }

  /** Does something once nobody is being told; at once where nobody is. */
  void after(ManagedContainer on, Runnable then) {
    if (on.change.underWay) {
      on.change.then = then;
    } else {
      then.run();
    }
  }
}
