package org.mezzo.hooks.ask;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.hook.Hook;
import org.mezzo.hooks.parameters.Parameters;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks a command or an HTTP service what to make of things, in JSON: {@link CommandRespondent},
 * {@link HttpRespondent}. The parameter {@code points} names the methods of {@link Hook} in which
 * it is asked.
 *
 * <p>Without an answer in time, or with one that cannot be used, things stay as they are; that is
 * counted, and no fault of the module. Who did not answer is left alone for a while, so that one
 * who hangs holds up a few launches and not all of them.
 */
@Component(service = Hook.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Hook.KIND,
    name = "ask",
    version = "0.1.0",
    author = "Mezzo",
    description = "asks a command or an HTTP service in JSON")
public final class AskHook implements Hook {
  private static final Logger LOG = LoggerFactory.getLogger(AskHook.class);

  /** Less than what the kind allows for a call. */
  private static final int LONGEST_MILLIS = 900;

  private Set<Point> points = EnumSet.noneOf(Point.class);
  private Duration limit = Duration.ZERO;
  private Respondent respondent;
  private Metrics.Counter asked;
  private Metrics.Counter unanswered;
  private Metrics.Counter unasked;
  private long lastId;
  private boolean failing;

  /**
   * Takes the parameters, and starts the command.
   *
   * @throws IllegalArgumentException when a parameter cannot be used
   */
  @Override
  public void open(DaemonContext context) throws InterruptedException {
    Parameters parameters = new Parameters("ask", context.parameters());
    String command = parameters.text("command", "");
    String url = parameters.text("url", "");
    if (command.isEmpty() == url.isEmpty()) {
      throw parameters.wrong(
          "command",
          "or 'url' says who is asked; give it "
              + (command.isEmpty() ? "one of them" : "one of them only"));
    }
    limit = Duration.ofMillis(parameters.number("timeout_ms", 500, 1, LONGEST_MILLIS));
    points = points(parameters);
    Map<String, String> headers = parameters.below("header.");
    if (url.isEmpty() && !headers.isEmpty()) {
      throw parameters.wrong(
          "header." + headers.keySet().iterator().next(), "needs 'url'; a command has no headers");
    }
    parameters.refuseOthers("'command', 'url', 'header.NAME', 'points' and 'timeout_ms'");
    asked = context.metrics().counter("questions");
    unanswered = context.metrics().counter("unanswered");
    unasked = context.metrics().counter("not_asked");
    if (!url.isEmpty()) {
      respondent = service(parameters, url, headers);
    } else if (!context.rehearsal()) {
      respondent =
          new CommandRespondent(command, new Rest(), context.metrics(), context.daemon() + "-ask");
    }
  }

  private static Set<Point> points(Parameters parameters) {
    Set<Point> points = EnumSet.noneOf(Point.class);
    for (String name : parameters.text("points", "").split(",")) {
      points.add(
          Point.of(name.trim())
              .orElseThrow(
                  () ->
                      parameters.wrong(
                          "points",
                          "has '" + name.trim() + "'; give it one or more of " + Point.all())));
    }
    return points;
  }

  private Respondent service(Parameters parameters, String url, Map<String, String> headers) {
    URI uri;
    try {
      uri = URI.create(url);
    } catch (IllegalArgumentException e) {
      throw parameters.wrong("url", "is no URL: " + e.getMessage());
    }
    if (uri.getHost() == null || !List.of("http", "https").contains(uri.getScheme())) {
      throw parameters.wrong("url", "is '" + url + "'; give it one like http://HOST:PORT/PATH");
    }
    try {
      return new HttpRespondent(uri, headers, new Rest());
    } catch (IllegalArgumentException e) {
      throw parameters.wrong("header.NAME", "cannot be sent: " + e.getMessage());
    }
  }

  @Override
  public void close() throws InterruptedException {
    if (respondent != null) {
      respondent.close();
    }
  }

  // The points.

  @Override
  public Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return labels(Point.MASTER_LAUNCH_TASK_LABELS, task, framework, agent);
  }

  @Override
  public Labels agentRunTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return labels(Point.AGENT_RUN_TASK_LABELS, task, framework, agent);
  }

  private Labels labels(Point point, TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return ask(
        point,
        question -> launch(question, task, framework, agent),
        answer -> answer.message("labels", Labels.getDefaultInstance()).orElse(task.getLabels()),
        task.getLabels());
  }

  private static Question launch(
      Question question, TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return question
        .with("task_info", task)
        .with("framework_info", framework)
        .with("agent_info", agent);
  }

  @Override
  public List<Resource> masterLaunchTaskResources(
      TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    return ask(
        Point.MASTER_LAUNCH_TASK_RESOURCES,
        question -> launch(question, task, framework, agent),
        answer ->
            answer.list("resources", Resource.getDefaultInstance()).orElse(task.getResourcesList()),
        task.getResourcesList());
  }

  @Override
  public Map<String, String> agentTaskEnvironment(TaskInfo task) {
    return ask(
        Point.AGENT_TASK_ENVIRONMENT,
        question -> question.with("task_info", task),
        AskHook::environment,
        Map.of());
  }

  @Override
  public Map<String, String> agentExecutorEnvironment(
      ExecutorInfo executor, FrameworkInfo framework) {
    return ask(
        Point.AGENT_EXECUTOR_ENVIRONMENT,
        question -> question.with("executor_info", executor).with("framework_info", framework),
        AskHook::environment,
        Map.of());
  }

  private static Map<String, String> environment(Answer answer) throws JsonFormatException {
    Map<String, String> variables = new HashMap<>();
    answer
        .message("environment", Environment.getDefaultInstance())
        .orElse(Environment.getDefaultInstance())
        .getVariablesList()
        .forEach(variable -> variables.put(variable.getName(), variable.getValue()));
    return variables;
  }

  @Override
  public TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
    return ask(
        Point.AGENT_TASK_STATUS,
        question -> question.with("framework_id", framework).with("status", status),
        answer -> {
          TaskStatus.Builder decorated = status.toBuilder();
          answer.message("labels", Labels.getDefaultInstance()).ifPresent(decorated::setLabels);
          answer
              .message("container_status", ContainerStatus.getDefaultInstance())
              .ifPresent(decorated::setContainerStatus);
          answer.text("message").ifPresent(decorated::setMessage);
          return decorated.build();
        },
        status);
  }

  @Override
  public List<Resource> agentResources(AgentInfo agent) {
    return ask(
        Point.AGENT_RESOURCES,
        question -> question.with("agent_info", agent),
        answer ->
            answer
                .list("resources", Resource.getDefaultInstance())
                .orElse(agent.getResourcesList()),
        agent.getResourcesList());
  }

  @Override
  public List<Attribute> agentAttributes(AgentInfo agent) {
    return ask(
        Point.AGENT_ATTRIBUTES,
        question -> question.with("agent_info", agent),
        answer ->
            answer
                .list("attributes", Attribute.getDefaultInstance())
                .orElse(agent.getAttributesList()),
        agent.getAttributesList());
  }

  @Override
  public void agentFetched(ContainerID container, Path sandbox) {
    tell(
        Point.AGENT_FETCHED,
        question -> question.with("container_id", container).with("sandbox", sandbox.toString()));
  }

  @Override
  public void agentTaskRemoved(FrameworkID framework, TaskInfo task) {
    tell(
        Point.AGENT_TASK_REMOVED,
        question -> question.with("framework_id", framework).with("task_info", task));
  }

  @Override
  public void agentExecutorRemoved(FrameworkInfo framework, ExecutorInfo executor) {
    tell(
        Point.AGENT_EXECUTOR_REMOVED,
        question -> question.with("framework_info", framework).with("executor_info", executor));
  }

  @Override
  public void masterAgentLost(AgentInfo agent) {
    tell(Point.MASTER_AGENT_LOST, question -> question.with("agent_info", agent));
  }

  // Asking.

  /** What is asked. */
  private interface Asking {
    Question of(Question begun);
  }

  /** What an answer means. */
  private interface Meaning<T> {
    T of(Answer answer) throws JsonFormatException;
  }

  private void tell(Point point, Asking asking) {
    ask(point, asking, answer -> answer, Answer.NOTHING);
  }

  /** What is answered, or what there was. */
  private <T> T ask(Point point, Asking asking, Meaning<T> meaning, T before) {
    if (!points.contains(point)) {
      return before;
    }
    if (!respondent.ready()) {
      unasked.increment();
      return before;
    }
    asked.increment();
    long id = ++lastId;
    try {
      Answer answer = respondent.ask(id, asking.of(Question.of(point, id)).bytes(), limit);
      if (answer.text("error").isPresent()) {
        throw new IOException("it says: " + answer.text("error").get());
      }
      T given = meaning.of(answer);
      if (failing) {
        failing = false;
        LOG.info("Hook 'ask' is answered again");
      }
      return given;
    } catch (InterruptedException e) {
      // Nobody waits for it any more.
      Thread.currentThread().interrupt();
      return before;
    } catch (IOException | RuntimeException e) {
      unanswered.increment();
      if (!failing) {
        failing = true;
        LOG.warn("Hook 'ask' leaves things as they are in {}: {}", point.method(), e.toString());
      }
      return before;
    }
  }
}
