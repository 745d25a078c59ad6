package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;

/**
 * The environment of executors and of command tasks (rules 195 and 210).
 *
 * @param base what every container gets: {@code --executor_environment_variables}, or the agent's
 *     own environment without what configures daemons
 * @param ip the agent's address
 * @param port the agent's port
 * @param times what executors are told of the agent's patience
 */
public record TaskEnvironment(Map<String, String> base, String ip, int port, Times times) {
  private static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  /**
   * Flags as they were written (rules 182, 183, 195).
   *
   * @param shutdownGrace {@code --executor_shutdown_grace_period}
   * @param recovery {@code --recovery_timeout}
   * @param reregistration {@code --executor_reregistration_timeout}
   */
  public record Times(String shutdownGrace, String recovery, String reregistration) {}

  public TaskEnvironment {
    base = Map.copyOf(base);
  }

  /** What LC_ALL was before {@code bin/mezzo} gave the daemon a locale that knows UTF-8. */
  private static final String OPERATORS_LC_ALL = "MEZZO_OPERATOR_LC_ALL";

  /**
   * The agent's own environment without what configures daemons, and with the locale of whoever
   * started it.
   */
  public static Map<String, String> inherited(Map<String, String> own) {
    Map<String, String> kept = new HashMap<>(own);
    String locale = own.get(OPERATORS_LC_ALL);
    if (locale != null && locale.isEmpty()) {
      kept.remove("LC_ALL");
    } else if (locale != null) {
      kept.put("LC_ALL", locale);
    }
    kept.keySet()
        .removeIf(
            name ->
                name.startsWith("MESOS_")
                    || name.startsWith("LIBPROCESS_")
                    || name.startsWith("MEZZO_"));
    return kept;
  }

  /**
   * Everything a task sees whose command the agent runs, but what hooks and isolators add.
   *
   * @param executor the id of its executor
   */
  ContainerVariables of(FrameworkInfo framework, String executor, TaskInfo task, Path sandbox) {
    String id = task.getTaskId().getValue();
    ContainerVariables all =
        of(framework, executor, task.getAgentId(), sandbox, times.shutdownGrace());
    all.put("MESOS_TASK_ID", id);
    all.put("MESOS_CONTAINER_IP", ip);
    for (Resource resource : task.getResourcesList()) {
      if (resource.hasAllocationInfo()) {
        all.put("MESOS_ALLOCATION_ROLE", resource.getAllocationInfo().getRole());
      }
    }
    all.give(task.getCommand().getEnvironment());
    return all;
  }

  /** Everything that an executor sees which a framework gave, but what hooks and isolators add. */
  ContainerVariables of(
      FrameworkInfo framework, ExecutorInfo executor, AgentID agent, Path sandbox) {
    ContainerVariables all =
        of(
            framework,
            executor.getExecutorId().getValue(),
            agent,
            sandbox,
            executor.hasShutdownGracePeriod()
                ? text(executor.getShutdownGracePeriod().getNanoseconds())
                : times.shutdownGrace());
    all.give(executor.getCommand().getEnvironment());
    return all;
  }

  /** Everything that a container sees which is none of an executor's, but what isolators add. */
  public ContainerVariables standalone(Path sandbox) {
    ContainerVariables all = new ContainerVariables();
    all.put("PATH", DEFAULT_PATH);
    all.putAll(base);
    all.put("MESOS_SANDBOX", sandbox.toString());
    return all;
  }

  private ContainerVariables of(
      FrameworkInfo framework, String executor, AgentID agent, Path sandbox, String grace) {
    ContainerVariables all = new ContainerVariables();
    all.put("PATH", DEFAULT_PATH);
    all.putAll(base);
    all.put("LIBPROCESS_IP", ip);
    all.put("LIBPROCESS_PORT", "0");
    all.put("MESOS_FRAMEWORK_ID", framework.getId().getValue());
    all.put("MESOS_EXECUTOR_ID", executor);
    all.put("MESOS_DIRECTORY", sandbox.toString());
    all.put("MESOS_SANDBOX", sandbox.toString());
    all.put("MESOS_AGENT_ENDPOINT", ip + ":" + port);
    all.put("MESOS_SLAVE_PID", "slave(1)@" + ip + ":" + port);
    all.put("MESOS_SLAVE_ID", agent.getValue());
    all.put("MESOS_HTTP_COMMAND_EXECUTOR", "0");
    all.put("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", grace);
    all.put("MESOS_CHECKPOINT", framework.getCheckpoint() ? "1" : "0");
    if (framework.getCheckpoint()) {
      all.put("MESOS_RECOVERY_TIMEOUT", times.recovery());
      all.put("MESOS_SUBSCRIPTION_BACKOFF_MAX", times.reregistration());
    }
    return all;
  }

  /** A duration as executors read it: whole seconds where it is some. */
  private static String text(long nanoseconds) {
    return nanoseconds % 1_000_000_000 == 0
        ? nanoseconds / 1_000_000_000 + "secs"
        : nanoseconds + "ns";
  }
}
