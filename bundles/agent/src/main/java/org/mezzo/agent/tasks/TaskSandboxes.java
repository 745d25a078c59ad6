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
 * The sandboxes of executors: where they stand, under which paths they are shown, and when the
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
  Path choose(String agentId, String frameworkId, String executorId, String containerId) {
    Path sandbox = paths.run(agentId, frameworkId, executorId, containerId);
    collector.unschedule(sandbox);
    return sandbox;
  }

  /**
   * Shows an executor's sandbox to who may see that of its user.
   *
   * @param user as whom its container runs
   * @param inside volumes that appear in it
   */
  void show(AgentExecutor executor, Optional<String> user, TaskVolumes inside) {
    Question access =
        new Question(
            Action.ACCESS_SANDBOX,
            AuthorizationObject.builder()
                .value(user.orElse(""))
                .frameworkInfo(executor.framework.info)
                .containerId(executor.containerId)
                .build());
    List<String> below = new ArrayList<>();
    for (String path :
        List.of(
            executor.sandbox.toString(),
            virtualPath(executor, executor.containerId),
            virtualPath(executor, "latest"))) {
      files.attach(path, executor.sandbox, access);
      for (TaskVolumes.Mounted volume : inside.volumes()) {
        below.add(path + "/" + volume.at());
        files.attach(path + "/" + volume.at(), volume.directory(), access);
      }
    }
    if (!below.isEmpty()) {
      volumes.put(executor.sandbox, below);
    }
  }

  private static String virtualPath(AgentExecutor executor, String run) {
    return "/frameworks/"
        + executor.framework.id()
        + "/executors/"
        + executor.id()
        + "/runs/"
        + run;
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
