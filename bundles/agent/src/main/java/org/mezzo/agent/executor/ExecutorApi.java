package org.mezzo.agent.executor;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tokens.ExecutorTokens;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.CallApi;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.protocol.v1.executor.Call;

/**
 * The executor API of an agent (rules 186 to 192): what executors that frameworks bring along call
 * to learn what to do and to tell what becomes of it. Safe for any thread.
 */
public final class ExecutorApi {
  /** Rule 192. */
  static final Duration HEARTBEAT = Duration.ofMinutes(30);

  static final Permission<Call> PERMISSION =
      Permission.none("an executor speaks for itself; by its token, if one is demanded");

  /** Asks the tasks of an agent something that only its loop knows. */
  @FunctionalInterface
  interface Question {
    AgentTasks.Answer ask(AgentTasks tasks);
  }

  private final AgentTasks tasks;
  private final EventLoop loop;
  private final Workers workers;

  private ExecutorApi(AgentTasks tasks, EventLoop loop, Workers workers) {
    this.tasks = tasks;
    this.loop = loop;
    this.workers = workers;
  }

  /**
   * The API of one agent.
   *
   * @param loop the owner of the tasks
   * @param workers where answers are encoded and written
   */
  public static CallApi<Call> of(
      AgentTasks tasks,
      EventLoop loop,
      Workers workers,
      Authorization authorization,
      MetricsRegistry metrics) {
    ExecutorApi api = new ExecutorApi(tasks, loop, workers);
    CallTable<Call> table =
        new CallTable<>(
            Call.getDefaultInstance(),
            authorization,
            workers,
            metrics,
            "slave/mezzo/calls/executor",
            List.of(
                new Subscribe(api, metrics.counter("slave/mezzo/executor_streams_cut")),
                new Update(api, metrics.counter("slave/invalid_status_updates")),
                new Message(api),
                new Heartbeat()));
    return new CallApi<>(
        new EndpointDeclaration(
            "/api/v1/executor",
            Access.EXECUTOR,
            CallApi.PERMISSION,
            Help.of(
                "The executor API.",
                "Takes calls of executors by POST, in JSON or protobuf. SUBSCRIBE is answered with"
                    + " a stream of events.")),
        new CallEndpoint<>(Call.getDefaultInstance(), "Executor::Call", workers, table::handle)
            .validate(table::problem)
            .acceptWhen(call -> call.getType() == Call.Type.SUBSCRIBE),
        table);
  }

  EventLoop loop() {
    return loop;
  }

  AgentTasks tasks() {
    return tasks;
  }

  /** Refuses a call whose token is of another executor (rule 187). */
  static void check(Call call, CallExchange exchange) throws Refused {
    if (exchange.principal().isPresent()) {
      Map<String, String> claims = exchange.principal().get().claims();
      if (!call.getFrameworkId().getValue().equals(claims.get(ExecutorTokens.FRAMEWORK))
          || !call.getExecutorId().getValue().equals(claims.get(ExecutorTokens.EXECUTOR))) {
        throw foreign(call);
      }
    }
  }

  private static Refused foreign(Call call) {
    return new Refused(
        403,
        "The token is not that of executor '"
            + call.getExecutorId().getValue()
            + "' of framework "
            + call.getFrameworkId().getValue());
  }

  private boolean own(Call call, CallExchange exchange) {
    return exchange
        .principal()
        .map(
            principal ->
                tasks.in(
                    principal.claims().getOrDefault(ExecutorTokens.CONTAINER, ""),
                    call.getFrameworkId(),
                    call.getExecutorId()))
        .orElse(true);
  }

  /**
   * Goes on, on a worker, when a question is answered; refuses whoever is not served (rule 186).
   */
  void when(Call call, CallExchange exchange, Question question, Runnable then) throws Refused {
    check(call, exchange);
    exchange.when(
        CompletableFuture.supplyAsync(
            () -> own(call, exchange) ? Optional.of(question.ask(tasks)) : Optional.empty(), loop),
        workers.answers(),
        (Optional<AgentTasks.Answer> answer) -> {
          switch (answer.orElseThrow(() -> foreign(call))) {
            case TAKEN -> then.run();
            case NO_FRAMEWORK -> throw new Refused(400, "Framework cannot be found");
            case NO_EXECUTOR -> throw new Refused(400, "Executor cannot be found");
            case NOT_SUBSCRIBED -> throw new Refused(403, "Executor is not subscribed");
          }
        });
  }
}
