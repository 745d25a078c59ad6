package org.mezzo.containerizer.processes;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.Metrics;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.LaunchPlan.Feature;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.containerizer.fetching.Fetch;
import org.mezzo.containerizer.fetching.TaskUser;
import org.mezzo.containerizer.fetching.UriFetcher;
import org.mezzo.containerizer.isolation.IsolatorChain;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Containers as ordinary processes below shims; see the package documentation of the files. */
public final class ProcessContainerizer implements Containerizer {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessContainerizer.class);

  /** The variable by which the processes of a container are known. */
  static final String MARKER = "MEZZO_CONTAINER_ID";

  private static final int WORKERS = 8;
  private static final int MOST_WAITING_LAUNCHES = 100_000;
  private static final Duration START_LIMIT = Duration.ofSeconds(30);
  private static final Duration STATUS_LIMIT = Duration.ofSeconds(1);
  private static final long SWEEP_MILLIS = 20;
  private static final Duration CHECK_PERIOD = Duration.ofSeconds(5);
  private static final double TICKS_PER_SECOND = 100;
  private static final long PAGE_BYTES = 4096;

  private enum Phase {
    PREPARING,
    STARTING,
    RUNNING,
    DESTROYING,
    GONE
  }

  /** One container; fields are guarded by the object itself. */
  private static final class Managed {
    final Container container;
    final Path folder;
    final CompletableFuture<Launched> launched = new CompletableFuture<>();
    final CompletableFuture<Termination> termination = new CompletableFuture<>();
    final CompletableFuture<Void> destroyed = new CompletableFuture<>();
    Phase phase = Phase.PREPARING;
    boolean cancelled;
    boolean finishing;

    /** Whether isolators were asked about it, whatever is selected meanwhile. */
    boolean isolated;

    Fetch fetch;
    LaunchException failure;
    volatile Path cgroup;
    volatile long pid;
    long startTime;
    long shim;
    long startedNanos;
    long emptySinceNanos;
    boolean missedOnce;
    OptionalInt waitStatus = OptionalInt.empty();
    Optional<Limitation> limitation = Optional.empty();

    Managed(Container container, Path folder) {
      this.container = container;
      this.folder = folder;
    }

    Termination outcome() {
      return new Termination(waitStatus, limitation);
    }
  }

  private final ContainerizerHost host;

  private final SystemTools tools;
  private final Accounts accounts;
  private final Optional<Cgroups> cgroups;
  private final Path containersFolder;
  private final Launcher launcher;
  private final IsolatorChain isolators;
  private final UriFetcher fetcher;
  private final ThreadPoolExecutor workers;
  private final ExecutorService moduleEvents;
  private final ScheduledThreadPoolExecutor timer;
  private final Map<String, Managed> containers = new ConcurrentHashMap<>();
  private final Set<Managed> destroying = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean sweepPlanned = new AtomicBoolean();
  private final Metrics.Counter destroyErrors;
  private final Metrics.Counter fetches;
  private final Metrics.Counter failedFetches;
  private volatile boolean closed;

  public ProcessContainerizer(ContainerizerHost host, ContainerizerOptions options)
      throws IOException {
    this.host = host;
    this.tools = SystemTools.find(options.shell());
    this.accounts = new Accounts(tools, options.switchUser());
    this.cgroups =
        options
            .cgroups()
            .filter(unused -> accounts.root())
            .flatMap(root -> Cgroups.find(root.hierarchy(), root.name()));
    if (cgroups.isEmpty()) {
      LOG.info(
          "Containers have no cgroup of their own: a kill finds their processes by session and"
              + " environment, which a process that hides from both escapes");
    }
    Path runtime = host.agent().runtimeDir();
    this.containersFolder = runtime.resolve("containers");
    Files.createDirectories(containersFolder);
    Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwx------"));

    String name = host.agent().daemon();
    workers =
        new ThreadPoolExecutor(
            WORKERS,
            WORKERS,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MOST_WAITING_LAUNCHES),
            threads(name + "-containerizer-"));
    workers.allowCoreThreadTimeOut(true);
    moduleEvents = Executors.newSingleThreadExecutor(threads(name + "-isolation-"));
    timer = new ScheduledThreadPoolExecutor(1, threads(name + "-containers-timer-"));
    timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);

    isolators =
        new IsolatorChain(
            host,
            options.isolation(),
            tools.prlimit().isPresent()
                ? Set.of(Feature.ENVIRONMENT, Feature.RLIMITS)
                : Set.of(Feature.ENVIRONMENT),
            moduleEvents,
            this::limited,
            this::isolatedContainers);
    fetcher = new UriFetcher(host, options, moduleEvents);
    launcher = new Launcher(runtime, tools, new Reports());
    timer.scheduleWithFixedDelay(
        this::checkLiveness,
        CHECK_PERIOD.toMillis(),
        CHECK_PERIOD.toMillis(),
        TimeUnit.MILLISECONDS);

    Metrics metrics = host.agent().metrics();
    destroyErrors = metrics.counter("containerizer/mesos/container_destroy_errors");
    fetches = metrics.counter("containerizer/fetcher/task_fetches_succeeded");
    failedFetches = metrics.counter("containerizer/fetcher/task_fetches_failed");
    metrics.gauge("containerizer/launch_queue_length", () -> workers.getQueue().size());
  }

  private static ThreadFactory threads(String prefix) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, prefix + count.incrementAndGet());
      thread.setDaemon(true);
      thread.setContextClassLoader(null);
      return thread;
    };
  }

  // Launching.

  @Override
  public CompletionStage<Launched> launch(LaunchRequest request) {
    String user = request.user().orElse(System.getProperty("user.name"));
    Managed managed =
        new Managed(container(request, user), containersFolder.resolve(request.containerId()));
    if (containers.putIfAbsent(request.containerId(), managed) != null) {
      return CompletableFuture.failedStage(
          new LaunchException("Container '" + request.containerId() + "' exists already"));
    }
    if (closed) {
      // Looked at after the container is listed: whoever closes sees it, or it sees the closing.
      containers.remove(request.containerId(), managed);
      managed.destroyed.complete(null);
      return CompletableFuture.failedStage(new LaunchException("The agent is stopping"));
    }
    try {
      workers.execute(() -> prepare(managed, request));
    } catch (RejectedExecutionException e) {
      containers.remove(request.containerId());
      return CompletableFuture.failedStage(
          new LaunchException("Too many launches are waiting on this agent"));
    }
    return managed.launched;
  }

  private static Container container(LaunchRequest request, String user) {
    Container.Builder container =
        Container.builder(request.containerId(), request.sandbox())
            .user(user)
            .resources(request.resources(), request.limits());
    request.info().ifPresent(container::info);
    return container.build();
  }

  private void prepare(Managed managed, LaunchRequest request) {
    Optional<Accounts.Account> account;
    try {
      account = accounts.target(request.user(), request.rootAllowed());
      Sandboxes.create(request.sandbox(), request.owned(), account);
      if (account.isPresent()) {
        checkEnterable(request.sandbox(), account.get());
      }
      checkNotCancelled(managed);
      if (request.command().getUrisCount() > 0) {
        fetch(managed, request, account);
        return;
      }
    } catch (LaunchException e) {
      fail(managed, e);
      return;
    } catch (IOException e) {
      fail(managed, new LaunchException("Failed to create the sandbox: " + e, e));
      return;
    } catch (RuntimeException | Error e) {
      unexpected(managed, e);
      return;
    }
    isolate(managed, request, account);
  }

  /** What comes once everything is in the sandbox. */
  private void isolate(Managed managed, LaunchRequest request, Optional<Accounts.Account> account) {
    managed.isolated = !isolators.isEmpty();
    if (!managed.isolated) {
      start(managed, request, account, LaunchPlan.NONE);
      return;
    }
    try {
      isolators
          .prepare(managed.container)
          .whenCompleteAsync(
              (plan, failure) -> {
                if (failure != null) {
                  fail(managed, launchFailure(failure));
                } else {
                  start(managed, request, account, plan);
                }
              },
              workers);
    } catch (RuntimeException | Error e) {
      unexpected(managed, e);
    }
  }

  /** Nothing that goes wrong with one launch loses it, or the worker that carries it out. */
  private void unexpected(Managed managed, Throwable e) {
    LOG.error("Preparing container {} failed", managed.container.id(), e);
    fail(managed, new LaunchException("Preparing the container failed: " + e, e));
  }

  /** Says what keeps the user out, which a process that is to run there could not. */
  private void checkEnterable(Path sandbox, Accounts.Account account)
      throws LaunchException, IOException {
    Optional<String> obstacle = Sandboxes.obstacle(sandbox, account);
    if (obstacle.isEmpty()) {
      return;
    }
    // The modes of folders are not all that counts: access lists may let the user in.
    List<String> attempt = new ArrayList<>(switching(account));
    attempt.addAll(List.of(tools.shell().toString(), "-c", "cd \"$1\"", "sh", sandbox.toString()));
    if (!SystemTools.succeeds(attempt)) {
      throw new LaunchException(obstacle.get());
    }
  }

  private void fetch(Managed managed, LaunchRequest request, Optional<Accounts.Account> account)
      throws LaunchException {
    Fetch fetch =
        fetcher.begin(
            request.command().getUrisList(),
            request.sandbox(),
            account.map(
                user -> new TaskUser(user.name(), user.uid(), user.gid(), switching(user))));
    boolean unwanted;
    synchronized (managed) {
      managed.fetch = fetch;
      unwanted = managed.cancelled;
    }
    if (unwanted) {
      fetch.cancel();
    }
    fetch
        .done()
        .whenCompleteAsync(
            (nothing, failure) -> {
              synchronized (managed) {
                managed.fetch = null;
              }
              if (failure == null) {
                fetches.increment();
                isolate(managed, request, account);
                return;
              }
              LaunchException reason = launchFailure(failure);
              if (!(reason.getCause() instanceof InterruptedException)) {
                failedFetches.increment();
              }
              fail(managed, reason);
            },
            workers);
  }

  private void checkNotCancelled(Managed managed) throws LaunchException {
    synchronized (managed) {
      if (managed.cancelled) {
        throw new LaunchException("The container was destroyed while it was being prepared");
      }
    }
  }

  private static LaunchException launchFailure(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && !(root instanceof LaunchException)) {
      root = root.getCause();
    }
    return root instanceof LaunchException
        ? (LaunchException) root
        : new LaunchException(String.valueOf(root.getMessage()), failure);
  }

  private void start(
      Managed managed, LaunchRequest request, Optional<Accounts.Account> account, LaunchPlan plan) {
    String id = managed.container.id();
    try {
      Files.createDirectory(managed.folder);
      write(managed.folder.resolve("sandbox"), request.sandbox() + "\n");
      writeScripts(managed.folder, request, account, plan);
      String procs = "";
      if (cgroups.isPresent()) {
        Path cgroup = cgroups.get().create(id);
        synchronized (managed) {
          managed.cgroup = cgroup;
        }
        write(managed.folder.resolve("cgroup"), cgroup + "\n");
        procs = cgroup.resolve("cgroup.procs").toString();
      }
      synchronized (managed) {
        if (managed.cancelled) {
          throw new LaunchException("The container was destroyed while it was being prepared");
        }
        managed.phase = Phase.STARTING;
        managed.startedNanos = System.nanoTime();
      }
      launcher.launch(id, managed.isolated, procs);
    } catch (LaunchException e) {
      fail(managed, e);
    } catch (IOException | RuntimeException | Error e) {
      LOG.error("Cannot start container {}", id, e);
      synchronized (managed) {
        managed.phase = Phase.PREPARING;
        managed.startedNanos = 0;
      }
      fail(managed, new LaunchException("Cannot start the container: " + e, e));
    }
  }

  private static void write(Path file, String text) throws IOException {
    Files.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Writes what the shim reads in order to become the task. The task's environment goes into these
   * files, which are closed to others, and from there into variables of the shell: arguments could
   * be read by every user of the machine.
   */
  private void writeScripts(
      Path folder, LaunchRequest request, Optional<Accounts.Account> account, LaunchPlan plan)
      throws LaunchException, IOException {
    Map<String, String> environment = new TreeMap<>(request.environment());
    environment.putAll(plan.environment());
    environment.putIfAbsent("PATH", SystemTools.DEFAULT_PATH);
    environment.put(MARKER, request.containerId());
    TaskVariables variables = TaskVariables.of(environment);

    Path command = folder.resolve("command");
    Path sandbox = request.sandbox();
    StringBuilder text = new StringBuilder(1024);
    if (account.isPresent()) {
      // The sandbox is entered, its files are opened and the environment is taken over as the user:
      // whatever links that user has put there lead nowhere it could not go by itself, and no
      // variable has a meaning to a program that is still root. The shell has the file open before
      // it is the user's, who could not open it.
      Path task = folder.resolve("task");
      StringBuilder asUser = new StringBuilder(1024);
      asUser.append("{ cd ").append(ShellText.quote(sandbox));
      asUser.append(" && exec </dev/null >>stdout 2>>stderr");
      asUser.append(variables.exports().isEmpty() ? "" : " && " + variables.exports());
      asUser.append(" && exec ").append(invocation(request.command(), variables)).append("; }\n");
      writePrivate(task, asUser.toString());
      text.append("exec ").append(limited(plan)).append(tools.setsid());
      for (String word : switching(account.get())) {
        text.append(' ').append(word);
      }
      text.append(' ').append(ShellText.quote(tools.shell())).append(" -s <");
      text.append(ShellText.quote(task)).append('\n');
    } else {
      text.append("exec </dev/null >>").append(ShellText.quote(sandbox.resolve("stdout")));
      text.append(" 2>>").append(ShellText.quote(sandbox.resolve("stderr"))).append('\n');
      text.append("cd ").append(ShellText.quote(sandbox)).append(" || exit 1\n");
      text.append(variables.exports()).append('\n');
      text.append("exec ").append(limited(plan)).append(tools.setsid()).append(' ');
      text.append(invocation(request.command(), variables)).append('\n');
    }
    writePrivate(command, text.toString());
  }

  /** What runs the rest of a command line under the plan's limits. */
  private String limited(LaunchPlan plan) throws LaunchException {
    if (plan.rlimits().isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder(64);
    text.append(tools.prlimit().orElseThrow());
    for (Map.Entry<String, LaunchPlan.Rlimit> limit : plan.rlimits().entrySet()) {
      text.append(' ').append(Rlimits.option(limit.getKey(), limit.getValue()));
    }
    return text.append(' ').toString();
  }

  private static void writePrivate(Path file, String text) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    write(file, text);
  }

  /** The command line of the task's first process, for a shell with its variables. */
  private String invocation(CommandInfo command, TaskVariables variables) throws LaunchException {
    StringBuilder text = new StringBuilder(256);
    text.append(tools.env());
    boolean shell = command.getShell();
    String program = command.getValue();
    if (!shell && program.isEmpty()) {
      throw new LaunchException("The command has neither a shell command nor a program to run");
    }
    // What env takes for a variable it never runs as a program.
    boolean assignment = program.indexOf('=') >= 0;
    Optional<String> name =
        shell || command.getArgumentsCount() == 0 || command.getArguments(0).equals(program)
            ? Optional.empty()
            : Optional.of(command.getArguments(0));
    boolean named = name.isPresent() && tools.argv0() && !assignment;
    if (named) {
      text.append(" --argv0=").append(ShellText.quote(name.get()));
    }
    text.append(variables.words());
    if (shell) {
      text.append(' ').append(ShellText.quote(tools.shell()));
      text.append(" -c ").append(ShellText.quote(program));
    } else {
      if (name.isPresent() && !named && tools.naming().isPresent()) {
        text.append(' ').append(tools.naming().get()).append(" -p -c ");
        text.append(ShellText.quote(withName(variables.names())));
        text.append(' ').append(ShellText.quote(name.get()));
      } else if (assignment) {
        text.append(' ').append(ShellText.quote(tools.shell())).append(" -c 'exec \"$@\"' sh");
      }
      text.append(' ').append(ShellText.quote(program));
      for (int i = 1; i < command.getArgumentsCount(); i++) {
        text.append(' ').append(ShellText.quote(command.getArguments(i)));
      }
    }
    return text.toString();
  }

  /**
   * Runs a program under the name that the shell got as its own (rule 200). Of the variables that
   * such shells add to the environment, what can be taken back is.
   */
  private static String withName(Set<String> variables) {
    StringBuilder text = new StringBuilder();
    for (String own : List.of("PWD", "OLDPWD")) {
      if (!variables.contains(own)) {
        text.append("unset ").append(own).append("; ");
      }
    }
    return text.append("exec -a \"$0\" -- \"$@\"").toString();
  }

  private List<String> switching(Accounts.Account account) {
    return List.of(
        tools.setpriv().orElseThrow().toString(),
        "--reuid=" + account.uid(),
        "--regid=" + account.gid(),
        "--groups=" + account.groups().stream().map(String::valueOf).collect(joining(",")));
  }

  /** Ends a launch; what was made for it is taken back first. */
  private void fail(Managed managed, LaunchException failure) {
    synchronized (managed) {
      if (managed.failure == null) {
        managed.failure = failure;
      }
    }
    beginDestroy(managed);
  }

  private final class Reports implements Launcher.Listener {
    @Override
    public void started(String containerId, long pid, long startTime, long shim) {
      Managed managed = containers.get(containerId);
      if (managed == null) {
        return;
      }
      boolean wanted;
      synchronized (managed) {
        managed.pid = pid;
        managed.startTime = startTime;
        managed.shim = shim;
        wanted = managed.phase == Phase.STARTING;
        if (wanted) {
          managed.phase = Phase.RUNNING;
        }
      }
      if (!wanted) {
        planSweep(0);
      } else if (!managed.isolated) {
        managed.launched.complete(new Launched(containerId, pid, managed.termination));
      } else {
        isolate(managed, pid);
      }
    }

    @Override
    public void exited(String containerId, int waitStatus) {
      Managed managed = containers.get(containerId);
      if (managed != null) {
        ended(managed, OptionalInt.of(waitStatus));
      }
    }

    @Override
    public void failed(String containerId, String reason) {
      Managed managed = containers.get(containerId);
      if (managed != null) {
        fail(managed, new LaunchException("The shim " + reason));
      }
    }

    @Override
    public void lost() {
      for (Managed managed : containers.values()) {
        boolean starting;
        synchronized (managed) {
          starting = managed.phase == Phase.STARTING;
        }
        if (starting) {
          fail(managed, new LaunchException("The launcher shell of the agent was lost"));
        }
      }
    }
  }

  private void isolate(Managed managed, long pid) {
    isolators
        .isolate(managed.container.toBuilder().pid(pid).build())
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                fail(managed, launchFailure(failure));
                return;
              }
              // First, or a short process may be over and forgotten before it counts as launched.
              managed.launched.complete(
                  new Launched(managed.container.id(), pid, managed.termination));
              try {
                launcher.release(managed.container.id());
              } catch (IOException e) {
                LOG.error("Cannot let container {} go", managed.container.id(), e);
                fail(managed, new LaunchException("Cannot let the container go: " + e, e));
              }
            });
  }

  private void limited(ContainerLimitation reached) {
    Managed managed = containers.get(reached.containerId());
    if (managed == null) {
      return;
    }
    synchronized (managed) {
      if (managed.limitation.isEmpty()) {
        managed.limitation =
            Optional.of(new Limitation(reached.resources(), reached.reason(), reached.message()));
      }
    }
    LOG.info(
        "Container {} reached a limit and is destroyed: {}",
        reached.containerId(),
        reached.message());
    beginDestroy(managed);
  }

  // Ending.

  private void ended(Managed managed, OptionalInt waitStatus) {
    Termination outcome;
    synchronized (managed) {
      if (managed.waitStatus.isEmpty()) {
        managed.waitStatus = waitStatus;
      }
      outcome = managed.outcome();
      if (!managed.launched.isDone() && managed.failure == null) {
        managed.failure =
            new LaunchException("The container " + outcome.describe() + " before it was let go");
      }
    }
    if (!managed.isolated) {
      managed.termination.complete(outcome);
    }
    beginDestroy(managed);
  }

  @Override
  public void signal(String containerId, int signal) {
    Managed managed = containers.get(containerId);
    if (managed == null) {
      return;
    }
    execute(
        () -> {
          Set<Long> pids = members(managed, null);
          if (!pids.isEmpty()) {
            launcher.kill(signal, pids);
          }
        });
  }

  private void execute(Runnable task) {
    try {
      workers.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.error("The containerizer has too much to do; work on a container was dropped", e);
    }
  }

  @Override
  public CompletionStage<Void> destroy(String containerId) {
    Managed managed = containers.get(containerId);
    if (managed == null) {
      return CompletableFuture.completedStage(null);
    }
    beginDestroy(managed);
    return managed.destroyed;
  }

  private void beginDestroy(Managed managed) {
    boolean preparing;
    synchronized (managed) {
      managed.cancelled = true;
      if (managed.phase == Phase.DESTROYING || managed.phase == Phase.GONE) {
        return;
      }
      preparing = managed.phase == Phase.PREPARING;
      if (preparing && managed.failure == null) {
        // Whoever prepares notices the cancellation and comes back with a failure.
        if (managed.fetch != null) {
          managed.fetch.cancel();
        }
        return;
      }
      managed.phase = Phase.DESTROYING;
    }
    destroying.add(managed);
    planSweep(0);
  }

  private void planSweep(long delayMillis) {
    if (sweepPlanned.compareAndSet(false, true)) {
      try {
        timer.schedule(this::sweep, delayMillis, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("No more sweeps: the containerizer is closed");
      }
    }
  }

  /** Kills what is left of every container that is being destroyed; one pass over all of them. */
  private void sweep() {
    sweepPlanned.set(false);
    try {
      ProcFs.Snapshot snapshot = null;
      for (Managed managed : destroying) {
        boolean starting;
        synchronized (managed) {
          starting =
              managed.startedNanos != 0
                  && managed.pid == 0
                  && managed.waitStatus.isEmpty()
                  && System.nanoTime() - managed.startedNanos < START_LIMIT.toNanos();
        }
        if (starting) {
          continue;
        }
        if (managed.cgroup == null && managed.pid != 0 && snapshot == null) {
          snapshot = new ProcFs.Snapshot();
        }
        if (managed.pid == 0 && managed.cgroup == null || !kill(managed, snapshot)) {
          settle(managed);
        }
      }
    } catch (RuntimeException e) {
      destroyErrors.increment();
      LOG.error("A pass over containers to destroy failed; the next one tries again", e);
    }
    if (!destroying.isEmpty()) {
      planSweep(SWEEP_MILLIS);
    }
  }

  /** Kills what there is; false when there was nothing. */
  private boolean kill(Managed managed, ProcFs.Snapshot snapshot) {
    Set<Long> pids = members(managed, snapshot);
    if (pids.isEmpty()) {
      return false;
    }
    if (managed.cgroup != null) {
      Cgroups groups = cgroups.orElseThrow();
      groups.freeze(managed.cgroup);
      pids = new TreeSet<>(pids);
      pids.addAll(groups.processes(managed.cgroup));
      launcher.kill(9, pids);
      launcher.write(groups.thaw(), groups.freezer(managed.cgroup));
    } else {
      launcher.kill(9, pids);
    }
    return true;
  }

  private Set<Long> members(Managed managed, ProcFs.Snapshot snapshot) {
    if (managed.cgroup != null && cgroups.isPresent()) {
      return cgroups.get().processes(managed.cgroup);
    }
    long leader;
    long startTime;
    synchronized (managed) {
      leader = managed.pid;
      startTime = managed.startTime;
    }
    if (leader != 0
        && ProcFs.stat(leader).map(stat -> stat.startTime() != startTime).orElse(false)) {
      leader = 0;
    }
    return (snapshot == null ? new ProcFs.Snapshot() : snapshot)
        .members(managed.container.id(), leader);
  }

  /** Nothing runs any more: waits a moment for the shim's report, then cleans up. */
  private void settle(Managed managed) {
    synchronized (managed) {
      if (managed.finishing) {
        return;
      }
      if (managed.startedNanos != 0 && managed.waitStatus.isEmpty()) {
        managed.waitStatus = readStatus(managed.folder);
      }
      if (managed.startedNanos != 0 && managed.waitStatus.isEmpty()) {
        long now = System.nanoTime();
        if (managed.emptySinceNanos == 0) {
          managed.emptySinceNanos = now;
        }
        long passed = now - managed.emptySinceNanos;
        // A shim that lives will report, however little of a processor a busy machine gives it.
        if (passed < STATUS_LIMIT.toNanos()
            || passed < START_LIMIT.toNanos() && alive(managed.shim)) {
          return;
        }
      }
      managed.finishing = true;
    }
    destroying.remove(managed);
    if (!managed.isolated) {
      managed.termination.complete(outcome(managed));
      execute(() -> remove(managed));
    } else {
      isolators
          .cleanup(managed.container)
          .whenComplete((done, failure) -> managed.termination.complete(outcome(managed)))
          .whenCompleteAsync((done, failure) -> remove(managed), workers);
    }
  }

  private static Termination outcome(Managed managed) {
    synchronized (managed) {
      return managed.outcome();
    }
  }

  private static boolean alive(long pid) {
    return pid != 0 && ProcFs.stat(pid).map(stat -> !stat.dead()).orElse(false);
  }

  private void remove(Managed managed) {
    if (managed.cgroup != null && !cgroups.orElseThrow().remove(managed.cgroup)) {
      // A process that was just reaped may still be accounted for.
      synchronized (managed) {
        managed.finishing = false;
      }
      destroying.add(managed);
      planSweep(SWEEP_MILLIS);
      return;
    }
    try {
      deleteFolder(managed.folder);
    } catch (IOException | UncheckedIOException e) {
      destroyErrors.increment();
      LOG.warn("Cannot remove {}; it is removed when the agent starts again", managed.folder, e);
    }
    LaunchException failure;
    synchronized (managed) {
      managed.phase = Phase.GONE;
      failure =
          managed.failure != null
              ? managed.failure
              : new LaunchException("The container was destroyed while it was being launched");
    }
    containers.remove(managed.container.id(), managed);
    isolators.forget(managed.container.id());
    managed.launched.completeExceptionally(failure);
    managed.destroyed.complete(null);
  }

  private static void deleteFolder(Path folder) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        Files.deleteIfExists(entry);
      }
    } catch (NoSuchFileException e) {
      return;
    }
    Files.deleteIfExists(folder);
  }

  private static OptionalInt readStatus(Path folder) {
    return readLine(folder.resolve("status"))
        .map(line -> OptionalInt.of(Integer.parseInt(line)))
        .orElse(OptionalInt.empty());
  }

  private static Optional<String> readLine(Path file) {
    try {
      String text = Files.readString(file);
      return text.endsWith("\n")
          ? Optional.of(text.substring(0, text.length() - 1))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Notices containers whose shim died without a word. */
  private void checkLiveness() {
    try {
      for (Managed managed : containers.values()) {
        long pid;
        long startTime;
        synchronized (managed) {
          if (managed.phase == Phase.STARTING
              && System.nanoTime() - managed.startedNanos > START_LIMIT.toNanos()) {
            managed.failure = new LaunchException("The shim did not start the container in time");
          } else if (managed.phase != Phase.RUNNING) {
            continue;
          }
          pid = managed.pid;
          startTime = managed.startTime;
          if (pid != 0
              && ProcFs.stat(pid)
                  .map(stat -> stat.startTime() == startTime && !stat.dead())
                  .orElse(false)) {
            managed.missedOnce = false;
            continue;
          }
          if (managed.failure == null && (!managed.missedOnce || alive(managed.shim))) {
            managed.missedOnce = true;
            continue;
          }
        }
        if (managed.failure != null) {
          beginDestroy(managed);
        } else {
          LOG.warn("Container {} ended and its shim did not say so", managed.container.id());
          ended(managed, readStatus(managed.folder));
        }
      }
    } catch (RuntimeException e) {
      LOG.error("Looking for lost containers failed; it is tried again", e);
    }
  }

  // Asking.

  @Override
  public CompletionStage<Optional<ResourceStatistics>> usage(String containerId) {
    Managed managed = containers.get(containerId);
    if (managed == null) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    return CompletableFuture.supplyAsync(() -> ownUsage(managed), workers)
        .thenCompose(
            own -> isolators.usage(managed.container.toBuilder().pid(managed.pid).build(), own))
        .thenApply(all -> Optional.of(all.build()));
  }

  private ResourceStatistics.Builder ownUsage(Managed managed) {
    long user = 0;
    long system = 0;
    long pages = 0;
    int processes = 0;
    long threads = 0;
    for (long pid : members(managed, null)) {
      Optional<ProcFs.Stat> stat = ProcFs.stat(pid);
      if (stat.isPresent()) {
        user += stat.get().userTicks();
        system += stat.get().systemTicks();
        pages += stat.get().rssPages();
        threads += stat.get().threads();
        processes++;
      }
    }
    ResourceStatistics.Builder usage =
        ResourceStatistics.newBuilder()
            .setTimestamp(host.agent().clock().millis() / 1000.0)
            .setProcesses(processes)
            .setThreads((int) threads)
            .setCpusUserTimeSecs(user / TICKS_PER_SECOND)
            .setCpusSystemTimeSecs(system / TICKS_PER_SECOND)
            .setMemRssBytes(pages * PAGE_BYTES);
    long cpus = managed.container.resources().scalar("cpus");
    if (cpus > 0) {
      usage.setCpusLimit(cpus / 1000.0);
    }
    long mem = managed.container.resources().scalar("mem");
    if (mem > 0) {
      usage.setMemLimitBytes(mem * 1024 * 1024 / 1000);
    }
    return usage;
  }

  @Override
  public CompletionStage<ContainerStatus> status(String containerId) {
    ContainerStatus.Builder own =
        ContainerStatus.newBuilder().setContainerId(ContainerID.newBuilder().setValue(containerId));
    Managed managed = containers.get(containerId);
    if (managed == null || managed.pid == 0) {
      return CompletableFuture.completedStage(own.build());
    }
    own.setExecutorPid((int) managed.pid);
    return isolators
        .status(managed.container.toBuilder().pid(managed.pid).build(), own)
        .thenApply(ContainerStatus.Builder::build);
  }

  @Override
  public void selectIsolation(List<String> isolation) {
    isolators.select(isolation);
  }

  @Override
  public Set<String> containers() {
    return Set.copyOf(containers.keySet());
  }

  /** What runs without ever having been prepared by isolators is none of theirs. */
  private List<Container> isolatedContainers() {
    List<Container> running = new ArrayList<>();
    for (Managed managed : containers.values()) {
      synchronized (managed) {
        if (managed.pid != 0 && managed.isolated) {
          running.add(managed.container.toBuilder().pid(managed.pid).build());
        }
      }
    }
    return running;
  }

  // Leftovers.

  @Override
  public CompletionStage<List<Leftover>> destroyLeftovers() {
    List<Managed> found = new ArrayList<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(containersFolder)) {
      for (Path folder : folders) {
        String id = folder.getFileName().toString();
        if (!containers.containsKey(id)) {
          found.add(leftover(id, folder));
        }
      }
    } catch (IOException e) {
      return CompletableFuture.failedStage(e);
    }
    Map<String, CompletableFuture<Termination>> ends = new HashMap<>();
    CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
    for (Managed managed : found) {
      containers.put(managed.container.id(), managed);
      ends.put(managed.container.id(), managed.termination);
      all = all.thenCombine(managed.destroyed, (a, b) -> null);
      destroying.add(managed);
    }
    planSweep(0);
    return all.thenApply(
        ignored ->
            ends.entrySet().stream()
                .map(end -> new Leftover(end.getKey(), end.getValue().join()))
                .toList());
  }

  private Managed leftover(String id, Path folder) {
    Managed managed =
        new Managed(
            Container.builder(id, readLine(folder.resolve("sandbox")).map(Path::of).orElse(folder))
                .build(),
            folder);
    managed.phase = Phase.DESTROYING;
    managed.cancelled = true;
    managed.isolated = !isolators.isEmpty();
    managed.waitStatus = readStatus(folder);
    Optional<String> pid = readLine(folder.resolve("pid"));
    if (pid.isPresent()) {
      String[] words = pid.get().split(" ");
      managed.pid = Long.parseLong(words[0]);
      managed.startTime = Long.parseLong(words[1]);
      managed.shim = words.length > 2 ? Long.parseLong(words[2]) : 0;
      managed.startedNanos = System.nanoTime();
    }
    if (cgroups.isPresent()) {
      managed.cgroup =
          readLine(folder.resolve("cgroup")).map(Path::of).filter(Files::isDirectory).orElse(null);
    }
    return managed;
  }

  @Override
  public void close(Duration limit) {
    closed = true;
    CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
    for (Managed managed : containers.values()) {
      beginDestroy(managed);
      all = all.thenCombine(managed.destroyed, (a, b) -> null);
    }
    try {
      all.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.error(
          "{} containers are not gone after {} s and are left: {}",
          containers.size(),
          limit.toSeconds(),
          containers.keySet());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (java.util.concurrent.ExecutionException e) {
      LOG.error("Destroying containers failed", e);
    }
    timer.shutdownNow();
    launcher.close();
    isolators.close();
    fetcher.close();
    moduleEvents.shutdown();
    workers.shutdown();
    cgroups.ifPresent(Cgroups::close);
  }
}
