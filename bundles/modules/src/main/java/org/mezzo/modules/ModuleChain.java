package org.mezzo.modules;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.mezzo.api.Module;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The modules of one kind that a daemon uses, in the order in which they are selected, which may be
 * changed at any time. Safe for any thread.
 */
public final class ModuleChain<M extends Module> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleChain.class);

  /** A module may take so long to open before it is used though it has not. */
  private static final long OPENING_SECONDS = 30;

  /** What one module makes of what those before it have made, on a thread of its lease. */
  @FunctionalInterface
  public interface Step<M, T> {
    T apply(M module, T now) throws Exception;
  }

  /** One module of the chain; its lease ends when it is not selected and nobody uses it. */
  public static final class Member<M extends Module> {
    private final String name;
    private final ModuleLease<M> lease;
    private final CompletableFuture<Void> opened;
    private int users;
    private boolean dropped;

    private Member(String name, ModuleLease<M> lease, CompletableFuture<Void> opened) {
      this.name = name;
      this.lease = lease;
      this.opened = opened;
    }

    /** As it is selected. */
    public String name() {
      return name;
    }

    /** Valid as long as it is used. */
    public ModuleLease<M> lease() {
      return lease;
    }

    private synchronized void enter() {
      users++;
    }

    private void leave() {
      boolean over;
      synchronized (this) {
        users--;
        over = dropped && users == 0;
      }
      if (over) {
        lease.close();
      }
    }

    private void drop() {
      boolean over;
      synchronized (this) {
        over = !dropped && users == 0;
        dropped = true;
      }
      if (over) {
        lease.close();
      }
    }
  }

  /** The modules as they were selected at one moment, which stay leased until this is closed. */
  public static final class Selection<M extends Module> implements AutoCloseable {
    private final List<Member<M>> members;
    private boolean closed;

    private Selection(List<Member<M>> members) {
      this.members = members;
    }

    /** In the order of their selection. */
    public List<Member<M>> members() {
      return members;
    }

    /** They are not used any more by whoever got this. */
    @Override
    public void close() {
      synchronized (this) {
        if (closed) {
          return;
        }
        closed = true;
      }
      members.forEach(Member::leave);
    }
  }

  private final BiFunction<String, CompletableFuture<Void>, ModuleLease<M>> leases;
  private List<Member<M>> present;
  private List<Member<M>> next = List.of();

  /**
   * Leases modules.
   *
   * @param leases leases one by name, and completes the future when it is open or cannot be waited
   *     for
   */
  ModuleChain(
      List<String> names, BiFunction<String, CompletableFuture<Void>, ModuleLease<M>> leases) {
    this.leases = leases;
    present = new LinkedHashSet<>(names).stream().map(this::member).toList();
  }

  private Member<M> member(String name) {
    CompletableFuture<Void> opened = new CompletableFuture<>();
    return new Member<>(name, leases.apply(name, opened), opened);
  }

  /**
   * Selects modules by name, in this order, from when those that are new have opened. Whoever was
   * selected before stays as it is, and what was begun with others ends there.
   */
  public void select(List<String> names) {
    List<Member<M>> wanted = new ArrayList<>();
    List<Member<M>> superseded;
    synchronized (this) {
      Map<String, Member<M>> known = new LinkedHashMap<>();
      Stream.concat(next.stream(), present.stream()).forEach(it -> known.put(it.name, it));
      for (String name : new LinkedHashSet<>(names)) {
        Member<M> member = known.get(name);
        wanted.add(member == null ? member(name) : member);
      }
      superseded = new ArrayList<>(next);
      superseded.removeAll(wanted);
      superseded.removeAll(present);
      next = wanted;
    }
    superseded.forEach(Member::drop);
    opened(wanted).whenComplete((opened, failure) -> use(wanted));
  }

  private static <M extends Module> CompletableFuture<Void> opened(List<Member<M>> members) {
    return CompletableFuture.allOf(
            members.stream().map(it -> it.opened).toArray(CompletableFuture[]::new))
        .completeOnTimeout(null, OPENING_SECONDS, TimeUnit.SECONDS);
  }

  /**
   * Complete when those that are selected now have opened; a module that is not installed, or takes
   * too long, is not waited for.
   */
  public CompletionStage<Void> opened() {
    List<Member<M>> members;
    synchronized (this) {
      members = present;
    }
    return opened(members);
  }

  private void use(List<Member<M>> wanted) {
    List<Member<M>> left;
    synchronized (this) {
      if (next != wanted) {
        return;
      }
      left = new ArrayList<>(present);
      left.removeAll(wanted);
      present = List.copyOf(wanted);
      next = List.of();
    }
    left.forEach(Member::drop);
  }

  /** Whether no module is selected. */
  public synchronized boolean isEmpty() {
    return present.isEmpty();
  }

  /** The modules as they are selected now; to be closed. */
  public synchronized Selection<M> now() {
    present.forEach(Member::enter);
    return new Selection<>(present);
  }

  /**
   * Has each module make something of what the ones before have made; one that is absent, late or
   * fails is passed over. Complete at once where there is none.
   *
   * @param first what the first module gets; the outcome where there is none
   */
  public <T> CompletionStage<T> fold(String operation, T first, Step<M, T> step) {
    Selection<M> selection = now();
    CompletionStage<T> stage = CompletableFuture.completedStage(first);
    for (Member<M> member : selection.members()) {
      stage =
          stage.thenCompose(
              now ->
                  member
                      .lease
                      .ask(operation, module -> step.apply(module, now))
                      .exceptionally(
                          failure -> {
                            passOver(operation, failure);
                            return now;
                          }));
    }
    return stage.whenComplete((now, failure) -> selection.close());
  }

  /** Tells every module; one that is absent, late or fails is passed over. */
  public void tell(String operation, ModuleLease.Action<M> action) {
    Selection<M> selection = now();
    CompletableFuture.allOf(
            selection.members().stream()
                .map(
                    member ->
                        member
                            .lease
                            .tell(operation, action)
                            .exceptionally(
                                failure -> {
                                  passOver(operation, failure);
                                  return null;
                                })
                            .toCompletableFuture())
                .toArray(CompletableFuture[]::new))
        .whenComplete((told, failure) -> selection.close());
  }

  private static void passOver(String operation, Throwable failure) {
    if (!ModuleException.isAbsence(failure)) {
      LOG.warn("A module gave nothing in {} and is passed over", operation, failure);
    }
  }

  /** Ends every lease, also of what is used. */
  @Override
  public void close() {
    List<Member<M>> all;
    synchronized (this) {
      all = Stream.concat(present.stream(), next.stream()).distinct().toList();
      present = List.of();
      next = List.of();
    }
    all.forEach(member -> member.lease.close());
  }
}
