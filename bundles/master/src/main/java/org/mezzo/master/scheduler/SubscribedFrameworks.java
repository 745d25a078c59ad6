package org.mezzo.master.scheduler;

import java.util.Optional;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.election.MasterTerm;
import org.mezzo.master.state.Framework;
import org.mezzo.master.transitions.Step;
import org.mezzo.protocol.v1.scheduler.Call;

/**
 * The way of all calls but SUBSCRIBE to the event loop: who calls is checked there in the order of
 * rule 37, and what the call does is one step. Safe for any thread.
 */
final class SubscribedFrameworks {
  private final Leadership leadership;

  SubscribedFrameworks(Leadership leadership) {
    this.leadership = leadership;
  }

  /** What is done on the event loop with a call of a framework that is connected by its stream. */
  @FunctionalInterface
  interface Connected {
    void accept(MasterTerm term, Framework framework);
  }

  /** Does a step for whoever may call, then answers 202. */
  void step(Call call, CallExchange exchange, Step step) {
    with(
        call,
        exchange,
        (term, framework) -> {
          term.frameworkMetrics()
              .ifPresent(
                  it -> term.state().ifPresent(state -> it.beginning(state, framework, call)));
          term.run(
              tx -> {
                step.apply(tx);
                tx.answer(exchange::accepted);
              });
        });
  }

  /** Goes on on the event loop if the caller may call; answers otherwise. */
  void with(Call call, CallExchange exchange, Connected action) {
    leadership.withTerm(
        term -> {
          String id = call.getFrameworkId().getValue();
          Framework framework = term.state().map(state -> state.frameworks().get(id)).orElse(null);
          if (framework == null) {
            exchange.reject(400, "Framework cannot be found");
            return;
          }
          term.frameworkMetrics().ifPresent(it -> it.called(framework, call.getType()));
          Optional<String> principal = exchange.principalName();
          if (principal.isPresent() && !principal.equals(framework.principal())) {
            exchange.reject(
                400,
                "Authenticated principal '"
                    + principal.get()
                    + "' does not match principal '"
                    + framework.principal().orElse("")
                    + "' set in `FrameworkInfo`");
            return;
          }
          if (!framework.connected()) {
            exchange.reject(403, "Framework is not subscribed");
            return;
          }
          Optional<String> streamId = exchange.header(SchedulerApi.STREAM_ID);
          if (streamId.isEmpty()) {
            exchange.reject(
                400,
                "All non-subscribe calls should include the '"
                    + SchedulerApi.STREAM_ID
                    + "' header");
            return;
          }
          if (!streamId.get().equals(framework.streamId())) {
            exchange.reject(
                400,
                "The stream ID '"
                    + streamId.get()
                    + "' included in this request didn't match the stream ID currently associated"
                    + " with framework ID "
                    + id);
            return;
          }
          try {
            action.accept(term, framework);
          } catch (RuntimeException e) {
            exchange.reject(500, "The call failed: " + e);
            throw e;
          }
        },
        () -> exchange.reject(503, "No leader elected"));
  }
}
