package org.mezzo.daemon.border;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleLease;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells whether a principal may do something. Without {@code --acls} everybody may do everything;
 * with it the leased authorizer decides, and where it is absent, late or failing the answer is no.
 * Safe for any thread.
 */
public final class Authorization implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Authorization.class);
  private static final CompletionStage<Boolean> YES = CompletableFuture.completedFuture(true);

  /** Decides, where anybody is asked. */
  @FunctionalInterface
  public interface Decision {
    /** Completes on any thread, never exceptionally. */
    CompletionStage<Boolean> allowed(
        Optional<Principal> subject, Action action, Optional<String> object);
  }

  /** Present only with {@code --acls}. */
  private final Optional<Decision> decision;

  private final Runnable close;

  private Authorization(Optional<Decision> decision, Runnable close) {
    this.decision = decision;
    this.close = close;
  }

  /** Allows everything. */
  public static Authorization none() {
    return new Authorization(Optional.empty(), () -> {});
  }

  /** Asks this for everything. */
  public static Authorization by(Decision decision) {
    return new Authorization(Optional.of(decision), () -> {});
  }

  /**
   * Asks a module for everything.
   *
   * @param authorizer its name; absent allows everything
   * @param workers where answers that needed the module arrive: on their lane for answers
   */
  public static Authorization of(
      Optional<String> authorizer, DaemonModules modules, Workers workers) {
    if (authorizer.isEmpty()) {
      return none();
    }
    String name = authorizer.get();
    ModuleLease<Authorizer> lease = modules.lease(Kinds.AUTHORIZER, name, workers.answers());
    return new Authorization(
        Optional.of((subject, action, object) -> ask(lease, subject, action, object)),
        lease::close);
  }

  private static CompletionStage<Boolean> ask(
      ModuleLease<Authorizer> lease,
      Optional<Principal> subject,
      Action action,
      Optional<String> object) {
    var request = new Authorizer.Request(subject, action, object);
    return lease
        .ask("authorize", module -> module.authorize(request))
        .exceptionally(
            failure -> {
              LOG.warn("The authorizer of --acls gave no answer: {} is refused", action, failure);
              return false;
            });
  }

  /** Whether anybody is asked at all. */
  public boolean demanded() {
    return decision.isPresent();
  }

  /**
   * Asks.
   *
   * @param object what the action is about; empty for anything
   * @return already complete when nobody is asked; else completes on a worker; never exceptionally
   */
  public CompletionStage<Boolean> allowed(
      Optional<Principal> subject, Action action, Optional<String> object) {
    return decision.map(it -> it.allowed(subject, action, object)).orElse(YES);
  }

  @Override
  public void close() {
    close.run();
  }
}
