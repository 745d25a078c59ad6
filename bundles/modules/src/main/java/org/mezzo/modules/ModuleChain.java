package org.mezzo.modules;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.api.Module;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The modules of one kind that a daemon uses, in the order in which they are selected. One that is
 * absent, late or fails is passed over. Without modules every stage is complete at once. Safe for
 * any thread.
 */
public final class ModuleChain<M extends Module> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleChain.class);

  /** What one module makes of what those before it have made, on a thread of its lease. */
  @FunctionalInterface
  public interface Step<M, T> {
    T apply(M module, T now) throws Exception;
  }

  /** One module of the chain; its lease ends when it is not selected and nobody waits for it. */
  private static final class Link<M extends Module> {
    final ModuleLease<M> lease;
    private int users;
    private boolean dropped;

    Link(ModuleLease<M> lease) {
      this.lease = lease;
    }

    synchronized void enter() {
      users++;
    }

    void leave() {
      synchronized (this) {
        users--;
      }
      closeUnused();
    }

    void drop() {
      synchronized (this) {
        dropped = true;
      }
      closeUnused();
    }

    private void closeUnused() {
      synchronized (this) {
        if (!dropped || users > 0) {
          return;
        }
      }
      lease.close();
    }
  }

  private final Function<String, ModuleLease<M>> leases;
  private Map<String, Link<M>> links = Map.of();
  private volatile List<Link<M>> order = List.of();

  ModuleChain(Function<String, ModuleLease<M>> leases) {
    this.leases = leases;
  }

  /**
   * Selects modules by name, in this order; whoever was selected before stays as it is, and what
   * was begun with others still ends there.
   */
  public void select(List<String> names) {
    List<Link<M>> left;
    synchronized (this) {
      Map<String, Link<M>> selected = new HashMap<>();
      List<Link<M>> inOrder = new ArrayList<>();
      for (String name : new LinkedHashSet<>(names)) {
        Link<M> link = links.get(name);
        if (link == null) {
          link = new Link<>(leases.apply(name));
        }
        selected.put(name, link);
        inOrder.add(link);
      }
      left = new ArrayList<>(links.values());
      left.removeAll(inOrder);
      links = selected;
      order = List.copyOf(inOrder);
    }
    left.forEach(Link::drop);
  }

  /** Whether no module is selected. */
  public boolean isEmpty() {
    return order.isEmpty();
  }

  /**
   * Has each module make something of what the ones before have made.
   *
   * @param first what the first module gets; the outcome where there is none
   */
  public <T> CompletionStage<T> fold(String operation, T first, Step<M, T> step) {
    List<Link<M>> present = enter();
    CompletionStage<T> stage = CompletableFuture.completedStage(first);
    for (Link<M> link : present) {
      stage =
          stage.thenCompose(
              now ->
                  link.lease
                      .ask(operation, module -> step.apply(module, now))
                      .exceptionally(
                          failure -> {
                            passOver(operation, failure);
                            return now;
                          }));
      stage = stage.whenComplete((now, failure) -> link.leave());
    }
    return stage;
  }

  /** Tells every module. */
  public void tell(String operation, ModuleLease.Action<M> action) {
    for (Link<M> link : enter()) {
      link.lease
          .tell(operation, action)
          .whenComplete(
              (told, failure) -> {
                if (failure != null) {
                  passOver(operation, failure);
                }
                link.leave();
              });
    }
  }

  private synchronized List<Link<M>> enter() {
    order.forEach(Link::enter);
    return order;
  }

  private static void passOver(String operation, Throwable failure) {
    if (!ModuleException.isAbsence(failure)) {
      LOG.warn("A module gave nothing in {} and is passed over", operation, failure);
    }
  }

  @Override
  public void close() {
    List<Link<M>> all;
    synchronized (this) {
      all = order;
      order = List.of();
      links = Map.of();
    }
    all.forEach(link -> link.lease.close());
  }
}
