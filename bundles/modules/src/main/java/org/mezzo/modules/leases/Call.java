package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.CallContext;
import org.mezzo.api.Module;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease.Terms;

/** One call from its arrival to its reply. Guarded by the lock of its lease. */
final class Call<M extends Module, R> {

  /** What a call gives that only tells: its reply completes with null. */
  static final Object TOLD = new Object();

  /** What the result of a call is to its caller. */
  enum Answering {
    /** The answer. */
    RESULT,
    /** A stage that the answer comes with. */
    STAGE,
    /** What the caller borrows. */
    LOAN
  }

  /** What is done; the result of one that is staged is a stage. */
  @FunctionalInterface
  interface Body<M> {
    Object apply(M module) throws Exception;
  }

  /** What came of it: a result, or else what was thrown. */
  record Outcome(Object result, Thrown thrown) {}

  final String operation;
  final long epoch;
  final Optional<Duration> deadline;
  final boolean vital;
  final Answering answering;
  private final Body<M> body;
  private final CompletableFuture<R> reply;

  /** As the module sees it. */
  private final CallContext context = new CallContext();

  /** On which instance it has begun. */
  Holder<M> holder;

  /** Which thread is in the module for it; null before, after, and when that was given up. */
  Thread thread;

  /** What the module returned, where the answer comes with a stage. */
  CompletionStage<?> stage;

  /** How the stage ended, where it did so before the module's thread came back. */
  Outcome outcome;

  /** When it is late, in {@link System#nanoTime}; meaningless without a limit. */
  long lateAtNanos;

  boolean limited;

  /** When a thread was there for it, in {@link System#nanoTime}; meaningless before. */
  long beganNanos;

  /** Its thread was given up. */
  boolean abandoned;

  /** The answer was given, or nobody wants it any more. */
  private boolean answered;

  Call(Terms terms, Optional<Duration> usual, Answering answering, Body<M> body) {
    this.operation = terms.operation();
    this.epoch = terms.epoch();
    this.deadline = terms.deadline().or(() -> usual);
    this.vital = terms.isVital();
    this.answering = answering;
    this.body = body;
    this.reply = new CompletableFuture<>();
  }

  CompletableFuture<R> reply() {
    return reply;
  }

  Object run(M module) throws Exception {
    return context.call(() -> body.apply(module));
  }

  /** Tells the module that nobody waits; runs code of the module. */
  void cancel(Optional<CompletionStage<?>> begun) {
    context.cancel();
    begun.ifPresent(it -> it.toCompletableFuture().cancel(true));
  }

  boolean isAnswered() {
    return answered;
  }

  /** Nobody waits for it any more. */
  void unwanted() {
    answered = true;
  }

  /** The answer to post, once; empty when there was one. */
  @SuppressWarnings("unchecked")
  Optional<Runnable> answer(Object result) {
    return once(
        () -> {
          if (!reply.complete(result == TOLD ? null : (R) result)
              && result instanceof Lent<?, ?> unwanted) {
            unwanted.close();
          }
        });
  }

  Optional<Runnable> refuse(ModuleException.Kind kind, String message, Throwable cause) {
    return once(() -> reply.completeExceptionally(new ModuleException(kind, message, cause)));
  }

  private Optional<Runnable> once(Runnable action) {
    if (answered) {
      return Optional.empty();
    }
    answered = true;
    return Optional.of(action);
  }
}
