package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
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

  /** The sandbox of a container of an earlier process is in use, until {@link #leave}. */
  void keep(Path sandbox) {
    collector.unschedule(sandbox);
  }

  /**
   * Shows an executor's sandbox to who may see that of its user.
   *
   * @param user as whom its container runs
   * @param inside volumes that appear in it
   */
  void show(AgentExecutor executor, Optional<String> user, TaskVolumes inside) {
    Question access = access(executor, user);
    List<String> below = new ArrayList<>();
    for (String path : shownAt(executor)) {
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

  /** Shows the volumes of a task of a group in the sandbox that it has in its executor's. */
  void showNested(AgentTask task, Path sandbox) {
    AgentExecutor executor = task.executor;
    if (task.volumes.volumes().isEmpty()) {
      return;
    }
    Question access = access(executor, executor.user());
    List<String> below = new ArrayList<>();
    for (String path : shownAt(executor)) {
      for (Path inside :
          List.of(executor.sandbox.relativize(sandbox), Path.of("tasks", task.id()))) {
        for (TaskVolumes.Mounted volume : task.volumes.volumes()) {
          String at = path + "/" + inside + "/" + volume.at();
          below.add(at);
          files.attach(at, volume.directory(), access);
        }
      }
    }
    volumes.merge(
        executor.sandbox,
        below,
        (before, more) -> Stream.concat(before.stream(), more.stream()).toList());
  }

  private static List<String> shownAt(AgentExecutor executor) {
    return List.of(
        executor.sandbox.toString(),
        virtualPath(executor, executor.containerId),
        virtualPath(executor, "latest"));
  }

  private static Question access(AgentExecutor executor, Optional<String> user) {
    return new Question(
        Action.ACCESS_SANDBOX,
        AuthorizationObject.builder()
            .value(user.orElse(""))
            .frameworkInfo(executor.framework.info)
            .containerId(executor.containerId)
            .build());
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
