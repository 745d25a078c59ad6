package org.mezzo.master.scheduler;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.mezzo.api.Metrics;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Endpoint;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.constraints.RegexLimits;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.election.MasterTerm;
import org.mezzo.master.state.Framework;
import org.mezzo.master.transitions.Accepted;
import org.mezzo.master.transitions.Frameworks;
import org.mezzo.master.transitions.Launches;
import org.mezzo.master.transitions.Offers;
import org.mezzo.master.transitions.Statuses;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Subscribing;
import org.mezzo.master.transitions.Tasks;
import org.mezzo.master.transitions.Transition;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/**
 * {@code /api/v1/scheduler}. Everything that needs no state is done on the thread of the call; the
 * rest is one step on the event loop, after which the call is answered (rules 22 to 43).
 */
public final class SchedulerApi {
  private static final String STREAM_ID = "Mesos-Stream-Id";

  private final Leadership leadership;
  private final Authorization authorization;
  private final Metrics metrics;
  private final Supplier<String> ids;
  private final Optional<RootAccounts> roots;
  private final Workers workers;
  private final RegexLimits limits;

  /**
   * The API of one master.
   *
   * @param limits of regular expressions in offer constraints
   * @param ids makes ids of streams
   * @param roots knows who is root where root may not submit; empty: it may
   */
  public SchedulerApi(
      Leadership leadership,
      Authorization authorization,
      Metrics metrics,
      Workers workers,
      RegexLimits limits,
      Supplier<String> ids,
      Optional<RootAccounts> roots) {
    this.leadership = leadership;
    this.authorization = authorization;
    this.metrics = metrics;
    this.workers = workers;
    this.limits = limits;
    this.ids = ids;
    this.roots = roots;
  }

  /**
   * The endpoint.
   *
   * @param gate sends away whoever asks a master that does not lead, or not yet
   */
  public Endpoint endpoint(Function<HttpExchange, Optional<HttpResponse>> gate) {
    return new CallEndpoint<>(Call.getDefaultInstance(), "scheduler::Call", workers, this::handle)
        .gate(gate)
        .validate(CallValidation::problem)
        .acceptWhen(
            call ->
                call.getType() == Call.Type.SUBSCRIBE
                    || call.getType() == Call.Type.RECONCILE_OPERATIONS);
  }

  private void handle(Call call, CallExchange exchange) {
    if (call.getType() == Call.Type.SUBSCRIBE) {
      subscribe(call, exchange);
      return;
    }
    String id = call.getFrameworkId().getValue();
    switch (call.getType()) {
      case ACCEPT -> {
        if (roots.isEmpty()) {
          accept(call, exchange, Set.of());
        } else {
          roots
              .get()
              .among(Accepted.users(call.getAccept()))
              .thenAccept(root -> accept(call, exchange, root));
        }
      }
      case DECLINE ->
          step(
              call,
              exchange,
              "decline_offers",
              tx ->
                  Offers.decline(
                      tx, id, call.getDecline().getOfferIdsList(), call.getDecline().getFilters()));
      case ACKNOWLEDGE ->
          step(
              call,
              exchange,
              "status_update_acknowledgement",
              tx -> Statuses.acknowledge(tx, id, call.getAcknowledge()));
      case KILL -> step(call, exchange, "kill_task", tx -> Tasks.kill(tx, id, call.getKill()));
      case REVIVE ->
          step(
              call,
              exchange,
              "revive_offers",
              tx -> Offers.revive(tx, id, call.getRevive().getRolesList()));
      case SUPPRESS ->
          step(
              call,
              exchange,
              "suppress_offers",
              tx -> Offers.suppress(tx, id, call.getSuppress().getRolesList()));
      case RECONCILE ->
          step(
              call,
              exchange,
              "reconcile_tasks",
              tx -> Tasks.reconcile(tx, id, call.getReconcile().getTasksList()));
      case RECONCILE_OPERATIONS ->
          step(
              call,
              exchange,
              "reconcile_operations",
              tx ->
                  Tasks.reconcileOperations(
                      tx, id, call.getReconcileOperations().getOperationsList()));
      case MESSAGE ->
          step(
              call,
              exchange,
              "framework_to_executor",
              tx -> Tasks.message(tx, id, call.getMessage()));
      case SHUTDOWN -> step(call, exchange, tx -> Tasks.shutdown(tx, id, call.getShutdown()));
      case TEARDOWN -> step(call, exchange, tx -> Frameworks.remove(tx, tx.framework(id)));
      case REQUEST -> step(call, exchange, "resource_request", tx -> {});
      case ACKNOWLEDGE_OPERATION_STATUS ->
          step(
              call,
              exchange,
              "operation_status_update_acknowledgement",
              tx -> tx.count("master/invalid_operation_status_update_acknowledgements"));
      case ACCEPT_INVERSE_OFFERS, DECLINE_INVERSE_OFFERS -> step(call, exchange, tx -> {});
      case UPDATE_FRAMEWORK -> update(call, exchange);
      default ->
          withFramework(call, exchange, (term, framework) -> exchange.notServed(call.getType()));
    }
  }

  private Optional<String> principalProblem(CallExchange exchange, FrameworkInfo info) {
    Optional<String> principal = exchange.principalName();
    return principal.isPresent()
            && info.hasPrincipal()
            && !principal.get().equals(info.getPrincipal())
        ? Optional.of(
            "Authenticated principal '"
                + principal.get()
                + "' does not match principal '"
                + info.getPrincipal()
                + "' set in `FrameworkInfo`")
        : Optional.empty();
  }

  private static FrameworkInfo withPrincipal(CallExchange exchange, FrameworkInfo info) {
    return exchange.principalName().isPresent() && !info.hasPrincipal()
        ? info.toBuilder().setPrincipal(exchange.principalName().get()).build()
        : info;
  }

  private void accept(Call call, CallExchange exchange, Set<String> refusedUsers) {
    String id = call.getFrameworkId().getValue();
    Accepted accepted = Accepted.of(id, call.getAccept(), refusedUsers);
    Step accept = tx -> Launches.accept(tx, id, accepted);
    if (call.getAccept().getOperationsCount() == 0) {
      step(call, exchange, accept);
    } else {
      step(call, exchange, "launch_tasks", accept);
    }
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

  private void subscribe(Call call, CallExchange exchange) {
    if (exchange.header(STREAM_ID).isPresent()) {
      exchange.reject(400, "Subscribe calls should not include the '" + STREAM_ID + "' header");
      return;
    }
    FrameworkInfo given = call.getSubscribe().getFrameworkInfo();
    Optional<String> wrong = principalProblem(exchange, given);
    if (wrong.isPresent()) {
      exchange.reject(400, wrong.get());
      return;
    }
    Subscribing request =
        Subscribing.of(
            withPrincipal(exchange, given),
            call.getSubscribe().getSuppressedRolesList(),
            call.getSubscribe().getOfferConstraints(),
            limits);
    metrics
        .counter(
            given.hasId()
                ? "master/messages_reregister_framework"
                : "master/messages_register_framework")
        .increment();
    String streamId = ids.get();
    EventStream<Event> stream =
        exchange.<Event>stream(Map.of(STREAM_ID, streamId), EventStream.DEFAULT_BOUND)
            .countCut(metrics.counter("master/event_streams_cut"));
    withRoot(request)
        .thenCombine(
            refusal(exchange, request),
            (known, refusal) -> {
              leadership.withTerm(
                  term -> term.subscribe(streamId, stream, known, refusal), stream::abort);
              return null;
            });
  }

  /** What the authorizer has against the roles. */
  private CompletionStage<Optional<String>> refusal(CallExchange exchange, Subscribing request) {
    CompletionStage<Optional<String>> verdict = CompletableFuture.completedFuture(Optional.empty());
    if (!authorization.demanded() || request.problem().isPresent()) {
      return verdict;
    }
    for (String role : request.subscription().roles()) {
      verdict =
          verdict.thenCombine(
              authorization.allowed(
                  exchange.principal(), Action.REGISTER_FRAMEWORK, Optional.of(role)),
              (before, allowed) ->
                  before.isPresent() || allowed
                      ? before
                      : Optional.of("Not authorized to use role '" + role + "'"));
    }
    return verdict;
  }

  private void update(Call call, CallExchange exchange) {
    FrameworkInfo given = call.getUpdateFramework().getFrameworkInfo();
    Subscribing request =
        Subscribing.of(
            withPrincipal(exchange, given),
            call.getUpdateFramework().getSuppressedRolesList(),
            call.getUpdateFramework().hasOfferConstraints()
                ? call.getUpdateFramework().getOfferConstraints()
                : OfferConstraints.getDefaultInstance(),
            limits);
    refusal(exchange, request)
        .thenAccept(
            refusal ->
                withFramework(
                    call,
                    exchange,
                    (term, framework) ->
                        term.run(tx -> update(tx, framework.id(), exchange, request, refusal))));
  }

  /** What is wrong is told before what is not allowed (rule 36). */
  private void update(
      Transition tx,
      String id,
      CallExchange exchange,
      Subscribing request,
      Optional<String> refusal) {
    Optional<String> problem =
        principalProblem(exchange, request.info())
            .or(() -> Frameworks.updateProblem(tx, id, request));
    if (problem.isPresent()) {
      tx.answer(() -> exchange.reject(400, problem.get()));
    } else if (refusal.isPresent()) {
      tx.answer(() -> exchange.reject(403, refusal.get()));
    } else {
      Frameworks.update(tx, id, request);
      tx.answer(exchange::ok);
    }
  }

  /** A step of a call that has a counter of its own among the master's messages. */
  private void step(Call call, CallExchange exchange, String name, Step step) {
    step(
        call,
        exchange,
        tx -> {
          tx.count("master/messages_" + name);
          step.apply(tx);
        });
  }

  private void step(Call call, CallExchange exchange, Step step) {
    withFramework(
        call,
        exchange,
        (term, framework) -> {
          term.frameworkMetrics().ifPresent(it -> it.beginning(framework, call));
          term.run(
              tx -> {
                step.apply(tx);
                tx.answer(exchange::accepted);
              });
        });
  }

  /** What is done with a call of a framework that is connected by the call's stream. */
  @FunctionalInterface
  private interface Connected {
    void accept(MasterTerm term, Framework framework);
  }

  /** Checks who calls on the loop, in the order of rule 37. */
  private void withFramework(Call call, CallExchange exchange, Connected action) {
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
          Optional<String> streamId = exchange.header(STREAM_ID);
          if (streamId.isEmpty()) {
            exchange.reject(
                400, "All non-subscribe calls should include the '" + STREAM_ID + "' header");
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
