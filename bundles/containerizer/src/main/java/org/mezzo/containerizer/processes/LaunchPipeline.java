package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.Metrics;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.logger.LogPlan;
import org.mezzo.containerizer.AfterFetch;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.ContainerVolume.From;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.UnableException;
import org.mezzo.containerizer.fetching.Fetch;
import org.mezzo.containerizer.fetching.TaskUser;
import org.mezzo.containerizer.fetching.UriFetcher;
import org.mezzo.containerizer.isolation.IsolatorChain;
import org.mezzo.containerizer.logging.Loggers;
import org.mezzo.containerizer.processes.Lifecycle.Event;
import org.mezzo.containerizer.secrets.Secrets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The steps of launches, each of which ends with an event, whatever happens in it. No method waits
 * for its step.
 */
final class LaunchPipeline {
  private static final Logger LOG = LoggerFactory.getLogger(LaunchPipeline.class);

  /** The variable by which the processes of a container are known. */
  static final String MARKER = "MEZZO_CONTAINER_ID";

  /** What programs take terminals for unless they are told. */
  private static final String TERMINAL_KIND = "xterm";

  /** Makes a sandbox with the rights of the user in whose folder it is. */
  private static final String MAKE_SANDBOX =
      "umask 027 && mkdir -p \"$1\" && : >>\"$1/stdout\" && : >>\"$1/stderr\"";

  /** Told how steps end; on any thread. */
  interface Listener {
    void done(ManagedContainer container, Event event);

    void failed(ManagedContainer container, LaunchException failure);
  }

  private final SystemTools tools;
  private final Accounts accounts;
  private final Lanes lanes;
  private final ContainerVolumes volumes;
  private final UriFetcher fetcher;
  private final AfterFetch afterFetch;
  private final IsolatorChain isolators;
  private final Loggers loggers;
  private final Secrets secrets;
  private final Launcher launcher;
  private final Optional<Cgroups> cgroups;
  private final Listener listener;
  private final Metrics.Counter fetches;
  private final Metrics.Counter failedFetches;

  LaunchPipeline(
      SystemTools tools,
      Accounts accounts,
      Lanes lanes,
      SandboxLinks links,
      UriFetcher fetcher,
      AfterFetch afterFetch,
      IsolatorChain isolators,
      Loggers loggers,
      Secrets secrets,
      Launcher launcher,
      Optional<Cgroups> cgroups,
      Metrics metrics,
      Listener listener) {
    this.tools = tools;
    this.accounts = accounts;
    this.lanes = lanes;
    volumes = new ContainerVolumes(tools, links);
    this.fetcher = fetcher;
    this.afterFetch = afterFetch;
    this.isolators = isolators;
    this.loggers = loggers;
    this.secrets = secrets;
    this.launcher = launcher;
    this.cgroups = cgroups;
    this.listener = listener;
    fetches = metrics.counter("containerizer/fetcher/task_fetches_succeeded");
    failedFetches = metrics.counter("containerizer/fetcher/task_fetches_failed");
  }

  /** What may go wrong in a step. */
  private interface Step {
    void run() throws LaunchException, IOException;
  }

  /** Nothing that goes wrong with one launch loses it, or the thread that carries it out. */
  private void step(ManagedContainer container, Executor lane, String failing, Step step) {
    try {
      lane.execute(() -> step(container, failing, step));
    } catch (RejectedExecutionException e) {
      listener.failed(
          container, new LaunchException("Too many launches are waiting on this agent", e));
    }
  }

  private void step(ManagedContainer container, String failing, Step step) {
    try {
      step.run();
    } catch (LaunchException e) {
      listener.failed(container, e);
    } catch (IOException e) {
      listener.failed(container, new LaunchException(failing + ": " + e, e));
    } catch (RuntimeException | Error e) {
      LOG.error("Preparing container {} failed", container, e);
      listener.failed(container, new LaunchException("Preparing the container failed: " + e, e));
    }
  }

  /** Looks up the account and makes the sandbox, with the folders that are to appear in it. */
  void provision(ManagedContainer container, Launch launch) {
    LaunchRequest request = launch.request;
    CompletableFuture<Void> known =
        accounts
            .find(request.user(), request.rootAllowed(), lanes.lookups)
            .thenCompose(
                found -> {
                  launch.account = found;
                  return around(container, launch);
                })
            .thenAccept(found -> launch.around = found);
    launch.onCancel(() -> known.completeExceptionally(Launch.unwanted()));
    known.whenComplete(
        (nothing, failure) -> {
          if (failure != null) {
            listener.failed(container, reason(failure));
            return;
          }
          step(
              container,
              lanes.files,
              "Failed to create the sandbox",
              () -> {
                launch.check();
                makeSandbox(container, launch);
                volumes.make(container, launch);
                if (launch.request.command().getUrisCount() > 0) {
                  // What fetches for it is in its cgroup, too.
                  makeRoom(container, launch);
                }
                listener.done(container, Event.PROVISIONED);
              });
        });
  }

  /** The account of the container around, where something is to be made in its sandbox. */
  private CompletableFuture<Optional<Accounts.Account>> around(
      ManagedContainer container, Launch launch) {
    return launch.volumes.stream().anyMatch(it -> it.from() == From.PARENT)
        ? accounts.find(
            Optional.of(container.parent.orElseThrow().container.user()), true, lanes.lookups)
        : CompletableFuture.completedFuture(Optional.empty());
  }

  private void makeSandbox(ManagedContainer container, Launch launch)
      throws LaunchException, IOException {
    LaunchRequest request = launch.request;
    Optional<Accounts.Account> account = launch.account;
    if (container.host().isPresent()) {
      nestedSandbox(container, container.host().get(), launch);
      return;
    }
    Sandboxes.create(request.sandbox(), request.owned(), account);
    if (account.isPresent()) {
      checkEnterable(request.sandbox(), account.get());
    }
  }

  /**
   * In a folder that belongs to a task nothing is made with other rights than those of its user,
   * who may exchange whatever is in it.
   */
  private void nestedSandbox(ManagedContainer container, ManagedContainer outer, Launch launch)
      throws LaunchException, IOException {
    Path sandbox = launch.request.sandbox();
    Optional<Accounts.Account> account = launch.account;
    String theirs = outer.container.user();
    if (accounts.switching()
        && account.isEmpty()
        && !theirs.equals(System.getProperty("user.name"))) {
      throw new LaunchException(
          "Container '"
              + container
              + "' cannot run as the agent's own user in the sandbox of user '"
              + theirs
              + "'; give its command that user or another one");
    }
    if (sandbox.equals(outer.container.sandbox())) {
      return;
    }
    if (account.isEmpty()) {
      Sandboxes.create(sandbox, List.of(), account);
      return;
    }
    if (!tools.succeeds(account, MAKE_SANDBOX, sandbox)) {
      throw new LaunchException(
          "User '"
              + account.get().name()
              + "' cannot make the sandbox '"
              + sandbox
              + "' in that of container '"
              + outer
              + "', which is of user '"
              + theirs
              + "'; let it write there or give the command another user");
    }
  }

  /** Says what keeps the user out, which a process that is to run there could not. */
  private void checkEnterable(Path sandbox, Accounts.Account account)
      throws LaunchException, IOException {
    Optional<String> obstacle = Sandboxes.obstacle(sandbox, account);
    // The modes of folders are not all that counts: access lists may let the user in.
    if (obstacle.isPresent() && !tools.succeeds(Optional.of(account), "cd \"$1\"", sandbox)) {
      throw new LaunchException(obstacle.get());
    }
  }

  /** Whether there is anything to fetch, or somebody wants to look at the sandbox. */
  boolean fetches(ManagedContainer container, Launch launch) {
    return launch.request.command().getUrisCount() > 0 || looksAt(container, launch);
  }

  /** Nobody is shown a sandbox a second time for a container in it that fetched nothing. */
  private boolean looksAt(ManagedContainer container, Launch launch) {
    return !afterFetch.isEmpty()
        && (launch.request.command().getUrisCount() > 0 || !shares(container, launch));
  }

  private static boolean shares(ManagedContainer container, Launch launch) {
    return container
        .parent
        .filter(outer -> outer.container.sandbox().equals(launch.request.sandbox()))
        .isPresent();
  }

  /** Brings the URIs of the command into the sandbox, and lets look at them who wants to. */
  void fetch(ManagedContainer container, Launch launch) {
    if (launch.request.command().getUrisCount() == 0) {
      fetched(container, launch);
      return;
    }
    step(
        container,
        Runnable::run,
        "Fetching failed",
        () -> {
          LaunchRequest request = launch.request;
          Fetch fetch =
              fetcher.begin(
                  request.command().getUrisList(),
                  request.sandbox(),
                  launch.account.map(
                      user ->
                          new TaskUser(user.name(), user.uid(), user.gid(), tools.switching(user))),
                  container.cgroup);
          launch.onCancel(fetch::cancel);
          fetch
              .done()
              .whenComplete(
                  (nothing, failure) -> {
                    if (failure == null) {
                      fetches.increment();
                      fetched(container, launch);
                      return;
                    }
                    LaunchException reason = reason(failure);
                    if (!(reason.getCause() instanceof InterruptedException)) {
                      failedFetches.increment();
                    }
                    listener.failed(container, reason);
                  });
        });
  }

  private void fetched(ManagedContainer container, Launch launch) {
    if (!looksAt(container, launch)) {
      listener.done(container, Event.FETCHED);
      return;
    }
    step(
        container,
        Runnable::run,
        "Looking at the sandbox failed",
        () -> {
          CompletableFuture<Void> seen = new CompletableFuture<>();
          launch.onCancel(() -> seen.completeExceptionally(Launch.unwanted()));
          seen.whenComplete(
              (nothing, failure) -> {
                if (failure == null) {
                  listener.done(container, Event.FETCHED);
                } else {
                  listener.failed(container, reason(failure));
                }
              });
          afterFetch
              .fetched(container.id, launch.request.sandbox())
              .whenComplete((looked, failure) -> seen.complete(null));
        });
  }

  /** Asks isolators how to launch it. */
  void prepare(ManagedContainer container, Launch launch) {
    step(
        container,
        Runnable::run,
        "Preparing the container failed",
        () ->
            isolators
                .prepare(container.container)
                .whenComplete(
                    (plan, failure) -> {
                      if (failure != null) {
                        listener.failed(container, reason(failure));
                        return;
                      }
                      launch.plan = plan;
                      listener.done(container, Event.PLANNED);
                    }));
  }

  /**
   * Has the launcher make the first process.
   *
   * @param held whether the process waits
   */
  void spawn(ManagedContainer container, Launch launch, boolean held) {
    // Loggers see no secret.
    logs(container, launch, environment(container, launch, Map.of()))
        .thenCombine(
            secrets.resolve(launch.request.secrets()),
            (logs, secret) -> {
              spawn(container, launch, held, environment(container, launch, secret), logs);
              return null;
            })
        .whenComplete(
            (nothing, failure) -> {
              if (failure != null) {
                listener.failed(container, reason(failure));
              }
            });
  }

  private static Map<String, String> environment(
      ManagedContainer container, Launch launch, Map<String, String> secret) {
    Map<String, String> environment = new TreeMap<>(launch.request.environment());
    environment.putAll(secret);
    environment.putAll(launch.plan.environment());
    environment.putIfAbsent("PATH", SystemTools.DEFAULT_PATH);
    environment.put(MARKER, container.container.id());
    if (io(launch).terminal().isPresent()) {
      environment.putIfAbsent("TERM", TERMINAL_KIND);
    }
    return environment;
  }

  /** What was asked for, with a terminal where an isolator wants one. */
  private static ContainerIo io(Launch launch) {
    ContainerIo io = launch.request.io();
    return launch.plan.tty() && io.terminal().isEmpty()
        ? io.on(new ContainerIo.Terminal(Optional.empty()))
        : io;
  }

  private CompletionStage<LogPlan> logs(
      ManagedContainer container, Launch launch, Map<String, String> environment) {
    return io(launch).keeping() == ContainerIo.Keeping.LOGGER && !shares(container, launch)
        ? loggers.prepare(container.container, Collections.unmodifiableMap(environment))
        : CompletableFuture.completedStage(LogPlan.FILES);
  }

  private void spawn(
      ManagedContainer container,
      Launch launch,
      boolean held,
      Map<String, String> environment,
      LogPlan logs) {
    step(
        container,
        lanes.spawn,
        "Cannot start the container",
        () -> {
          launch.check();
          LaunchRequest request = launch.request;
          Optional<ShimProcess> network = network(container);
          Mounting mounting = mounting(container, launch);
          if (!launch.room) {
            makeRoom(container, launch);
          }
          launch.check();
          container.askedNanos = System.nanoTime();
          listener.done(container, Event.SPAWNED);
          launcher.launch(
              new Launcher.Start(
                  container.key,
                  container.folder,
                  request.sandbox(),
                  request.command(),
                  environment,
                  launch.account,
                  launch.plan,
                  container.cgroup,
                  held,
                  io(launch),
                  logs,
                  network,
                  mounting));
        });
  }

  /**
   * The process in whose network a nested container is to be: where its parent has one of its own,
   * that one's.
   */
  private Optional<ShimProcess> network(ManagedContainer container) throws LaunchException {
    Optional<ShimProcess> outer = container.host().flatMap(it -> it.process);
    if (outer.isEmpty() || ProcFs.sharesNetwork(outer.get().pid())) {
      return Optional.empty();
    }
    if (!launcher.entersNetworks()) {
      throw new UnableException(
          "Container '"
              + container
              + "' is to be nested in one with a network namespace of its own, which the launcher"
              + " of this agent cannot enter; the native launcher can");
    }
    return outer;
  }

  /**
   * Where its mounts are: a nested container is in the mount namespace of its parent, where that is
   * not the agent's, and what is mounted for itself is in one of its own on top.
   */
  private Mounting mounting(ManagedContainer container, Launch launch) throws LaunchException {
    Optional<ShimProcess> outer =
        container.host().flatMap(it -> it.process).filter(it -> !ProcFs.sharesMounts(it.pid()));
    List<Mounting.Mount> mounts = new ArrayList<>();
    for (LaunchPlan.Mount mount : launch.plan.mounts()) {
      boolean readOnly = mount.options().contains("ro");
      Path source = Path.of(mount.source());
      mounts.add(new Mounting.Mount(source, false, mount.target(), Path.of(""), readOnly, false));
    }
    mounts.addAll(launch.mounts);
    boolean own =
        !mounts.isEmpty()
            || !launch.plan.namespaces().isEmpty()
            || launch.mounting && outer.isEmpty();
    if (outer.isEmpty() && !own) {
      return Mounting.NONE;
    }
    Optional<String> obstacle = launcher.mountObstacle();
    if (obstacle.isPresent()) {
      throw new UnableException(
          "Container '"
              + container
              + "' needs a mount namespace that is not the agent's: "
              + obstacle.get());
    }
    return new Mounting(outer, own, mounts);
  }

  /** Makes the folder of its files, and its cgroup. */
  private void makeRoom(ManagedContainer container, Launch launch) throws IOException {
    Path folder = container.folder;
    Files.createDirectories(folder.getParent());
    Files.createDirectory(folder);
    write(folder.resolve("sandbox"), launch.request.sandbox() + "\n");
    if (cgroups.isPresent()) {
      Optional<Path> outer = container.parent.flatMap(it -> it.cgroup);
      String name = outer.isPresent() ? container.id.fileName() : container.id.path();
      Path cgroup = cgroups.get().folder(outer, name);
      write(folder.resolve("cgroup"), cgroup + "\n");
      cgroups.get().create(cgroup);
      container.cgroup = Optional.of(cgroup);
    }
    launch.room = true;
  }

  private static void write(Path file, String text) throws IOException {
    Files.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /** Whether a container waits for being isolated even where no isolator is asked. */
  boolean joins(ManagedContainer container) {
    return container.host().isPresent() && cgroups.map(Cgroups::joins).orElse(false);
  }

  /**
   * Isolates the first process, which waits.
   *
   * @param isolated whether isolators are asked
   */
  void isolate(ManagedContainer container, boolean isolated) {
    step(
        container,
        joins(container) ? lanes.spawn : Runnable::run,
        "Cannot isolate the container",
        () -> {
          long pid = container.process.orElseThrow().pid();
          if (joins(container)) {
            Optional<ShimProcess> outer = container.host().orElseThrow().process;
            if (outer.isPresent()) {
              cgroups.orElseThrow().join(pid, outer.get().pid());
            }
          }
          if (!isolated) {
            listener.done(container, Event.ISOLATED);
            return;
          }
          isolators
              .isolate(container.withProcess())
              .whenComplete(
                  (done, failure) -> {
                    if (failure == null) {
                      listener.done(container, Event.ISOLATED);
                    } else {
                      listener.failed(container, reason(failure));
                    }
                  });
        });
  }

  /** Lets the first process go on. */
  void release(ManagedContainer container) {
    step(
        container,
        lanes.spawn,
        "Cannot let the container go",
        () -> launcher.release(container.folder));
  }

  private static LaunchException reason(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && !(root instanceof LaunchException)) {
      root = root.getCause();
    }
    return root instanceof LaunchException
        ? (LaunchException) root
        : new LaunchException(String.valueOf(root.getMessage()), failure);
  }
}
