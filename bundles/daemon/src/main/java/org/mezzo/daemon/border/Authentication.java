package org.mezzo.daemon.border;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/** Tells at the border of a daemon whether a request may pass, and as whom. */
@FunctionalInterface
public interface Authentication {

  /** Lets everybody pass unnamed: what a daemon does whose flags demand nothing. */
  Authentication NONE =
      (exchange, access) -> CompletableFuture.completedFuture(Verdict.pass(Optional.empty()));

  /**
   * Looks at a request's head. Does not block.
   *
   * @return completes on any thread, never exceptionally
   */
  CompletionStage<Verdict> authenticate(HttpExchange exchange, Access access);

  /**
   * What is to be done with the request.
   *
   * @param principal who it is from; empty when it was not asked, or refused
   * @param refusal the answer to give instead of passing it on
   */
  record Verdict(Optional<Principal> principal, Optional<HttpResponse> refusal) {
    public static Verdict pass(Optional<Principal> principal) {
      return new Verdict(principal, Optional.empty());
    }

    public static Verdict refuse(HttpResponse answer) {
      return new Verdict(Optional.empty(), Optional.of(answer));
    }
  }
}
