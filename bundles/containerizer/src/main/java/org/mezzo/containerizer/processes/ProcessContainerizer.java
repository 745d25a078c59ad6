package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.mezzo.api.Metrics;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.containerizer.AttachException;
import org.mezzo.containerizer.Attachment;
import org.mezzo.containerizer.ContainerExistsException;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.ContainerInput;
import org.mezzo.containerizer.ContainerVolume;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.OutputSink;
import org.mezzo.containerizer.Termination;
import org.mezzo.containerizer.fetching.UriFetcher;
import org.mezzo.containerizer.isolation.IsolatorChain;
import org.mezzo.containerizer.logging.Loggers;
import org.mezzo.containerizer.processes.Lifecycle.Effect;
import org.mezzo.containerizer.processes.Lifecycle.Event;
import org.mezzo.containerizer.secrets.Secrets;
import org.mezzo.files.log.Boot;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Containers as processes below shims. Everything that happens comes to one loop, which asks the
 * {@link Lifecycle} of the container what is to be done, has its new state written, and then hands
 * the work to whose it is; nothing is decided anywhere else.
 */
public final class ProcessContainerizer implements Containerizer {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessContainerizer.class);
  private static final int MOST_LAUNCHES = 100_000;
  private static final int MOST_RESULTS = 10_000;

  private final ContainerLoop loop;
  private final ContainerTable table = new ContainerTable(MOST_RESULTS);
  private final Lanes lanes;
  private final ExecutorService moduleEvents;
  private final ContainerLog log;
  private final RuntimeFolder files;
  private final Optional<Cgroups> cgroups;
  private final Launcher launcher;
  private final IsolatorChain isolators;
  private final UriFetcher fetcher;
  private final Loggers loggers;
  private final Secrets secrets;
  private final Attachments attachments;
  private final LaunchPipeline pipeline;
  private final Destroyer destroyer;
  private final Usage usage;
  private final Recovery recovery;
  private final Resizing resizing;
  private final SandboxLinks links;
  private final Metrics.Counter destroyErrors;
  private final Metrics.Counter helpersLost;

  // Of the loop.
  private int launching;
  private boolean closing;

  private final AtomicBoolean ended = new AtomicBoolean();

  /** Opens the containerizer of an agent. */
  public ProcessContainerizer(ContainerizerHost host, ContainerizerOptions options)
      throws IOException {
    this(host, options, SystemTools.find(options.shell()));
  }

  private ProcessContainerizer(
      ContainerizerHost host, ContainerizerOptions options, SystemTools tools) throws IOException {
    this(host, options, tools, new Accounts(tools, options.switchUser()));
  }

  ProcessContainerizer(
      ContainerizerHost host, ContainerizerOptions options, SystemTools tools, Accounts accounts)
      throws IOException {
    String boot = Boot.id();
    cgroups =
        options
            .cgroups()
            .filter(unused -> accounts.root())
            .flatMap(root -> Cgroups.find(root.hierarchy(), root.name()));
    if (cgroups.isEmpty()) {
      LOG.info(
          "Containers have no cgroup of their own: a kill finds their processes by session and"
              + " environment, which a process that hides from both escapes");
    }
    files = new RuntimeFolder(host.agent().runtimeDir());
    String name = host.agent().daemon();
    Metrics metrics = host.agent().metrics();
    destroyErrors = metrics.counter("containerizer/mesos/container_destroy_errors");
    helpersLost = metrics.counter("containerizer/output_helpers_lost");
    Metrics.Counter logErrors = metrics.counter("containerizer/log_errors");

    Path logFile = files.path().resolve("containers.log");
    ContainerLog.Found found = ContainerLog.read(logFile, boot);
    recovery = new Recovery(table, files, found);
    List<byte[]> known = recovery.entries();

    lanes = new Lanes(name);
    moduleEvents = Executors.newSingleThreadExecutor(Lanes.threads(name + "-isolation-"));
    loop = new ContainerLoop(name + "-containers");
    log =
        new ContainerLog(
            logFile, boot, name + "-containers-log", known, this::entries, logErrors::increment);
    fetcher = new UriFetcher(host, options, moduleEvents);
    launcher = Launchers.open(options.launcher(), files.path(), tools, new Reports());
    Optional<String> unmountable =
        IsolatorChain.mountProblem(options.isolation(), launcher.mountObstacle());
    if (unmountable.isPresent()) {
      launcher.close();
      log.close();
      lanes.close();
      fetcher.close();
      moduleEvents.shutdown();
      throw new IOException(unmountable.get());
    }
    isolators =
        new IsolatorChain(
            host,
            options.isolation(),
            launcher.features(),
            moduleEvents,
            this::limited,
            this::isolatedContainers,
            recovery.prepared(),
            this::prepared,
            new Watching());
    loggers =
        new Loggers(
            host,
            options.logging(),
            launcher.streams().stream()
                .map(Launcher.Stream::word)
                .collect(Collectors.toUnmodifiableSet()),
            moduleEvents);
    secrets = new Secrets(host, options.secretResolver(), moduleEvents);
    attachments = new Attachments(name, lanes.files, metrics);
    Steps steps = new Steps();
    links = new SandboxLinks(tools, accounts, lanes);
    pipeline =
        new LaunchPipeline(
            tools,
            accounts,
            lanes,
            links,
            fetcher,
            host.afterFetch(),
            isolators,
            loggers,
            secrets,
            launcher,
            cgroups,
            metrics,
            steps);
    resizing = new Resizing(loop::post, log, isolators, metrics);
    Members members = new Members(cgroups);
    destroyer =
        new Destroyer(lanes.control, launcher, cgroups, members, files, destroyErrors, steps);
    usage = new Usage(members, host.agent().clock());
    Reaper reaper = new Reaper(table, steps);
    lanes.control.scheduleWithFixedDelay(
        reaper::look, Reaper.PERIOD.toMillis(), Reaper.PERIOD.toMillis(), TimeUnit.MILLISECONDS);
    metrics.gauge("containerizer/launch_queue_length", lanes::waiting);
    metrics.gauge("containerizer/control_queue_length", () -> lanes.control.getQueue().size());
    metrics.gauge("containerizer/event_queue_length", loop::waiting);
    metrics.gauge("containerizer/log_queue_length", log::waiting);
    metrics.gauge("containerizer/results_kept", table::results);
    loop.start(log::commit);
  }

  /** Entries that say all that is known now. On the loop. */
  private List<byte[]> entries() {
    List<byte[]> all = new ArrayList<>();
    for (ManagedContainer each : table.inOrder()) {
      all.addAll(each.found.orElseGet(() -> checkpoint(each)).entries());
    }
    return all;
  }

  private Checkpoint checkpoint(ManagedContainer of) {
    return new Checkpoint(
        of.id,
        of.container,
        of.kept,
        of.enclosure,
        of.life.state(),
        of.life.ran(),
        of.isolated,
        of.life.held(),
        of.change.due || of.change.underWay,
        Map.copyOf(of.states),
        of.life.cleaned() || of.life.over()
            ? Optional.of(of.ending.termination())
            : Optional.empty());
  }

  // What happens.

  /** Something happened to a container. On the loop. */
  private void happened(ManagedContainer to, Event event) {
    Lifecycle life = to.life;
    Lifecycle.State before = life.state();
    boolean wasLaunching = life.launching();
    List<Effect> effects = life.apply(event);
    if (life.state() == before) {
      effects.forEach(effect -> perform(to, effect));
      return;
    }
    to.state = life.state();
    if (wasLaunching && !life.launching()) {
      launching--;
      to.launch = life.state() == Lifecycle.State.RUNNING ? Optional.empty() : to.launch;
    }
    record(to);
    effects.forEach(effect -> perform(to, effect));
    if (life.state() == Lifecycle.State.RUNNING) {
      resizing.advance(to);
    } else if (!life.launching()) {
      resizing.over(to);
    }
    if (life.over()) {
      over(to);
    }
  }

  private void record(ManagedContainer of) {
    Lifecycle life = of.life;
    if (life.state() != Lifecycle.State.REMOVED) {
      log.add(Checkpoint.state(of.id, life.state(), life.ran(), of.isolated, life.held()));
    }
  }

  private void perform(ManagedContainer on, Effect effect) {
    switch (effect) {
      case PROVISION -> step(on, launch -> pipeline.provision(on, launch));
      case FETCH -> {
        if (pipeline.fetches(on, on.launch.orElseThrow())) {
          step(on, launch -> pipeline.fetch(on, launch));
        } else {
          happened(on, Event.FETCHED);
        }
      }
      case PREPARE -> prepare(on);
      case SPAWN -> {
        boolean held = on.life.held();
        step(on, launch -> pipeline.spawn(on, launch, held));
      }
      case ISOLATE -> {
        boolean isolated = on.isolated;
        log.then(() -> pipeline.isolate(on, isolated), refused(on));
      }
      case ANNOUNCE -> {
        long pid = on.process.map(ShimProcess::pid).orElse(0L);
        log.then(() -> on.launched.complete(new Launched(on.id, pid, on.termination)), refused(on));
      }
      case RELEASE -> log.then(() -> pipeline.release(on), failure -> {});
      case CANCEL -> on.launch.ifPresent(Launch::cancel);
      case DESTROY_CHILDREN ->
          List.copyOf(on.children).forEach(inner -> happened(inner, Event.DESTROY));
      case KILL -> log.then(() -> destroyer.kill(on));
      case CLEAN -> clean(on);
      case REPORT -> report(on);
      case DELETE -> log.then(() -> destroyer.remove(on));
      case FINISH -> finish(on);
      case FORGET -> forget(on);
    }
  }

  /** A step of a launch, once it is written that it begins. */
  private void step(ManagedContainer on, Consumer<Launch> step) {
    Launch launch = on.launch.orElseThrow();
    log.then(() -> step.accept(launch), refused(on));
  }

  private Consumer<IOException> refused(ManagedContainer on) {
    return failure ->
        new Steps()
            .failed(
                on,
                new LaunchException(
                    "The agent cannot write down what becomes of the container: " + failure,
                    failure));
  }

  private void prepare(ManagedContainer on) {
    on.isolated = !isolators.isEmpty();
    on.life.hold(on.isolated || pipeline.joins(on));
    if (on.isolated) {
      record(on);
      step(on, launch -> pipeline.prepare(on, launch));
    } else {
      happened(on, Event.PLANNED);
    }
  }

  private void clean(ManagedContainer on) {
    if (!on.isolated) {
      happened(on, Event.CLEANED);
      return;
    }
    resizing.after(
        on,
        () -> {
          Container container = on.withProcess();
          log.then(
              () ->
                  isolators
                      .cleanup(container)
                      .whenComplete((done, failure) -> post(on, Event.CLEANED)));
        });
  }

  /** Tells how it ended, at once where no isolator may know more. */
  private void report(ManagedContainer on) {
    boolean last = on.life.state() == Lifecycle.State.DESTROYING && on.life.cleaned();
    if (!last && on.isolated) {
      return;
    }
    Termination end = on.ending.termination();
    if (last) {
      log.add(Checkpoint.ended(on.id, end));
    }
    log.then(() -> on.termination.complete(end));
  }

  private void finish(ManagedContainer on) {
    LaunchException failure =
        on.ending
            .failure()
            .orElseGet(
                () ->
                    new LaunchException("The container was destroyed while it was being launched"));
    on.launch = Optional.empty();
    log.then(
        () -> {
          on.launched.completeExceptionally(failure);
          on.destroyed.complete(null);
        });
  }

  private void forget(ManagedContainer on) {
    for (ManagedContainer inner : List.copyOf(on.children)) {
      happened(inner, Event.DISCARD);
    }
    table.remove(on);
    isolators.forget(on.container.id());
    log.add(Checkpoint.removed(on.id));
  }

  private void over(ManagedContainer on) {
    if (on.life.state() == Lifecycle.State.EXITED) {
      table.ended(on).ifPresent(oldest -> happened(oldest, Event.DISCARD));
      isolators.forget(on.container.id());
    }
    on.parent
        .filter(outer -> !ContainerTable.occupied(outer))
        .ifPresent(outer -> happened(outer, Event.CHILDREN_GONE));
  }

  private void post(ManagedContainer to, Event event) {
    loop.post(() -> happened(to, event));
  }

  /** How steps, kills and looks at what runs end. */
  private final class Steps
      implements LaunchPipeline.Listener, Destroyer.Listener, Reaper.Listener {
    @Override
    public void done(ManagedContainer container, Event event) {
      post(container, event);
    }

    @Override
    public void failed(ManagedContainer container, LaunchException failure) {
      loop.post(
          () -> {
            container.ending = container.ending.failed(failure);
            // There may be a process that nobody waits for any more.
            boolean step = container.life.state() != Lifecycle.State.RUNNING;
            happened(container, step ? Event.FAILED : Event.DESTROY);
          });
    }

    @Override
    public void empty(ManagedContainer container, OptionalInt waitStatus) {
      loop.post(
          () -> {
            container.ending = container.ending.status(waitStatus);
            happened(container, Event.EMPTY);
          });
    }

    @Override
    public void deleted(ManagedContainer container) {
      post(container, Event.DELETED);
    }

    @Override
    public void unstarted(ManagedContainer container, LaunchException why) {
      loop.post(() -> given(container, why));
    }

    @Override
    public void ended(ManagedContainer container, OptionalInt waitStatus) {
      loop.post(() -> ProcessContainerizer.this.ended(container, waitStatus));
    }

    @Override
    public void unwatched(ManagedContainer container) {
      loop.post(
          () -> lost(container, "The shim of the container is gone; what ran in it was killed"));
    }
  }

  /** It cannot become what it was to be; processes of it may run. */
  private void given(ManagedContainer container, LaunchException failure) {
    container.ending = container.ending.failed(failure);
    happened(container, Event.DESTROY);
  }

  /** The first process ended. */
  private void ended(ManagedContainer container, OptionalInt waitStatus) {
    container.ending = container.ending.status(waitStatus);
    if (container.life.launching()) {
      container.ending =
          container.ending.failed(
              new LaunchException(
                  "The container "
                      + container.ending.termination().describe()
                      + " before it was let go"));
    }
    happened(container, Event.ENDED);
  }

  /** Its shim is gone; how the first process ended, nobody will know. */
  private void lost(ManagedContainer container, String reason) {
    container.ending =
        container.ending.limited(
            new Limitation(Resources.EMPTY, "REASON_COMMAND_EXECUTOR_FAILED", reason));
    given(container, new LaunchException(reason));
  }

  private final class Reports implements Launcher.Listener {
    @Override
    public void started(String key, ShimProcess process) {
      loop.post(
          () ->
              reported(key)
                  .ifPresent(
                      container -> {
                        if (container.process.isEmpty()) {
                          container.process = Optional.of(process);
                        }
                        happened(container, Event.STARTED);
                      }));
    }

    @Override
    public void exited(String key, long pid, int waitStatus) {
      loop.post(
          () ->
              reported(key)
                  .filter(container -> own(container, pid))
                  .ifPresent(
                      container ->
                          ProcessContainerizer.this.ended(container, OptionalInt.of(waitStatus))));
    }

    /** Not of one that had the name before, and whose shim was slow to say so. */
    private boolean own(ManagedContainer container, long pid) {
      return container
          .process
          .or(() -> RuntimeFolder.process(container.folder))
          .map(process -> process.pid() == pid)
          .orElseGet(() -> RuntimeFolder.status(container.folder).isPresent());
    }

    @Override
    public void failed(String key, String reason) {
      loop.post(
          () ->
              reported(key)
                  .ifPresent(
                      container -> given(container, new LaunchException("The shim " + reason))));
    }

    @Override
    public void lost() {
      loop.post(
          () -> {
            for (ManagedContainer container : List.copyOf(table.all())) {
              if (container.found.isPresent()) {
                continue;
              }
              if (container.state == Lifecycle.State.CREATED) {
                container.abandoned = true;
                given(container, new LaunchException("The launcher of the agent was lost"));
              } else if (container.state == Lifecycle.State.RUNNING && container.life.held()) {
                // The word may not have reached its shim, to which it means nothing a second time.
                pipeline.release(container);
              }
            }
          });
    }

    @Override
    public void lost(String key, String reason) {
      loop.post(
          () ->
              reported(key)
                  .ifPresent(container -> ProcessContainerizer.this.lost(container, reason)));
    }

    @Override
    public void helperLost(String key, String reason) {
      helpersLost.increment();
      LOG.warn("Not all output of container {} reaches who was to read it: {}", key, reason);
    }

    @Override
    public void memory(Path cgroup, CgroupWatch.News news) {
      loop.post(() -> isolators.told(cgroup, news));
    }

    /** Not of those of which it is not decided yet what becomes of them: their files tell all. */
    private Optional<ManagedContainer> reported(String key) {
      return table.byKey(key).filter(container -> container.found.isEmpty());
    }
  }

  private final class Watching implements IsolatorChain.Watching {
    @Override
    public void watch(Path cgroup) {
      launcher.watchMemory(cgroup);
    }

    @Override
    public void unwatch(Path cgroup) {
      launcher.unwatchMemory(cgroup);
    }
  }

  private void limited(ContainerLimitation reached) {
    loop.post(
        () ->
            table
                .byPath(reached.containerId())
                .ifPresent(
                    container -> {
                      container.ending =
                          container.ending.limited(
                              new Limitation(
                                  reached.resources(), reached.reason(), reached.message()));
                      LOG.info(
                          "Container {} reached a limit and is destroyed: {}",
                          container,
                          reached.message());
                      if (container.found.isEmpty()) {
                        happened(container, Event.DESTROY);
                      }
                    }));
  }

  /** An isolator has prepared a container and wants this kept. */
  private void prepared(String container, String isolator, byte[] state) {
    loop.post(
        () ->
            table
                .byPath(container)
                .ifPresent(
                    it -> {
                      it.states.put(isolator, state);
                      log.add(Checkpoint.isolator(it.id, isolator, state));
                    }));
  }

  // What is asked for.

  @Override
  public CompletionStage<Launched> launch(LaunchRequest request) {
    CompletableFuture<Launched> answer = new CompletableFuture<>();
    return asked(
        answer,
        () -> {
          try {
            begin(request, answer);
          } catch (LaunchException e) {
            answer.completeExceptionally(e);
          } catch (RuntimeException | Error e) {
            LOG.error("Preparing container {} failed", request.containerId(), e);
            answer.completeExceptionally(
                new LaunchException("Preparing the container failed: " + e, e));
          }
        },
        new LaunchException("The agent is stopping"));
  }

  private <T> CompletableFuture<T> asked(
      CompletableFuture<T> answer, Runnable task, Exception refused) {
    try {
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      answer.completeExceptionally(refused);
    }
    return answer;
  }

  private void begin(LaunchRequest request, CompletableFuture<Launched> answer)
      throws LaunchException {
    ContainerId id = request.containerId();
    if (closing) {
      throw new LaunchException("The agent is stopping");
    }
    if (table.find(id).isPresent()) {
      throw new ContainerExistsException(id);
    }
    if (launching >= MOST_LAUNCHES) {
      throw new LaunchException("Too many launches are waiting on this agent");
    }
    checkStreams(request);
    Optional<ManagedContainer> outer = outer(request);
    Optional<String> unmountable = isolators.mountProblem(launcher.mountObstacle());
    if (unmountable.isPresent()) {
      throw new LaunchException(unmountable.get());
    }
    boolean mounting = isolators.mounts();
    if (!mounting && !request.mounts().isEmpty()) {
      throw new LaunchException(
          "Container '"
              + id
              + "' needs mounts, which an agent with --isolation=filesystem/linux provides");
    }
    List<ContainerVolume> volumes = volumes(request, outer, mounting);
    Container.Builder described =
        Container.builder(id.path(), request.sandbox())
            .user(request.user().orElse(System.getProperty("user.name")))
            .resources(request.resources(), request.limits());
    request.info().ifPresent(described::info);
    outer.filter(it -> !it.enclosure).ifPresent(it -> described.parent(it.container.id()));
    Optional<String> missing = isolators.missing(described.build());
    if (missing.isPresent()) {
      throw new LaunchException(missing.get());
    }
    ManagedContainer container =
        new ManagedContainer(
            id, files.folder(id), described.build(), request.kept(), request.enclosure(), outer);
    byte[] entry =
        Checkpoint.described(id, container.container, request.kept(), request.enclosure());
    container.launch = Optional.of(new Launch(request, volumes, mounting));
    container.launched.whenComplete(
        (launched, failure) -> {
          if (failure == null) {
            answer.complete(launched);
          } else {
            answer.completeExceptionally(failure);
          }
        });
    table.add(container);
    launching++;
    log.add(entry);
    happened(container, Event.LAUNCH);
  }

  /** Never a weaker launch: what cannot be is refused by its name. */
  private void checkStreams(LaunchRequest request) throws LaunchException {
    Set<Launcher.Stream> missing = EnumSet.noneOf(Launcher.Stream.class);
    if (request.io().attachable()) {
      missing.add(Launcher.Stream.ATTACH);
    }
    if (request.io().terminal().isPresent()) {
      missing.add(Launcher.Stream.TERMINAL);
    }
    missing.removeAll(launcher.streams());
    if (!missing.isEmpty()) {
      throw new LaunchException(
          "The launcher of this agent cannot do '"
              + missing.stream().map(Launcher.Stream::word).collect(Collectors.joining("', '"))
              + "', which container '"
              + request.containerId()
              + "' needs; the native launcher can");
    }
  }

  private Optional<ManagedContainer> outer(LaunchRequest request) throws LaunchException {
    Optional<ContainerId> parent = request.containerId().parent();
    if (parent.isEmpty()) {
      return Optional.empty();
    }
    ManagedContainer outer =
        table
            .find(parent.get())
            .filter(it -> it.life.state() == Lifecycle.State.RUNNING && it.found.isEmpty())
            .orElseThrow(
                () ->
                    new LaunchException(
                        "Container '"
                            + request.containerId()
                            + "' is to be nested in '"
                            + parent.get()
                            + "', which does not run"));
    Path theirs = outer.container.sandbox();
    Path own = theirs.resolve("containers").resolve(request.containerId().value());
    if (!request.sandbox().equals(theirs) && !request.sandbox().equals(own)) {
      throw new LaunchException(
          "The sandbox of container '"
              + request.containerId()
              + "' is '"
              + request.sandbox()
              + "'; it has to be '"
              + own
              + "', or that of the container in which it is nested");
    }
    return Optional.of(outer);
  }

  private static List<ContainerVolume> volumes(
      LaunchRequest request, Optional<ManagedContainer> outer, boolean mounting)
      throws LaunchException {
    List<ContainerVolume> volumes =
        request.info().isPresent()
            ? ContainerVolume.of(request.info().get(), outer.isPresent(), mounting)
            : List.of();
    if (!volumes.isEmpty()
        && outer.filter(it -> it.container.sandbox().equals(request.sandbox())).isPresent()) {
      throw new LaunchException(
          "Container '"
              + request.containerId()
              + "' is in the sandbox of the container around it and has what is there; leave"
              + " `container.volumes` out");
    }
    return volumes;
  }

  @Override
  public CompletionStage<Boolean> update(
      ContainerId containerId, Resources resources, Resources limits) {
    CompletableFuture<Boolean> told = new CompletableFuture<>();
    return asked(
        told,
        () ->
            table
                .find(containerId)
                .filter(it -> it.found.isEmpty())
                .ifPresentOrElse(
                    it -> resizing.want(it, resources, limits, told), () -> told.complete(false)),
        new LaunchException("The agent is stopping"));
  }

  @Override
  public CompletionStage<Void> link(
      ContainerId containerId, List<Link> made, List<Link> removed, List<Path> owned) {
    Optional<ManagedContainer> in = table.find(containerId).filter(ManagedContainer::listed);
    if (in.isEmpty()) {
      return CompletableFuture.failedStage(
          new LaunchException("Container '" + containerId + "' is over"));
    }
    // Before that the sandbox may be missing, or not yet its user's.
    return in.get()
        .launched
        .thenCompose(runs -> links.change(in.get().container, made, removed, owned));
  }

  @Override
  public CompletionStage<Boolean> signal(ContainerId containerId, int signal) {
    CompletableFuture<Boolean> sent = new CompletableFuture<>();
    return asked(
        sent,
        () -> {
          Optional<ManagedContainer> to =
              table.find(containerId).filter(it -> it.listed() && it.process.isPresent());
          if (to.isPresent()) {
            destroyer.signal(to.get(), Set.copyOf(to.get().children), signal, sent);
          } else {
            sent.complete(false);
          }
        },
        new IllegalStateException("The agent is stopping"));
  }

  @Override
  public CompletionStage<Void> destroy(ContainerId containerId) {
    CompletableFuture<Void> gone = new CompletableFuture<>();
    return asked(
        gone,
        () -> {
          Optional<ManagedContainer> doomed = table.find(containerId);
          if (doomed.isEmpty()) {
            gone.complete(null);
            return;
          }
          doomed.get().destroyed.whenComplete((done, failure) -> gone.complete(null));
          if (doomed.get().found.isEmpty()) {
            happened(doomed.get(), Event.DESTROY);
          }
        },
        new IllegalStateException("The agent is stopping"));
  }

  @Override
  public CompletionStage<Optional<Termination>> termination(ContainerId containerId) {
    CompletableFuture<Optional<Termination>> end = new CompletableFuture<>();
    return asked(
        end,
        () ->
            table
                .find(containerId)
                .ifPresentOrElse(
                    it -> it.termination.thenAccept(how -> end.complete(Optional.of(how))),
                    () -> end.complete(Optional.empty())),
        new IllegalStateException("The agent is stopping"));
  }

  @Override
  public CompletionStage<Boolean> remove(ContainerId containerId) {
    CompletableFuture<Boolean> removed = new CompletableFuture<>();
    return asked(
        removed,
        () -> {
          Optional<ManagedContainer> over = table.find(containerId);
          if (over.isPresent() && !over.get().life.over() && over.get().termination.isDone()) {
            // How it ended was told already; what is left of it is on its way out.
            over.get()
                .destroyed
                .thenCompose(gone -> remove(containerId))
                .whenComplete(
                    (done, failure) -> {
                      if (failure == null) {
                        removed.complete(done);
                      } else {
                        removed.completeExceptionally(
                            failure instanceof CompletionException ? failure.getCause() : failure);
                      }
                    });
            return;
          }
          if (over.isPresent() && !over.get().life.over()) {
            removed.completeExceptionally(
                new IllegalStateException(
                    "Container '" + containerId + "' has not ended; kill it and wait for it"));
            return;
          }
          over.ifPresent(it -> happened(it, Event.DISCARD));
          log.then(() -> removed.complete(over.isPresent()));
        },
        new IllegalStateException("The agent is stopping"));
  }

  @Override
  public CompletionStage<Attachment> attachOutput(ContainerId containerId, OutputSink sink) {
    return attached(containerId, container -> attachments.output(container, sink));
  }

  @Override
  public CompletionStage<ContainerInput> attachInput(ContainerId containerId) {
    return attached(containerId, attachments::input);
  }

  private <A> CompletionStage<A> attached(
      ContainerId containerId, Function<ManagedContainer, CompletionStage<A>> how) {
    Optional<ManagedContainer> to = table.find(containerId).filter(ManagedContainer::listed);
    if (to.isEmpty()) {
      return CompletableFuture.failedStage(
          new AttachException(
              AttachException.Reason.UNKNOWN, "There is no container '" + containerId + "'"));
    }
    Lifecycle.State state = to.get().state;
    if (to.get().found.isPresent() || state.compareTo(Lifecycle.State.RUNNING) < 0) {
      return CompletableFuture.failedStage(
          new AttachException(
              AttachException.Reason.UNAVAILABLE,
              "Container '" + containerId + "' does not run yet"));
    }
    return how.apply(to.get());
  }

  @Override
  public CompletionStage<Optional<ResourceStatistics>> usage(ContainerId containerId) {
    Optional<ManagedContainer> of =
        table.find(containerId).filter(it -> it.listed() && !it.enclosure);
    if (of.isEmpty()) {
      return CompletableFuture.completedStage(Optional.empty());
    }
    return CompletableFuture.supplyAsync(() -> usage.of(of.get()), lanes.files)
        .thenCompose(own -> isolators.usage(of.get().withProcess(), own))
        .thenApply(all -> Optional.of(all.build()));
  }

  @Override
  public CompletionStage<ContainerStatus> status(ContainerId containerId) {
    ContainerStatus.Builder own =
        ContainerStatus.newBuilder().setContainerId(containerId.toMessage());
    Optional<ManagedContainer> of =
        table
            .find(containerId)
            .filter(container -> container.listed() && container.process.isPresent());
    if (of.isEmpty()) {
      return CompletableFuture.completedStage(own.build());
    }
    own.setExecutorPid((int) of.get().process.get().pid());
    return isolators.status(of.get().withProcess(), own).thenApply(ContainerStatus.Builder::build);
  }

  @Override
  public void selectIsolation(List<String> isolation) {
    isolators.select(isolation);
  }

  @Override
  public boolean mounts() {
    return isolators.mounts();
  }

  @Override
  public void selectLogging(ContainerizerOptions.Logging logging) {
    loggers.select(logging);
  }

  @Override
  public void selectSecretResolver(String resolver) {
    secrets.select(resolver);
  }

  @Override
  public List<Pending> pending() {
    List<Pending> pending = new ArrayList<>();
    for (ManagedContainer each : table.all()) {
      Lifecycle.State now = each.state;
      if (now != Lifecycle.State.RUNNING && each.listed()) {
        pending.add(new Pending(each.id, now.name()));
      } else if (each.change.underWay) {
        pending.add(new Pending(each.id, "UPDATING"));
      }
    }
    return pending;
  }

  @Override
  public boolean runs(ContainerId containerId) {
    return !ended.get()
        && table
            .find(containerId)
            .filter(it -> it.found.isEmpty() && it.state == Lifecycle.State.RUNNING)
            .isPresent();
  }

  @Override
  public Set<ContainerId> containers() {
    return table.listed();
  }

  /** What runs without ever having been prepared by isolators is none of theirs. */
  private List<Container> isolatedContainers() {
    List<Container> running = new ArrayList<>();
    for (ManagedContainer container : table.all()) {
      if (container.isolated && container.listed() && container.process.isPresent()) {
        running.add(container.withProcess());
      }
    }
    return running;
  }

  // What an earlier agent left.

  @Override
  public CompletionStage<List<Recovered>> recover(Predicate<ContainerId> keep) {
    CompletableFuture<List<Recovered>> all = new CompletableFuture<>();
    return asked(
        all,
        () -> {
          try {
            recover(keep, all);
          } catch (IOException | RuntimeException e) {
            all.completeExceptionally(e);
          }
        },
        new IllegalStateException("The agent is stopping"));
  }

  private void recover(Predicate<ContainerId> keep, CompletableFuture<List<Recovered>> all)
      throws IOException {
    List<Recovered> found = new ArrayList<>();
    CompletableFuture<Void> gone = CompletableFuture.completedFuture(null);
    for (Recovery.Decision decision :
        recovery.decide(keep, !isolators.isEmpty(), cgroups.isPresent())) {
      ManagedContainer container = decision.container();
      container.found = Optional.empty();
      container.state = container.life.state();
      if (container.isolated) {
        isolators.adopt(container.container);
      }
      if (container.life.launching()) {
        launching++;
      }
      record(container);
      found.add(
          new Recovered(
              container.id,
              decision.adopted(),
              container.process.map(it -> OptionalLong.of(it.pid())).orElse(OptionalLong.empty()),
              container.termination));
      if (!decision.adopted() && !container.life.over()) {
        gone = gone.thenCombine(container.destroyed, (a, b) -> null);
      }
    }
    for (Recovery.Decision decision : recovery.decided()) {
      ManagedContainer container = decision.container();
      decision.event().ifPresent(event -> happened(container, event));
      if (container.life.state() == Lifecycle.State.RUNNING && container.life.held()) {
        // It may have been written that it is let go, and not done.
        log.then(() -> pipeline.release(container));
      }
      if (container.life.state() == Lifecycle.State.RUNNING) {
        resizing.advance(container);
        container.launched.complete(
            new Launched(
                container.id,
                container.process.map(ShimProcess::pid).orElse(0L),
                container.termination));
      }
    }
    gone.thenRun(() -> all.complete(found));
  }

  // The end.

  @Override
  public void detach() {
    end(true);
  }

  @Override
  public void close(Duration limit) {
    if (ended.get()) {
      return;
    }
    CompletableFuture<Void> all = new CompletableFuture<>();
    loop.post(
        () -> {
          closing = true;
          CompletableFuture<Void> gone = CompletableFuture.completedFuture(null);
          for (ManagedContainer container : List.copyOf(table.all())) {
            if (container.found.isEmpty() && !container.life.over()) {
              gone = gone.thenCombine(container.destroyed, (a, b) -> null);
              happened(container, Event.DESTROY);
            }
          }
          gone.thenRun(() -> all.complete(null));
        });
    try {
      all.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.error(
          "{} containers are not gone after {} s and are left: {}",
          containers().size(),
          limit.toSeconds(),
          containers());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      LOG.error("Destroying containers failed", e);
    }
    end(!containers().isEmpty());
    cgroups.ifPresent(Cgroups::close);
  }

  private void end(boolean left) {
    if (!ended.compareAndSet(false, true)) {
      return;
    }
    loop.close();
    log.close();
    attachments.close();
    lanes.close();
    launcher.close(left);
    isolators.close();
    loggers.close();
    secrets.close();
    fetcher.close();
    moduleEvents.shutdown();
  }
}
