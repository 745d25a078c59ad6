package org.mezzo.master.scheduler;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.Metrics;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.Ids;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.transitions.Subscribing;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * SUBSCRIBE: answered with the stream of the framework's events (rules 22 to 35). A role that it
 * may not have is told of by an ERROR event on the stream.
 */
final class Subscribe implements ApiCall<Call> {
  private final Leadership leadership;
  private final Registrations registrations;
  private final Optional<RootAccounts> roots;
  private final Metrics metrics;
  private final Executor answers;

  /**
   * The call.
   *
   * @param roots knows who is root where root may not submit; empty: it may
   * @param answers where streams are opened; never where state is read, which takes long
   */
  Subscribe(
      Leadership leadership,
      Registrations registrations,
      Optional<RootAccounts> roots,
      Metrics metrics,
      Executor answers) {
    this.leadership = leadership;
    this.registrations = registrations;
    this.roots = roots;
    this.metrics = metrics;
    this.answers = answers;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.SUBSCRIBE,
            Permission.perObject(Action.REGISTER_FRAMEWORK),
            "Registers a framework, or reconnects it, and streams its events.")
        .carrying("subscribe");
  }

  @Override
  public Optional<String> problem(Call call) {
    return Registrations.sameId(
            call.hasFrameworkId(), call.getFrameworkId(), call.getSubscribe().getFrameworkInfo())
        ? Optional.empty()
        : Optional.of("'framework_id' differs from 'subscribe.framework_info.id'");
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    if (exchange.header(SchedulerApi.STREAM_ID).isPresent()) {
      throw new Refused(
          400, "Subscribe calls should not include the '" + SchedulerApi.STREAM_ID + "' header");
    }
    FrameworkInfo given = call.getSubscribe().getFrameworkInfo();
    Optional<String> wrong = Registrations.principalProblem(exchange, given);
    if (wrong.isPresent()) {
      throw new Refused(400, wrong.get());
    }
    Subscribing request =
        registrations.read(
            exchange,
            given,
            call.getSubscribe().getSuppressedRolesList(),
            call.getSubscribe().getOfferConstraints());
    metrics
        .counter(
            given.hasId()
                ? "master/messages_reregister_framework"
                : "master/messages_register_framework")
        .increment();
    record Judged(Subscribing request, Optional<String> refusal) {}
    exchange.when(
        withRoot(request).thenCombine(registrations.refusal(exchange, request), Judged::new),
        answers,
        judged -> open(exchange, judged.request, judged.refusal));
  }

  private void open(CallExchange exchange, Subscribing request, Optional<String> refusal) {
    String streamId = Ids.random();
    EventStream<Event> stream =
        exchange.<Event>stream(Map.of(SchedulerApi.STREAM_ID, streamId), EventStream.DEFAULT_BOUND)
            .countCut(metrics.counter("master/event_streams_cut"));
    leadership.withTerm(term -> term.subscribe(streamId, stream, request, refusal), stream::abort);
  }

  /** What a framework says, with what the name service knows of its user where that counts. */
  private CompletionStage<Subscribing> withRoot(Subscribing request) {
    String user = request.info().getUser();
    return roots.isEmpty()
        ? CompletableFuture.completedFuture(request)
        : roots
            .get()
            .among(Set.of(user))
            .thenApply(root -> root.contains(user) ? request.asRoot() : request);
  }
}
