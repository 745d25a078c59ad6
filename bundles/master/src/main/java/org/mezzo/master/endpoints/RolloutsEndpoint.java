package org.mezzo.master.endpoints;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.flags.FlagValues;
import org.mezzo.http.BodyTooLargeException;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.rollouts.Rollout;
import org.mezzo.master.rollouts.Rollouts;
import org.mezzo.master.rollouts.Selector;
import org.mezzo.master.rollouts.UploadedJar;

/** {@code /mezzo/rollouts}: module bundles of the whole cluster. Mezzo's own. */
final class RolloutsEndpoint implements ApiEndpoint {
  static final String PATH = "/mezzo/rollouts";

  private static final int MOST_AT_ONCE = 100_000;
  private static final Duration LONGEST = Duration.ofDays(1);

  private final RolloutRequests requests;
  private final LeaderGate gate;
  private final Executor answers;

  /**
   * The endpoint of one master.
   *
   * @param answers where jars are looked at, and answers made
   */
  RolloutsEndpoint(RolloutRequests requests, LeaderGate gate, Executor answers) {
    this.requests = requests;
    this.gate = gate;
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("GET", "POST"),
        Access.READWRITE,
        Permission.perObject(Action.VIEW_MODULES, Action.CHANGE_MODULES),
        Help.of(
                "Which module bundles the cluster wants on its agents and masters, and how far they"
                    + " are there.",
                "GET answers with the generation that is wanted, the one before, the last rollout"
                    + " and what each agent and master says. POST takes a jar of at most %d bytes in the body and begins to bring it to all daemons that it is for, some at a time; those that do worse with it stop the rollout, and all go back. Without a body 'remove' names a bundle that is wanted no more. It answers as GET does, as soon as the rollout has begun."
                        .formatted(Rollouts.MAX_JAR_BYTES))
            .with("batch", "how many hosts at a time, 1 by default")
            .with(
                "pause",
                "how long the hosts of a batch have to be well before the next one, such as 30secs;"
                    + " 5secs by default")
            .with("patience", "after how long a host has failed that is not well; 1mins by default")
            .with(
                "more_failures",
                "how many of a hundred tasks more may fail on hosts that were changed than twice"
                    + " what is usual; 10 by default, 100 when it does not matter")
            .with(
                "selector",
                "for agents with these attributes only, ATTRIBUTE=VALUE separated by commas;"
                    + " region=NAME for those of a region; role=master for masters, role=any for"
                    + " both")
            .with("sha256", "what the jar must have, in hexadecimal digits; any without it")
            .with("remove", "the symbolic name of a bundle to be taken away"));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    Optional<HttpResponse> stopped = gate.check(exchange);
    if (stopped.isPresent()) {
      exchange.respond(stopped.get());
      return;
    }
    if (exchange.method().equals("GET")) {
      answer(
          exchange,
          requests.ask(
              principal, Action.VIEW_MODULES, rollouts -> CompletableFuture.completedFuture(null)));
      return;
    }
    Map<String, String> query = exchange.query();
    Rollout.Pace pace = pace(query);
    Selector selector = selector(query);
    String who = RolloutRequests.name(principal);
    String removed = query.getOrDefault("remove", "");
    if (!removed.isEmpty()) {
      answer(
          exchange,
          requests.ask(
              principal, Action.CHANGE_MODULES, rollouts -> rollouts.remove(removed, pace, who)));
      return;
    }
    Router.when(
        exchange,
        requests
            .permitted(principal, Action.CHANGE_MODULES)
            .thenCompose(permitted -> body(exchange)),
        answers,
        body -> {
          UploadedJar jar = jar(body, query.getOrDefault("sha256", ""));
          answer(
              exchange,
              requests.ask(
                  principal,
                  Action.CHANGE_MODULES,
                  rollouts -> rollouts.roll(jar, selector, pace, who)));
        });
  }

  private void answer(HttpExchange exchange, CompletionStage<Rollouts.Report> stage) {
    Router.when(
        exchange,
        stage,
        answers,
        report -> CommonEndpoints.respondJson(exchange, json -> RolloutJson.write(report, json)));
  }

  private static CompletionStage<byte[]> body(HttpExchange exchange) {
    return exchange
        .body(Rollouts.MAX_JAR_BYTES)
        .handle(
            (body, failure) -> {
              if (failure == null) {
                return body;
              }
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              throw new CompletionException(
                  cause instanceof BodyTooLargeException
                      ? new Refused(
                          413,
                          "A jar may have at most %d bytes to be kept for the cluster"
                              .formatted(Rollouts.MAX_JAR_BYTES))
                      : new Refused(400, String.valueOf(cause.getMessage())));
            });
  }

  private static UploadedJar jar(byte[] body, String wanted) throws Refused {
    UploadedJar jar;
    try {
      jar = UploadedJar.read(body);
    } catch (IllegalArgumentException e) {
      throw new Refused(400, e.getMessage());
    }
    if (!wanted.isEmpty() && !wanted.equalsIgnoreCase(jar.sha256())) {
      throw new Refused(
          400,
          "Query parameter 'sha256' is '%s', but the jar that came has %s: send it again"
              .formatted(wanted, jar.sha256()));
    }
    return jar;
  }

  private static Selector selector(Map<String, String> query) throws Refused {
    try {
      return Selector.parse(query.getOrDefault("selector", ""));
    } catch (IllegalArgumentException e) {
      throw new Refused(400, "Query parameter 'selector': " + e.getMessage());
    }
  }

  private static Rollout.Pace pace(Map<String, String> query) throws Refused {
    int hosts = number(query, "batch", 1, 1, MOST_AT_ONCE);
    Duration patience = duration(query, "patience", "1mins");
    if (patience.isZero()) {
      throw new Refused(
          400, "Query parameter 'patience' is nothing: give hosts some time, such as 1mins");
    }
    return new Rollout.Pace(
        hosts,
        duration(query, "pause", "5secs"),
        patience,
        number(query, "more_failures", Rollout.Pace.MORE_FAILURES, 0, 100));
  }

  private static int number(
      Map<String, String> query, String name, int otherwise, int least, int most) throws Refused {
    String text = query.getOrDefault(name, Integer.toString(otherwise));
    try {
      int number = Integer.parseInt(text);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below, as of one that is out of bounds.
    }
    throw new Refused(
        400,
        "Query parameter '%s' is '%s': give a number from %d to %d"
            .formatted(name, text, least, most));
  }

  private static Duration duration(Map<String, String> query, String name, String otherwise)
      throws Refused {
    String text = query.getOrDefault(name, otherwise);
    try {
      Duration duration = FlagValues.duration(text);
      if (duration.isNegative() || duration.compareTo(LONGEST) > 0) {
        throw new IllegalArgumentException("it is not between nothing and a day");
      }
      return duration;
    } catch (IllegalArgumentException e) {
      throw new Refused(
          400,
          "Query parameter '%s' is '%s': %s; write 10secs, for example"
              .formatted(name, text, e.getMessage()));
    }
  }
}
