package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.agent.sandboxes.SandboxCollector;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.volumes.TaskVolumes;
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

  /** Under which paths the volumes of a sandbox are shown while somebody uses it. */
  private final Map<Path, List<String>> volumes = new ConcurrentHashMap<>();

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
    List<String> below = new ArrayList<>();
    for (String path :
        List.of(
            task.sandbox.toString(),
            virtualPath(task, task.containerId),
            virtualPath(task, "latest"))) {
      files.attach(path, task.sandbox, access);
      for (TaskVolumes.Mounted volume : task.volumes.volumes()) {
        below.add(path + "/" + volume.at());
        files.attach(path + "/" + volume.at(), volume.directory(), access);
      }
    }
    if (!below.isEmpty()) {
      volumes.put(task.sandbox, below);
    }
  }

  private static String virtualPath(CommandTask task, String run) {
    return "/frameworks/" + task.framework.id() + "/executors/" + task.id() + "/runs/" + run;
  }

  /** Nothing runs in it any more: the collector may have it in time. */
  void leave(Path sandbox) {
    // What comes into a volume later is not of this sandbox any more.
    Optional.ofNullable(volumes.remove(sandbox)).ifPresent(paths -> paths.forEach(files::detach));
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
