package org.mezzo.master.endpoints;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;

/**
 * {@code /mezzo/agents/<agent id>/files/...}: the files of an agent for those who cannot reach it.
 * Mezzo's own. Who asks has to have leave of both: the master asks its authorizer about what it
 * knows of the path, then the agent gets the caller's own credentials and decides as if it had been
 * asked directly.
 */
final class AgentFilesEndpoint implements ApiEndpoint {
  private static final String PATH = "/mezzo/agents";
  private static final Pattern WANTED =
      Pattern.compile(".*?/mezzo/agents/([^/]+)/files/(browse|read|download)/*");

  /** As agents name sandboxes, in full and for short. */
  private static final Pattern SANDBOX =
      Pattern.compile(".*?/frameworks/([^/]+)/executors/([^/]+)/runs(?:/.*)?");

  private static final Pattern LOG = Pattern.compile("/slave/log/*");
  private static final List<String> PARAMETERS = List.of("path", "offset", "length", "jsonp");

  private final ClusterView cluster;
  private final Authorization authorization;
  private final AgentRelay relay;
  private final LeaderGate gate;
  private final Executor answers;

  /**
   * The endpoint of one master.
   *
   * @param answers where agents are asked
   */
  AgentFilesEndpoint(
      ClusterView cluster,
      Authorization authorization,
      AgentRelay relay,
      LeaderGate gate,
      Executor answers) {
    this.cluster = cluster;
    this.authorization = authorization;
    this.relay = relay;
    this.gate = gate;
    this.answers = answers;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("GET"),
        Access.READONLY,
        Permission.perObject(Action.ACCESS_SANDBOX, Action.ACCESS_MESOS_LOG),
        Help.of(
                "Files of an agent, by way of the master.",
                "/mezzo/agents/AGENT_ID/files/browse, .../read and .../download answer what"
                    + " /files/browse, /files/read and /files/download of that agent answer. The"
                    + " agent gets the credentials of the request and decides by them, too.")
            .with("path", "the virtual path on the agent; needed")
            .with("offset", "of read: where to begin, in bytes")
            .with("length", "of read: how many bytes to read at most")
            .with("jsonp", CommonEndpoints.JSONP));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    Optional<HttpResponse> stopped = gate.check(exchange);
    if (stopped.isPresent()) {
      exchange.respond(stopped.get());
      return;
    }
    Matcher wanted = WANTED.matcher(exchange.path());
    if (!wanted.matches()) {
      throw new Refused(
          404, "Ask for /mezzo/agents/AGENT_ID/files/browse, .../files/read or .../files/download");
    }
    String path = exchange.query().getOrDefault("path", "");
    if (path.isEmpty()) {
      throw new Refused(400, "Expecting 'path=value' in query.\n");
    }
    if (Arrays.asList(path.split("/")).contains("..")) {
      throw new Refused(400, "Query parameter 'path' must not contain '..'");
    }
    MasterState state = cluster.state().orElseThrow(() -> new Refused(503, "No leader elected"));
    Permission.Question question = question(state, path);
    Router.when(
        exchange,
        authorization.decide(
            principal,
            List.of(question.action()),
            approvers -> {
              if (!approvers.approved(question.action(), question.object())) {
                throw new Refused(403, "403 Forbidden.");
              }
              return agent(state, wanted.group(1));
            }),
        answers,
        agent -> relay.relay(exchange, agent.id(), target(agent, wanted.group(2), exchange)));
  }

  private static Agent agent(MasterState state, String id) throws Refused {
    Agent agent =
        state
            .agent(id)
            .orElseThrow(
                () -> new Refused(404, "No agent '" + id + "' is registered: see /slaves"));
    if (!agent.connected()) {
      throw new Refused(
          503, "Agent " + id + " is not connected to the master: try again when it is back");
    }
    return agent;
  }

  private static URI target(Agent agent, String operation, HttpExchange exchange) {
    StringBuilder query = new StringBuilder();
    for (String name : PARAMETERS) {
      String value = exchange.query().get(name);
      if (value != null) {
        query
            .append(query.length() == 0 ? '?' : '&')
            .append(name)
            .append('=')
            .append(URLEncoder.encode(value, StandardCharsets.UTF_8));
      }
    }
    String ip = agent.address().getIp();
    return URI.create(
        "http://%s:%d/files/%s%s"
            .formatted(
                ip.contains(":") ? "[" + ip + "]" : ip,
                agent.address().getPort(),
                operation,
                query));
  }

  /**
   * What the master asks its authorizer: about the user that runs in a sandbox, as far as it knows;
   * about anything where it does not.
   */
  private static Permission.Question question(MasterState state, String path) {
    if (LOG.matcher(path).matches()) {
      return Permission.Question.anything(Action.ACCESS_MESOS_LOG);
    }
    Matcher sandbox = SANDBOX.matcher(path);
    Optional<Framework> framework =
        sandbox.matches()
            ? state.framework(sandbox.group(1)).or(() -> state.completed(sandbox.group(1)))
            : Optional.empty();
    Optional<String> user =
        framework.flatMap(
            it -> task(it, sandbox.group(2)).map(task -> user(it, task)).filter(u -> !u.isEmpty()));
    if (user.isEmpty()) {
      return Permission.Question.anything(Action.ACCESS_SANDBOX);
    }
    return new Permission.Question(
        Action.ACCESS_SANDBOX,
        AuthorizationObject.builder()
            .value(user.get())
            .frameworkInfo(framework.get().info())
            .build());
  }

  /** The task of that executor, which is called as its task where that is a command. */
  private static Optional<Task> task(Framework framework, String executor) {
    return Stream.of(
            framework.tasks().values().stream(),
            framework.unreachableTasks().values().stream(),
            framework.completedTasks().stream())
        .flatMap(all -> all)
        .filter(
            task ->
                task.message().hasExecutorId()
                        && !task.message().getExecutorId().getValue().isEmpty()
                    ? task.message().getExecutorId().getValue().equals(executor)
                    : task.id().equals(executor))
        .findFirst();
  }

  private static String user(Framework framework, Task task) {
    return task.message().getUser().isEmpty()
        ? framework.info().getUser()
        : task.message().getUser();
  }
}
