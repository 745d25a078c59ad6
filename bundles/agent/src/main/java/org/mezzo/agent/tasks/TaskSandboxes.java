package org.mezzo.agent.tasks;

import java.nio.file.Path;
import org.mezzo.agent.sandboxes.SandboxCollector;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.files.VirtualFiles;

/**
 * The sandboxes of tasks: where they stand, under which paths they are shown, and when the
 * collector may have them. Safe for any thread.
 */
public final class TaskSandboxes {
  private final SandboxPaths paths;
  private final SandboxCollector collector;
  private final VirtualFiles files;

  /** No sandbox yet. */
  public TaskSandboxes(SandboxPaths paths, SandboxCollector collector, VirtualFiles files) {
    this.paths = paths;
    this.collector = collector;
    this.files = files;
  }

  /** The sandbox of a new container, which is kept until {@link #leave}; not made yet. */
  Path choose(String agentId, String frameworkId, String taskId, String containerId) {
    Path sandbox = paths.run(agentId, frameworkId, taskId, containerId);
    collector.unschedule(sandbox);
    return sandbox;
  }

  /** Shows the sandbox to who may see that of the task's user. */
  void show(CommandTask task) {
    Question access =
        new Question(
            Action.ACCESS_SANDBOX,
            AuthorizationObject.builder()
                .value(task.user().orElse(""))
                .frameworkInfo(task.framework.info)
                .containerId(task.containerId)
                .build());
    files.attach(task.sandbox.toString(), task.sandbox, access);
    files.attach(virtualPath(task, task.containerId), task.sandbox, access);
    files.attach(virtualPath(task, "latest"), task.sandbox, access);
  }

  private static String virtualPath(CommandTask task, String run) {
    return "/frameworks/" + task.framework.id() + "/executors/" + task.id() + "/runs/" + run;
  }

  /** Nothing runs in it any more: the collector may have it in time. */
  void leave(Path sandbox) {
    collector.schedule(sandbox);
  }

  /** Forgets the paths of a sandbox that was deleted. */
  public void forget(Path sandbox) {
    files
        .attached()
        .forEach(
            (path, real) -> {
              if (real.equals(sandbox)) {
                files.detach(path);
              }
            });
  }
}
