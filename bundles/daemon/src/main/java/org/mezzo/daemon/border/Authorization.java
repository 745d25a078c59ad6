package org.mezzo.daemon.border;

import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.Loan;
import org.mezzo.modules.ModuleLease;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells whether a principal may do something. Without {@code --acls} everybody may do everything;
 * with it the leased authorizer is asked for an approver, once for all that is to be decided at a
 * time, and where the authorizer is absent, late or failing nothing is approved. Safe for any
 * thread.
 *
 * <p>Approvers are code of a module and run where their use runs, so that is never an event loop.
 * One that does not return within a few seconds loses its authorizer the lease, its thread is
 * replaced, and what was to be decided is decided as if nothing was approved.
 */
public final class Authorization implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Authorization.class);

  /** Gives approvers, where anybody is asked. */
  @FunctionalInterface
  public interface Source {
    /**
     * What the subject may do of these actions.
     *
     * @return completes on any thread; a failure approves nothing
     */
    CompletionStage<ObjectApprovers> approvers(Optional<Principal> subject, Set<Action> actions);
  }

  /**
   * What is decided or made with approvers, which are good for nothing when it has returned. It may
   * be begun again, with approvers that approve nothing, while an approver keeps the first thread.
   */
  @FunctionalInterface
  public interface Use<R> {
    R with(ObjectApprovers approvers) throws Exception;
  }

  /** Present only with {@code --acls}. */
  private final Optional<Source> source;

  private final Executor answers;

  /** Present where a module is asked. */
  private final Optional<ModuleLease<Authorizer>> lease;

  private Authorization(
      Optional<Source> source, Executor answers, Optional<ModuleLease<Authorizer>> lease) {
    this.source = source;
    this.answers = answers;
    this.lease = lease;
  }

  /** Allows everything. */
  public static Authorization none() {
    return new Authorization(Optional.empty(), Runnable::run, Optional.empty());
  }

  /** Asks this for everything, and decides where it answers. */
  public static Authorization by(Source source) {
    return new Authorization(Optional.of(source), Runnable::run, Optional.empty());
  }

  /**
   * Asks a module for everything.
   *
   * @param authorizer its name; absent allows everything
   * @param workers where it is decided what is decided at once: on their lane for answers
   */
  public static Authorization of(
      Optional<String> authorizer, DaemonModules modules, Workers workers) {
    if (authorizer.isEmpty()) {
      return none();
    }
    // Whoever asked says where it goes on, so replies need no thread of their own.
    ModuleLease<Authorizer> lease =
        modules.lease(Kinds.AUTHORIZER, authorizer.get(), Runnable::run);
    Source source =
        (subject, actions) ->
            workers.isSpent()
                ? spent()
                : lease
                    .borrow("approver", module -> module.approver(subject, actions))
                    .thenApply(loan -> ObjectApprovers.of(actions, loan));
    return new Authorization(Optional.of(source), workers.answers(), Optional.of(lease));
  }

  /** Approvers keep so many threads that no further one is risked. */
  private static CompletionStage<ObjectApprovers> spent() {
    return CompletableFuture.failedStage(
        new RejectedExecutionException(
            "approvers do not return on as many threads as are replaced; restart this host when you"
                + " have replaced the authorizer"));
  }

  /** Has another module asked from when it has opened; where nobody is asked, nobody is. */
  public void select(String authorizer) {
    lease.ifPresent(it -> it.select(authorizer));
  }

  /** Whether anybody is asked at all. */
  public boolean demanded() {
    return source.isPresent();
  }

  /**
   * Decides something that is short.
   *
   * @param actions all that is asked about
   * @return already complete when nobody is asked; else completes where answers are given, with a
   *     {@link CompletionException} around what the use threw
   */
  public <R> CompletionStage<R> decide(
      Optional<Principal> subject, Collection<Action> actions, Use<R> use) {
    return with(subject, actions, demanded() ? answers : Runnable::run, use);
  }

  /**
   * Makes something, or decides what takes long.
   *
   * @param actions all that is asked about
   * @param executor where it is made, never an event loop
   * @return completes there, with a {@link CompletionException} around what the use threw, or
   *     around the rejection when the executor takes nothing more
   */
  public <R> CompletionStage<R> with(
      Optional<Principal> subject, Collection<Action> actions, Executor executor, Use<R> use) {
    CompletableFuture<R> result = new CompletableFuture<>();
    approvers(subject, actions)
        .thenAccept(
            approvers -> {
              try {
                executor.execute(
                    () -> {
                      approvers.watchedBy(new Lateness<>(use, executor, result));
                      use(approvers, use, result);
                    });
              } catch (RuntimeException rejected) {
                approvers.close();
                result.completeExceptionally(new CompletionException(rejected));
              }
            });
    return result;
  }

  /**
   * What becomes of a request whose approver does not return: its lane gets another thread, on
   * which the request is decided as if nothing was approved. The thread that is stuck does nothing
   * more for it when it comes back. Made on the thread that may be stuck.
   */
  private static final class Lateness<R> implements Loan.Stuck {
    private final Workers.Replacing lane = Workers.ofThisThread();
    private final Use<R> use;
    private final Executor executor;
    private final CompletableFuture<R> result;

    Lateness(Use<R> use, Executor executor, CompletableFuture<R> result) {
      this.use = use;
      this.executor = executor;
      this.result = result;
    }

    @Override
    public void lost() {
      lane.lost();
      try {
        executor.execute(() -> use(ObjectApprovers.NONE, use, result));
      } catch (RuntimeException rejected) {
        result.completeExceptionally(new CompletionException(rejected));
      }
    }

    @Override
    public void back() {
      lane.back();
    }
  }

  private static <R> void use(ObjectApprovers approvers, Use<R> use, CompletableFuture<R> result) {
    R made;
    try (approvers) {
      made = use.with(approvers);
    } catch (CancellationException e) {
      if (!approvers.isGone()) {
        result.completeExceptionally(new CompletionException(e));
      }
      return;
    } catch (Exception | Error e) {
      result.completeExceptionally(new CompletionException(e));
      return;
    }
    result.complete(made);
  }

  private CompletionStage<ObjectApprovers> approvers(
      Optional<Principal> subject, Collection<Action> actions) {
    if (source.isEmpty()) {
      return CompletableFuture.completedStage(ObjectApprovers.ALL);
    }
    if (actions.isEmpty()) {
      return CompletableFuture.completedStage(ObjectApprovers.NONE);
    }
    Set<Action> asked = Collections.unmodifiableSet(EnumSet.copyOf(actions));
    return source
        .get()
        .approvers(subject, asked)
        .exceptionally(
            failure -> {
              LOG.warn("The authorizer of --acls gave no answer: {} is refused", asked, failure);
              return ObjectApprovers.NONE;
            });
  }

  @Override
  public void close() {
    lease.ifPresent(ModuleLease::close);
  }
}
