package org.mezzo.agent.tasks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.mezzo.agent.sandboxes.SandboxCollector;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.sandboxes.SandboxRun;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.api.Metrics;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.protocol.v1.FrameworkInfo;

/**
 * The sandboxes of executors: where they stand, under which paths they are shown, and when the
 * collector may have them. Of each that is shown only {@link SandboxRun} and {@link Shown} are
 * kept: paths are made of them when somebody asks. Safe for any thread.
 */
public final class TaskSandboxes implements VirtualFiles.Many {
  private static final String LATEST = "latest";

  /** How many sandboxes that nobody uses are shown, each for some hundred bytes of memory. */
  static final int MOST_PAST = 20_000;

  /**
   * A sandbox that is shown.
   *
   * @param user as whom its container ran
   * @param framework the same object for all its sandboxes, while it does not change
   * @param order grows with each one that is shown
   */
  private record Shown(String user, FrameworkInfo framework, long order) {}

  private final SandboxPaths paths;
  private final SandboxCollector collector;
  private final VirtualFiles files;
  private final SortedMap<SandboxRun, Shown> shown = new ConcurrentSkipListMap<>();
  private final AtomicLong order = new AtomicLong();
  private final String folder;

  /** Under which paths the volumes of a sandbox are shown while somebody uses it. */
  private final Map<SandboxRun, List<String>> volumes = new ConcurrentHashMap<>();

  /** Those that are shown though nobody uses them, the oldest first; under its own lock. */
  private final Deque<SandboxRun> past = new ArrayDeque<>();

  private final Metrics.Counter hidden;

  /** No sandbox yet. */
  public TaskSandboxes(
      SandboxPaths paths, SandboxCollector collector, VirtualFiles files, Metrics metrics) {
    this.paths = paths;
    this.collector = collector;
    this.files = files;
    folder = paths.agents().toAbsolutePath() + "/";
    hidden = metrics.counter("slave/mezzo/sandboxes_hidden");
    metrics.gauge("slave/mezzo/sandboxes_shown", shown::size);
    files.attach(this);
  }

  /** The sandbox of a new container, which is kept until {@link #leave}; not made yet. */
  SandboxRun choose(String agentId, String frameworkId, String executorId, String containerId) {
    SandboxRun run = new SandboxRun(agentId, frameworkId, executorId, containerId);
    collector.unschedule(run);
    return run;
  }

  /**
   * The sandbox of a container of an earlier process, which is kept until {@link #leave}.
   *
   * @throws IOException when no sandbox of this work directory can stand there
   */
  SandboxRun keep(Path sandbox) throws IOException {
    SandboxRun run = run(sandbox);
    collector.unschedule(run);
    return run;
  }

  /** Where a sandbox stands. */
  Path path(SandboxRun run) {
    return paths.of(run);
  }

  /**
   * Shows an executor's sandbox to who may see that of its user.
   *
   * @param user as whom its container runs
   * @param inside volumes that appear in it
   */
  void show(AgentExecutor executor, Optional<String> user, TaskVolumes inside) {
    Shown one = new Shown(user.orElse(""), executor.framework.info, order.incrementAndGet());
    shown.put(executor.run, one);
    if (inside.volumes().isEmpty()) {
      return;
    }
    volumes.remove(executor.run);
    attach(executor, inside, one);
  }

  /** Shows volumes that appear in it later. */
  void showMore(AgentExecutor executor, TaskVolumes more) {
    Shown one = shown.get(executor.run);
    if (one != null) {
      attach(executor, more, one);
    }
  }

  private void attach(AgentExecutor executor, TaskVolumes inside, Shown one) {
    List<String> below = new ArrayList<>();
    for (String path : shownAt(executor.run)) {
      for (TaskVolumes.Mounted volume : inside.volumes()) {
        if (volume.at().isAbsolute()) {
          continue;
        }
        below.add(path + "/" + volume.at());
        files.attach(path + "/" + volume.at(), volume.directory(), question(executor.run, one));
      }
    }
    volumes.merge(executor.run, below, TaskSandboxes::joined);
  }

  /** Shows volumes no more that do not appear in it any more. */
  void hide(AgentExecutor executor, TaskVolumes gone) {
    List<String> below = new ArrayList<>();
    for (String path : shownAt(executor.run)) {
      gone.volumes().stream()
          .filter(volume -> !volume.at().isAbsolute())
          .forEach(volume -> below.add(path + "/" + volume.at()));
    }
    below.forEach(files::detach);
    volumes.computeIfPresent(
        executor.run,
        (run, paths) -> paths.stream().filter(path -> !below.contains(path)).toList());
  }

  private static List<String> joined(List<String> before, List<String> more) {
    return Stream.concat(before.stream(), more.stream()).toList();
  }

  /**
   * Shows the sandbox of an executor that an earlier process knew.
   *
   * @param user as whom its container ran
   * @throws IOException when no sandbox of this work directory can stand there
   */
  void showPast(Path sandbox, String user, FrameworkInfo framework) throws IOException {
    SandboxRun run = run(sandbox);
    if (Files.isDirectory(sandbox, LinkOption.NOFOLLOW_LINKS)) {
      shown.put(run, new Shown(user, framework, order.incrementAndGet()));
      isPast(run);
    }
  }

  /** As whom the container of a sandbox that is shown ran; empty where it is not known. */
  String user(SandboxRun run) {
    Shown one = shown.get(run);
    return one == null ? "" : one.user();
  }

  private SandboxRun run(Path sandbox) throws IOException {
    return paths
        .at(sandbox)
        .orElseThrow(() -> new IOException(sandbox + " is no sandbox of this work directory"));
  }

  /**
   * Shows the volumes of a task of a group in the sandbox that it has in its executor's, and those
   * of its executor that it shares.
   */
  void showNested(AgentTask task, Path sandbox) {
    AgentExecutor executor = task.executor;
    Shown one = shown.get(executor.run);
    Map<Path, Path> inside = new TreeMap<>(executor.volumes().shownTo(task.info.getContainer()));
    task.volumes.volumes().stream()
        .filter(volume -> !volume.at().isAbsolute())
        .forEach(volume -> inside.put(volume.at(), volume.directory()));
    if (inside.isEmpty() || one == null) {
      return;
    }
    List<String> below = new ArrayList<>();
    for (String path : shownAt(executor.run)) {
      for (Path name : List.of(executor.sandbox.relativize(sandbox), Path.of("tasks", task.id()))) {
        inside.forEach(
            (at, directory) -> {
              String here = path + "/" + name + "/" + at;
              below.add(here);
              files.attach(here, directory, question(executor.run, one));
            });
      }
    }
    volumes.merge(executor.run, below, TaskSandboxes::joined);
  }

  private List<String> shownAt(SandboxRun run) {
    return List.of(
        path(run).toAbsolutePath().toString(), virtual(run, run.container()), virtual(run, LATEST));
  }

  private static String virtual(SandboxRun run, String name) {
    return "/frameworks/" + run.framework() + "/executors/" + run.executor() + "/runs/" + name;
  }

  private static Question question(SandboxRun run, Shown one) {
    return new Question(
        Action.ACCESS_SANDBOX,
        AuthorizationObject.builder()
            .value(one.user())
            .frameworkInfo(one.framework())
            .containerId(run.container())
            .build());
  }

  @Override
  public Optional<VirtualFiles.Attached> at(String virtualPath) {
    boolean real = virtualPath.startsWith(folder);
    String[] names =
        real
            ? virtualPath.substring(folder.length()).split("/", -1)
            : ("?" + virtualPath).split("/", -1);
    if (names.length != 7
        || !names[1].equals("frameworks")
        || !names[3].equals("executors")
        || !names[5].equals("runs")) {
      return Optional.empty();
    }
    SandboxRun found = null;
    Shown best = null;
    for (Map.Entry<SandboxRun, Shown> entry :
        shown.tailMap(new SandboxRun("", names[2], names[4], "")).entrySet()) {
      SandboxRun run = entry.getKey();
      if (!run.framework().equals(names[2]) || !run.executor().equals(names[4])) {
        break;
      }
      boolean wanted =
          real
              ? run.agent().equals(names[0]) && run.container().equals(names[6])
              : run.container().equals(names[6]) || names[6].equals(LATEST);
      if (wanted && (best == null || best.order() < entry.getValue().order())) {
        found = run;
        best = entry.getValue();
      }
    }
    return best == null
        ? Optional.empty()
        : Optional.of(
            new VirtualFiles.Attached(path(found).toAbsolutePath(), question(found, best)));
  }

  @Override
  public void forEach(BiConsumer<String, Path> each) {
    for (SandboxRun run : shown.keySet()) {
      Path path = path(run).toAbsolutePath();
      each.accept(path.toString(), path);
      each.accept(virtual(run, run.container()), path);
      String latest = virtual(run, LATEST);
      at(latest).ifPresent(newest -> each.accept(latest, newest.real()));
    }
  }

  /** How many are shown. */
  int shown() {
    return shown.size();
  }

  /** Nothing runs in it any more: the collector may have it in time. */
  void leave(SandboxRun run) {
    // What comes into a volume later is not of this sandbox any more.
    Optional.ofNullable(volumes.remove(run)).ifPresent(paths -> paths.forEach(files::detach));
    isPast(run);
    collector.schedule(run);
  }

  /** The same of that of a task of a group, in its executor's. */
  void leaveNested(Path sandbox) {
    collector.scheduleOther(sandbox);
  }

  private void isPast(SandboxRun run) {
    synchronized (past) {
      past.add(run);
      while (past.size() > MOST_PAST) {
        if (shown.remove(past.remove()) != null) {
          hidden.increment();
        }
      }
    }
  }

  /** Forgets a sandbox that was deleted. */
  public void forget(SandboxRun run) {
    shown.remove(run);
  }
}
