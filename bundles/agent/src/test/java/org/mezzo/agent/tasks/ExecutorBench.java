package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.mezzo.agent.checks.CheckHost;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Probe;
import org.mezzo.agent.checks.Probing;
import org.mezzo.agent.checks.Subject;
import org.mezzo.agent.draining.Draining;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.recovery.Journal;
import org.mezzo.agent.recovery.TestJournal;
import org.mezzo.agent.sandboxes.SandboxCollector;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.sandboxes.SandboxRetention;
import org.mezzo.agent.sandboxes.SandboxRun;
import org.mezzo.agent.tokens.ExecutorSecrets;
import org.mezzo.agent.updates.StatusUpdates;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.agent.volumes.VolumeStore;
import org.mezzo.api.DaemonContext;
import org.mezzo.containerizer.Attachment;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.ContainerInput;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.OutputSink;
import org.mezzo.containerizer.Termination;
import org.mezzo.containerizer.UnableException;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.executor.Call;
import org.mezzo.protocol.v1.executor.Event;
import org.mezzo.resources.Resources;

/**
 * Executors with nothing around them that takes time: containers that do what the test says, timers
 * that it fires, and everything that is told kept in order. For one thread.
 */
final class ExecutorBench implements AutoCloseable {
  static final Duration GRACE = Duration.ofSeconds(5);
  static final Duration REGISTRATION = Duration.ofMinutes(1);
  static final Duration REREGISTRATION = Duration.ofSeconds(2);
  static final AgentID AGENT = AgentID.newBuilder().setValue("s").build();
  static final FrameworkInfo FRAMEWORK =
      FrameworkInfo.newBuilder()
          .setUser("u")
          .setName("n")
          .setId(FrameworkID.newBuilder().setValue("f"))
          .addCapabilities(
              FrameworkInfo.Capability.newBuilder()
                  .setType(FrameworkInfo.Capability.Type.PARTITION_AWARE))
          .build();

  private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(1_000_000), ZoneOffset.UTC);

  private static final DaemonContext CONTEXT =
      LocalModules.daemon("agent", DaemonContext.Role.AGENT, Path.of("/nowhere"));

  private record Armed(Duration delay, Runnable task) {}

  /** A connection that keeps what was sent on it. */
  static final class Connection implements ExecutorConnection {
    final List<Event> events = new ArrayList<>();
    boolean ended;

    @Override
    public void send(Event event) {
      if (!ended) {
        events.add(event);
      }
    }

    @Override
    public void end() {
      ended = true;
    }

    List<Event.Type> types() {
      return events.stream().map(Event::getType).toList();
    }
  }

  /** Containers that run and end when the test says so. */
  static final class Containers implements Containerizer {
    final List<LaunchRequest> requests = new ArrayList<>();
    final List<Integer> signals = new ArrayList<>();

    /** Of executors without a process, which are there at once. */
    final List<String> enclosures = new ArrayList<>();

    /** How the commands of checks end, which start at once. */
    final List<CompletableFuture<Termination>> checks = new ArrayList<>();

    final List<String> destroyed = new ArrayList<>();

    /** Why commands of checks can never be launched; empty: they are. */
    Optional<String> unable = Optional.empty();

    /** Whether it is known that tasks end, which they have not told yet. */
    boolean ending;

    /** What containers were to have, and links in their sandboxes, in order. */
    final List<String> changes = new ArrayList<>();

    /** Changes to come wait for it. */
    CompletableFuture<Void> changing = CompletableFuture.completedFuture(null);

    private final List<CompletableFuture<Launched>> launched = new ArrayList<>();
    private final List<CompletableFuture<Termination>> terminations = new ArrayList<>();

    /** Forgets what was asked for. */
    void clear() {
      requests.clear();
      signals.clear();
      destroyed.clear();
      launched.clear();
      terminations.clear();
    }

    void starts() {
      starts(0);
    }

    /** The first process of one is there; they are numbered in the order of their requests. */
    void starts(int number) {
      launched
          .get(number)
          .complete(
              new Launched(
                  requests.get(number).containerId(), 42 + number, terminations.get(number)));
    }

    void fails(String message) {
      fails(0, message);
    }

    void fails(int number, String message) {
      launched.get(number).completeExceptionally(new LaunchException(message));
    }

    void ends(Termination end) {
      ends(0, end);
    }

    void ends(int number, Termination end) {
      terminations.get(number).complete(end);
    }

    @Override
    public CompletionStage<Launched> launch(LaunchRequest request) {
      if (request.enclosure()) {
        enclosures.add(request.containerId().toString());
        return CompletableFuture.completedFuture(
            new Launched(request.containerId(), 0, new CompletableFuture<>()));
      }
      requests.add(request);
      if (request.containerId().value().startsWith("check-")) {
        if (unable.isPresent()) {
          return CompletableFuture.failedFuture(new UnableException(unable.get()));
        }
        checks.add(new CompletableFuture<>());
        return CompletableFuture.completedFuture(
            new Launched(request.containerId(), 43, checks.get(checks.size() - 1)));
      }
      launched.add(new CompletableFuture<>());
      terminations.add(new CompletableFuture<>());
      return launched.get(launched.size() - 1);
    }

    @Override
    public CompletionStage<Boolean> update(
        ContainerId containerId, Resources resources, Resources limits) {
      long limit = limits.scalar("cpus");
      changes.add(
          resources.scalar("cpus") / 1000.0 + (limit == 0 ? "" : " up to " + limit / 1000.0));
      return changing.thenApply(done -> true);
    }

    @Override
    public CompletionStage<Void> link(
        ContainerId containerId, List<Link> made, List<Link> removed, List<Path> owned) {
      made.forEach(link -> changes.add("+" + link.at()));
      removed.forEach(link -> changes.add("-" + link.at()));
      return changing.thenApply(done -> null);
    }

    @Override
    public CompletionStage<Boolean> signal(ContainerId containerId, int signal) {
      signals.add(signal);
      return CompletableFuture.completedFuture(true);
    }

    @Override
    public CompletionStage<Void> destroy(ContainerId containerId) {
      destroyed.add(containerId.toString());
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Attachment> attachOutput(ContainerId containerId, OutputSink sink) {
      return CompletableFuture.failedStage(new UnsupportedOperationException());
    }

    @Override
    public CompletionStage<ContainerInput> attachInput(ContainerId containerId) {
      return CompletableFuture.failedStage(new UnsupportedOperationException());
    }

    @Override
    public CompletionStage<Optional<ResourceStatistics>> usage(ContainerId containerId) {
      return CompletableFuture.completedFuture(Optional.empty());
    }

    @Override
    public CompletionStage<ContainerStatus> status(ContainerId containerId) {
      return CompletableFuture.completedFuture(
          ContainerStatus.newBuilder().setContainerId(containerId.toMessage()).build());
    }

    @Override
    public void selectIsolation(List<String> isolation) {}

    @Override
    public boolean mounts() {
      return false;
    }

    @Override
    public void selectLogging(ContainerizerOptions.Logging logging) {}

    @Override
    public void selectSecretResolver(String name) {}

    @Override
    public List<Pending> pending() {
      return List.of();
    }

    @Override
    public boolean runs(ContainerId containerId) {
      return !ending;
    }

    @Override
    public Set<ContainerId> containers() {
      return Set.of();
    }

    @Override
    public CompletionStage<Optional<Termination>> termination(ContainerId containerId) {
      return CompletableFuture.completedFuture(Optional.empty());
    }

    @Override
    public CompletionStage<Boolean> remove(ContainerId containerId) {
      return CompletableFuture.completedFuture(true);
    }

    @Override
    public CompletionStage<List<Recovered>> recover(Predicate<ContainerId> keep) {
      return CompletableFuture.completedFuture(List.of());
    }

    @Override
    public void detach() {}

    @Override
    public void close(Duration limit) {}
  }

  final Containers containers = new Containers();
  final List<Consumer<Outcome>> probed = new ArrayList<>();
  final List<StatusUpdate> sent = new ArrayList<>();
  final List<String> exited = new ArrayList<>();
  final List<AgentExecutor> settled = new ArrayList<>();
  final Usage usage = new Usage();
  final FrameworkEntry framework;
  final StatusUpdates streams;
  final Journal journal;
  private final List<Armed> armed = new ArrayList<>();
  private final LocalModules modules = new LocalModules();
  private final SandboxCollector collector;
  final VirtualFiles files = new VirtualFiles("bench", Authorization.none());
  private final AgentHooks hooks;
  final ExecutorHost host;

  ExecutorBench(Path folder) throws IOException {
    this(folder, FRAMEWORK);
  }

  ExecutorBench(Path folder, FrameworkInfo info) throws IOException {
    framework = new FrameworkEntry(info);
    collector =
        new SandboxCollector(
            folder,
            new SandboxRetention(Duration.ofDays(1), 0.1, Duration.ofDays(1), false),
            CLOCK,
            CONTEXT.metrics(),
            Set::of,
            sandbox -> {});
    hooks = new AgentHooks(modules.of(CONTEXT).chain(Kinds.HOOK, List.of(), Runnable::run));
    journal = TestJournal.in(folder);
    TaskRecords records = new TaskRecords(journal);
    journal.framework(info);
    streams = new StatusUpdates(journal, this::arm, sent::add);
    streams.resume();
    TaskUpdates updates =
        new TaskUpdates(
            streams,
            records,
            hooks,
            new Draining(folder, Runnable::run, Runnable::run, CLOCK),
            CLOCK,
            CONTEXT.metrics(),
            Runnable::run);
    updates.agent(AGENT);
    TaskContainers taskContainers =
        new TaskContainers(
            containers,
            new TaskEnvironment(
                Map.of(), "10.0.0.1", 5051, new TaskEnvironment.Times("5secs", "15mins", "2secs")),
            new VolumeStore(folder, path -> {}),
            new ExecutorSecrets(
                modules.of(CONTEXT), Optional.empty(), Optional.empty(), Runnable::run),
            Runnable::run,
            Runnable::run);
    host =
        new ExecutorHost(
            this::arm,
            CLOCK,
            taskContainers,
            new TaskSandboxes(new SandboxPaths(folder), collector, files, CONTEXT.metrics()),
            updates,
            records,
            hooks,
            usage,
            new ExecutorPhases(CONTEXT.metrics()),
            CONTEXT.metrics().counter("errors"),
            new AgentTasks.Limits(GRACE, REGISTRATION, "1mins", REREGISTRATION, 10),
            new Checking(
                new CheckHost(this::probe, Runnable::run, this::arm, System::nanoTime),
                taskContainers,
                CONTEXT.metrics()),
            new ExecutorHost.Outcome() {
              @Override
              public void exited(FrameworkEntry of, ExecutorInfo executor, int status) {
                exited.add(executor.getExecutorId().getValue() + ":" + status);
              }

              @Override
              public void settled(AgentExecutor executor) {
                settled.add(executor);
              }

              @Override
              public Resources volumesBeside(AgentExecutor executor) {
                return Resources.EMPTY;
              }
            });
  }

  /** A command is the task's; the outcome of what else is tried is the test's to say. */
  private Probing probe(Subject subject, Probe probe, Duration timeout, Consumer<Outcome> done) {
    if (probe instanceof Probe.Command command) {
      return subject.run(command.command(), timeout, done);
    }
    probed.add(done);
    return () -> probed.remove(done);
  }

  private Timer arm(Duration delay, Runnable task) {
    Armed one = new Armed(delay, task);
    armed.add(one);
    return () -> armed.removeIf(it -> it == one);
  }

  /** Runs what waits for as long as this. */
  void elapse(Duration delay) {
    for (Armed one : List.copyOf(armed)) {
      if (one.delay().equals(delay) && armed.contains(one)) {
        armed.removeIf(it -> it == one);
        one.task().run();
      }
    }
  }

  /** An executor that a framework gave, of 0.1 cpus. */
  AgentExecutor custom() {
    return custom(ExecutorInfo.newBuilder(), "c");
  }

  /** The same in a container of this name. */
  AgentExecutor custom(String container) {
    return custom(ExecutorInfo.newBuilder(), container);
  }

  AgentExecutor custom(ExecutorInfo.Builder more) {
    return custom(more, "c");
  }

  private AgentExecutor custom(ExecutorInfo.Builder more, String container) {
    return executor(
        more.setExecutorId(ExecutorID.newBuilder().setValue("e"))
            .setFrameworkId(framework.info.getId())
            .setCommand(CommandInfo.newBuilder().setValue("run"))
            .addResources(org.mezzo.agent.Made.scalar("cpus", 0.1))
            .build(),
        false,
        container);
  }

  /** The executor of a command task. */
  AgentExecutor command(TaskInfo task) {
    return executor(CommandRun.executorOf(framework.info, task), true, "c");
  }

  /** An executor that the agent plays, of 0.1 cpus. */
  AgentExecutor played() {
    return executor(
        ExecutorInfo.newBuilder()
            .setType(ExecutorInfo.Type.DEFAULT)
            .setExecutorId(ExecutorID.newBuilder().setValue("e"))
            .setFrameworkId(framework.info.getId())
            .addResources(org.mezzo.agent.Made.scalar("cpus", 0.1))
            .build(),
        false,
        "c");
  }

  private AgentExecutor executor(ExecutorInfo info, boolean generated, String container) {
    boolean played = DefaultRun.runs(info);
    SandboxRun run =
        host.sandboxes()
            .choose(AGENT.getValue(), framework.id(), info.getExecutorId().getValue(), container);
    AgentExecutor executor =
        new AgentExecutor(
            framework,
            new AgentExecutor.Identity(info, generated, run, host.sandboxes().path(run), false),
            generated || played ? AgentExecutor.Phase.RUNNING : AgentExecutor.Phase.REGISTERING,
            TaskVolumes.NONE,
            host,
            generated ? CommandRun::new : played ? DefaultRun::new : HttpRun::new);
    framework.executors.put(executor.id(), executor);
    return executor;
  }

  static TaskInfo task(String id) {
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AGENT)
        .addResources(org.mezzo.agent.Made.scalar("cpus", 1))
        .build();
  }

  /** Lets tasks wait that are ready. */
  static Batch give(AgentExecutor executor, String... ids) {
    List<AgentTask> tasks = new ArrayList<>();
    for (String id : ids) {
      tasks.add(new AgentTask(executor, task(id), TaskVolumes.NONE));
    }
    return give(executor, tasks);
  }

  static Batch give(AgentExecutor executor, List<AgentTask> tasks) {
    return give(executor, new Batch(tasks));
  }

  /** The same of a group of tasks, which may be changed before. */
  static Batch group(AgentExecutor executor, Consumer<TaskInfo.Builder> change, String... ids) {
    List<AgentTask> tasks = new ArrayList<>();
    for (String id : ids) {
      TaskInfo.Builder info = task(id).toBuilder();
      change.accept(info);
      tasks.add(new AgentTask(executor, info.build(), TaskVolumes.NONE));
    }
    return give(executor, new Batch(tasks, true));
  }

  private static Batch give(AgentExecutor executor, Batch batch) {
    executor.enqueue(batch);
    executor.ready(batch, new HashMap<>());
    return batch;
  }

  /** The executor subscribes. */
  static Connection subscribe(AgentExecutor executor, Call.Subscribe call) {
    Connection connection = new Connection();
    ((HttpRun) executor.runner())
        .subscribe(
            connection, call, AgentInfo.newBuilder().setHostname("here").setId(AGENT).build());
    return connection;
  }

  static Connection subscribe(AgentExecutor executor) {
    return subscribe(executor, Call.Subscribe.getDefaultInstance());
  }

  /** A status as an executor gives it. */
  static TaskStatus status(String task, TaskState state, String uuid) {
    return TaskStatus.newBuilder()
        .setTaskId(TaskID.newBuilder().setValue(task))
        .setState(state)
        .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
        .setUuid(ByteString.copyFromUtf8((uuid + "________________").substring(0, 16)))
        .build();
  }

  /** What was told of tasks since the last time, each acknowledged by the framework at once. */
  List<TaskStatus> told() {
    List<TaskStatus> all = new ArrayList<>();
    for (int i = 0; i < sent.size(); i++) {
      TaskStatus status = sent.get(i).getStatus();
      all.add(status);
      streams.acknowledge(framework.info.getId(), status.getTaskId(), status.getUuid());
      if (org.mezzo.agent.updates.States.terminal(status.getState())) {
        framework.task(status.getTaskId()).ifPresent(task -> task.executor.acknowledged(task));
      }
    }
    sent.clear();
    return all;
  }

  /** The same as {@code task:STATE} or {@code task:STATE:REASON}. */
  List<String> words() {
    return told().stream()
        .map(
            status ->
                status.getTaskId().getValue()
                    + ":"
                    + status.getState().name().substring("TASK_".length())
                    + (status.hasReason()
                        ? ":" + status.getReason().name().substring("REASON_".length())
                        : ""))
        .toList();
  }

  /** What an agent does with executors of which everything is told. */
  void settled() {
    for (AgentExecutor executor : settled) {
      framework.executors.remove(executor.id(), executor);
      host.records().ended(executor, 10);
    }
    settled.clear();
  }

  Map<String, Double> used() {
    Map<String, Double> all = new LinkedHashMap<>();
    all.put("cpus", usage.of("cpus"));
    return all;
  }

  @Override
  public void close() {
    collector.close();
    files.close();
    modules.close();
  }
}
