package org.mezzo.hooks.audit;

import java.nio.file.Path;
import java.time.Clock;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.hook.Hook;
import org.mezzo.hooks.parameters.Parameters;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Writes down what is launched and how it ends, a line of JSON for each. On an agent: {@code
 * launch} before a task starts, {@code end} with its last state, {@code executor_end}. On a master:
 * {@code launch} when a launch was accepted, which may still be refused, and {@code agent_lost}.
 * Commands and variables are left out: they may hold secrets.
 *
 * <p>It decorates nothing, and holds nothing up: see {@link AuditLog}.
 */
@Component(service = Hook.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Hook.KIND,
    name = "audit",
    version = "0.1.0",
    author = "Mezzo",
    description = "writes launches and ends of tasks to a file of JSON lines")
public final class AuditHook implements Hook {
  private String daemon = "";
  private Clock clock = Clock.systemUTC();
  private AuditLog log;

  /**
   * Takes the parameters and begins to write.
   *
   * @throws IllegalArgumentException when a parameter cannot be used
   */
  @Override
  public void open(DaemonContext context) {
    Parameters parameters = new Parameters("audit", context.parameters());
    Path file =
        Path.of(parameters.text("path", context.workDir().resolve("audit/audit.jsonl").toString()));
    if (!file.isAbsolute()) {
      throw parameters.wrong("path", "is '" + file + "'; give it an absolute path");
    }
    long mostBytes = parameters.size("max_size", "10MB", 1024);
    int olderFiles = parameters.number("max_files", 4, 0, 1000);
    parameters.refuseOthers("'path', 'max_size' and 'max_files'");
    daemon = context.daemon();
    clock = context.clock();
    if (!context.rehearsal()) {
      log = new AuditLog(file, mostBytes, olderFiles, context.metrics(), daemon + "-audit");
    }
  }

  @Override
  public void close() throws InterruptedException {
    if (log != null) {
      log.close();
    }
  }

  private AuditLine line(String event) {
    return AuditLine.of(clock.instant(), daemon, event);
  }

  @Override
  public Labels masterLaunchTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    launched(task, framework, agent);
    return task.getLabels();
  }

  @Override
  public Labels agentRunTaskLabels(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    launched(task, framework, agent);
    return task.getLabels();
  }

  private void launched(TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
    AuditLine line =
        line("launch")
            .with("framework_id", framework.getId().getValue())
            .with("framework", framework.getName())
            .with("principal", framework.getPrincipal())
            .with("user", user(task, framework))
            .with("task_id", task.getTaskId().getValue())
            .with("task", task.getName())
            .with("executor_id", task.getExecutor().getExecutorId().getValue())
            .with("agent_id", task.getAgentId().getValue())
            .with("hostname", agent.getHostname())
            .with("resources", resources(task));
    if (task.getLabels().getLabelsCount() > 0) {
      line.with("labels", task.getLabels());
    }
    log.add(line.end());
  }

  private static String user(TaskInfo task, FrameworkInfo framework) {
    if (task.getCommand().hasUser()) {
      return task.getCommand().getUser();
    }
    return task.getExecutor().getCommand().hasUser()
        ? task.getExecutor().getCommand().getUser()
        : framework.getUser();
  }

  private static String resources(TaskInfo task) {
    try {
      return Resources.of(task.getResourcesList()).toString();
    } catch (ResourceFormatException e) {
      return "unreadable: " + e.getMessage();
    }
  }

  @Override
  public TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
    if (last(status.getState())) {
      log.add(
          line("end")
              .with("framework_id", framework.getValue())
              .with("task_id", status.getTaskId().getValue())
              .with("executor_id", status.getExecutorId().getValue())
              .with("agent_id", status.getAgentId().getValue())
              .with("state", status.getState().name())
              .with("source", status.hasSource() ? status.getSource().name() : "")
              .with("reason", status.hasReason() ? status.getReason().name() : "")
              .with("message", status.getMessage())
              .end());
    }
    return status;
  }

  private static boolean last(TaskState state) {
    return switch (state) {
      case TASK_STAGING, TASK_STARTING, TASK_RUNNING, TASK_KILLING, TASK_UNREACHABLE -> false;
      default -> true;
    };
  }

  @Override
  public void agentExecutorRemoved(FrameworkInfo framework, ExecutorInfo executor) {
    log.add(
        line("executor_end")
            .with("framework_id", framework.getId().getValue())
            .with("framework", framework.getName())
            .with("executor_id", executor.getExecutorId().getValue())
            .end());
  }

  @Override
  public void masterAgentLost(AgentInfo agent) {
    log.add(
        line("agent_lost")
            .with("agent_id", agent.getId().getValue())
            .with("hostname", agent.getHostname())
            .end());
  }
}
