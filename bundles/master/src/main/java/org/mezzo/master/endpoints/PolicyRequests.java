package org.mezzo.master.endpoints;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.http.BodyTooLargeException;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.policy.PolicyChanges;
import org.mezzo.master.transitions.PolicyChange;

/** Changes of weights and quotas by the endpoints of old. Safe for any thread. */
final class PolicyRequests {
  private static final int MOST_QUOTED = 200;

  private final PolicyChanges policies;
  private final Executor answers;

  /**
   * Requests of one master.
   *
   * @param answers where they are answered
   */
  PolicyRequests(PolicyChanges policies, Executor answers) {
    this.policies = policies;
    this.answers = answers;
  }

  /** Makes a change of what a client has sent. */
  @FunctionalInterface
  interface Reading {
    PolicyChange read(byte[] body) throws Refused;
  }

  /** Makes the change that a body tells of. */
  void withBody(HttpExchange exchange, Optional<Principal> principal, Reading reading) {
    Router.when(
        exchange,
        body(exchange),
        Runnable::run,
        body -> make(exchange, principal, reading.read(body)));
  }

  /** What a client has sent; fails with {@link Refused} when it cannot be read. */
  static CompletionStage<byte[]> body(HttpExchange exchange) {
    return exchange
        .body(CallEndpoint.DEFAULT_MAX_BODY_BYTES)
        .exceptionallyCompose(PolicyRequests::unread);
  }

  private static CompletableFuture<byte[]> unread(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return CompletableFuture.failedFuture(
        new CompletionException(
            new Refused(
                cause instanceof BodyTooLargeException ? 413 : 400,
                String.valueOf(cause.getMessage()))));
  }

  /** Makes a change and answers 200 without body. */
  void make(HttpExchange exchange, Optional<Principal> principal, PolicyChange change) {
    Router.when(
        exchange,
        policies.make(principal, change),
        answers,
        done -> exchange.respond(HttpResponse.status(200)));
  }

  /** The begin of a body, for texts. */
  static String quoted(byte[] body) {
    String text =
        new String(body, 0, Math.min(body.length, 4 * MOST_QUOTED), StandardCharsets.UTF_8);
    return text.length() <= MOST_QUOTED ? text : text.substring(0, MOST_QUOTED) + "...";
  }
}
