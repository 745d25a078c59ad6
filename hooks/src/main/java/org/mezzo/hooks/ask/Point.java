package org.mezzo.hooks.ask;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** What can be asked: the methods of a hook, by their names. */
enum Point {
  MASTER_LAUNCH_TASK_LABELS("masterLaunchTaskLabels"),
  MASTER_LAUNCH_TASK_RESOURCES("masterLaunchTaskResources"),
  MASTER_AGENT_LOST("masterAgentLost"),
  AGENT_RUN_TASK_LABELS("agentRunTaskLabels"),
  AGENT_TASK_ENVIRONMENT("agentTaskEnvironment"),
  AGENT_EXECUTOR_ENVIRONMENT("agentExecutorEnvironment"),
  AGENT_FETCHED("agentFetched"),
  AGENT_TASK_STATUS("agentTaskStatus"),
  AGENT_TASK_REMOVED("agentTaskRemoved"),
  AGENT_EXECUTOR_REMOVED("agentExecutorRemoved"),
  AGENT_RESOURCES("agentResources"),
  AGENT_ATTRIBUTES("agentAttributes");

  private final String method;

  Point(String method) {
    this.method = method;
  }

  String method() {
    return method;
  }

  static Optional<Point> of(String method) {
    return Arrays.stream(values()).filter(it -> it.method.equals(method)).findFirst();
  }

  /** All of them, for people. */
  static String all() {
    return Arrays.stream(values()).map(Point::method).collect(Collectors.joining(", "));
  }
}
