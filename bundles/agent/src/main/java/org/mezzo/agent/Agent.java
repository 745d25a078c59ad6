package org.mezzo.agent;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.mezzo.agent.checkpoint.Damage;
import org.mezzo.agent.checkpoint.Reconfiguration;
import org.mezzo.agent.checkpoint.ResourceCheckpoint;
import org.mezzo.agent.checks.probes.NetworkProbes;
import org.mezzo.agent.checks.probes.NetworkRelay;
import org.mezzo.agent.containers.ContainerCalls;
import org.mezzo.agent.containers.EndedSandboxes;
import org.mezzo.agent.containers.OperatorContainers;
import org.mezzo.agent.containers.StandaloneSandboxes;
import org.mezzo.agent.detection.Machine;
import org.mezzo.agent.detection.Pressure;
import org.mezzo.agent.draining.Draining;
import org.mezzo.agent.endpoints.AgentDescription;
import org.mezzo.agent.endpoints.AgentEndpoints;
import org.mezzo.agent.endpoints.AgentReads;
import org.mezzo.agent.endpoints.ContainerLook;
import org.mezzo.agent.executor.ExecutorApi;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.modules.ClusterModules;
import org.mezzo.agent.operations.Operations;
import org.mezzo.agent.oversubscription.Oversubscription;
import org.mezzo.agent.oversubscription.UsageSampling;
import org.mezzo.agent.recovery.AgentIdentity;
import org.mezzo.agent.recovery.Fitting;
import org.mezzo.agent.recovery.Journal;
import org.mezzo.agent.recovery.LeftContainers;
import org.mezzo.agent.registration.LinkCredentials;
import org.mezzo.agent.registration.MasterLink;
import org.mezzo.agent.sandboxes.SandboxCollector;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.sandboxes.SandboxRun;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tasks.ContainerUsage;
import org.mezzo.agent.tasks.TaskContainers;
import org.mezzo.agent.tasks.TaskEnvironment;
import org.mezzo.agent.tasks.TaskRecords;
import org.mezzo.agent.tasks.TaskSandboxes;
import org.mezzo.agent.tasks.TaskUpdates;
import org.mezzo.agent.tokens.ExecutorSecrets;
import org.mezzo.agent.updates.StatusUpdates;
import org.mezzo.agent.volumes.VolumeStore;
import org.mezzo.agent.volumes.VolumeWatch;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.daemon.Daemon;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.DaemonKind;
import org.mezzo.daemon.Ids;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.BorderFlags;
import org.mezzo.daemon.configuration.ListenFlags.Advertised;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.leaders.LeaderDetection;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.daemon.wanted.HostModules;
import org.mezzo.files.log.Boot;
import org.mezzo.link.LinkClient;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.OperationUpdate;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.Unregister;
import org.mezzo.link.messages.UpdateAgent;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One agent: registers with the leading master, runs the tasks that it is sent and tells what
 * becomes of them.
 */
public final class Agent implements Daemon {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
  private static final Duration KEEPER_LIMIT = Duration.ofSeconds(3);
  private static final Duration LEAVE_LIMIT = Duration.ofSeconds(5);
  private static final Duration CONTAINERS_LIMIT = Duration.ofSeconds(3);

  /** The frame of an agent. */
  public static final DaemonKind KIND =
      new DaemonKind(Role.AGENT, "slave(1)", "slave", 32, 8, Duration.ZERO);

  /** What the agent reports to be able to do (rule 156). */
  public static final List<AgentInfo.Capability.Type> CAPABILITIES =
      List.of(
          AgentInfo.Capability.Type.MULTI_ROLE,
          AgentInfo.Capability.Type.HIERARCHICAL_ROLE,
          AgentInfo.Capability.Type.RESERVATION_REFINEMENT,
          AgentInfo.Capability.Type.RESOURCE_PROVIDER,
          AgentInfo.Capability.Type.RESIZE_VOLUME,
          AgentInfo.Capability.Type.AGENT_OPERATION_FEEDBACK,
          AgentInfo.Capability.Type.AGENT_DRAINING,
          AgentInfo.Capability.Type.TASK_RESOURCE_LIMITS);

  private final DaemonFrame frame;
  private final AgentFlags flags;
  private final Runnable onShutdown;
  private final EventLoop loop;
  private final Resources own;
  private final Damage damage;
  private final AgentIdentity identity;
  private final VolumeStore volumes;
  private final ExecutorSecrets secrets;
  private final Operations operations;
  private final VolumeWatch volumeWatch;
  private final Draining draining;
  private final SandboxPaths paths;
  private final SandboxCollector collector;
  private final TaskSandboxes sandboxes;
  private final StandaloneSandboxes standalone;
  private final EndedSandboxes endedSandboxes;
  private final AgentHooks hooks;
  private final Containerizer containerizer;
  private final NetworkProbes probes;
  private final Journal journal;
  private final StatusUpdates updates;
  private final AgentTasks tasks;
  private final Oversubscription oversubscription;
  private final ClusterModules modules;
  private final LinkCredentials credentials;
  private final MasterLink link;
  private final LeaderDetection detection;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final String resourceVersion = Ids.random();

  /** Of the loop: whether it has told the master that it goes for good, and whether it went. */
  private boolean leaving;

  private boolean left;

  /**
   * What the master was told last to be lent; empty while that may be one of several amounts. For
   * the loop only.
   */
  private Optional<Resources> lentAsTold = Optional.of(Resources.EMPTY);

  /**
   * Whether the master was asked to register this agent and has not answered. For the loop only.
   */
  private boolean asked;

  /** Whether containers run on when the agent has ended. */
  private volatile boolean leaves;

  /**
   * Puts an agent together.
   *
   * @param links the host's, stays open
   * @param host what brings the module bundles of the process to what the cluster wants
   * @param verbosity of the process's log
   * @param onShutdown called, on the loop, when the agent is to end: by order of the master,
   *     because it has cleaned up, or because it has left the cluster
   * @throws IOException when {@code --resources} or the runtime directory stand in the way, or what
   *     the work directory keeps
   */
  public Agent(
      DaemonFrame frame,
      AgentFlags flags,
      LinkClient links,
      HostModules host,
      Verbosity verbosity,
      Runnable onShutdown)
      throws IOException {
    this.frame = frame;
    this.flags = flags;
    this.onShutdown = onShutdown;
    loop = frame.loop();
    Path workDir = flags.daemon().folders().work();
    hooks =
        frame.own(new AgentHooks(frame.modules().chain(Kinds.HOOK, flags.daemon().hooks(), loop)));
    secrets =
        frame.own(
            new ExecutorSecrets(frame.modules(), flags.secretGenerator(), flags.tokens(), loop));
    AgentInfo described = described(resources(workDir));
    own = resources(described);
    damage = new Damage(flags.recovering().strict(), frame.clock(), frame.metrics());
    identity =
        new AgentIdentity(
            described,
            workDir,
            damage,
            flags.recovering().reconfiguration(),
            flags.recovering().cleanup(),
            frame.workers().answers(),
            loop::schedule);
    paths = new SandboxPaths(workDir);
    collector =
        frame.own(
            new SandboxCollector(
                workDir,
                flags.sandboxes(),
                frame.clock(),
                frame.metrics(),
                this::containersThere,
                this::forget));
    sandboxes = new TaskSandboxes(paths, collector, frame.files(), frame.metrics());
    standalone = new StandaloneSandboxes(workDir);
    frame.files().attach(standalone);
    volumes = new VolumeStore(workDir, collector::discard);
    AtomicReference<Journal> opened = new AtomicReference<>();
    frame.own(() -> Optional.ofNullable(opened.get()).ifPresent(Journal::close));
    Executor keeper = keeper();
    journal = Journal.open(workDir, keeper, loop, loop::schedule, frame.metrics(), damage);
    opened.set(journal);
    operations =
        new Operations(
            new Operations.Surroundings(
                loop,
                keeper,
                loop::schedule,
                new ResourceCheckpoint(workDir),
                damage,
                flags.recovering().reconfiguration() == Reconfiguration.ANY,
                volumes,
                this::sendUpdate),
            own,
            resourceVersion,
            frame.metrics());
    volumeWatch =
        new VolumeWatch(
            volumes,
            operations::total,
            keeper,
            flags.sandboxes().period(),
            loop::schedule,
            frame.metrics());
    draining = new Draining(workDir, keeper, loop, frame.clock());
    containerizer =
        Containerizer.open(
            new ContainerizerHost(frame.identity(), frame.modules(), hooks), flags.containers());
    endedSandboxes = new EndedSandboxes(containerizer, standalone, collector);
    frame.own(this::closeContainers);
    probes =
        frame.own(
            new NetworkProbes(
                frame.name(),
                frame.modules(),
                new NetworkRelay(
                    flags.containers().launcher().relay(),
                    flags.daemon().folders().apart().orElseThrow()),
                frame.metrics()));
    updates = new StatusUpdates(journal, loop::schedule, this::sendUpdate);
    tasks = tasks();
    oversubscription =
        frame.own(
            new Oversubscription(
                flags.oversubscription(),
                frame.modules(),
                loop,
                loop::schedule,
                new UsageSampling(
                    tasks::view, new ContainerUsage(containerizer), operations::total),
                it -> tasks.preempt(it.frameworkId(), it.executorId(), it.containerId(), it.why()),
                this::tellLent,
                frame.metrics()));
    operations.connect(
        tasks::volumesInUse, () -> draining.current().isPresent(), this::endDrainIfEmpty);
    modules =
        frame.own(new ClusterModules(host, loop, loop::schedule, call -> this.link().send(call)));
    credentials =
        frame.own(
            new LinkCredentials(
                frame.modules(), flags.registration().authenticatee(), loop, frame.metrics()));
    link =
        new MasterLink(
            links,
            loop,
            loop::schedule,
            new SplittableRandom(),
            flags.registration().backoff(),
            credentials,
            new FromMaster());
    detection =
        frame.own(
            new LeaderDetection(frame.modules(), loop, frame.metrics(), KIND.metrics(), link));
    addRoutes(verbosity);
    measure();
  }

  /**
   * Takes over what the last run left, serves, and looks for the master. Waits for containers of
   * the last run to end, which has a limit.
   */
  @Override
  public void start() throws IOException {
    long recoveryBegan = System.nanoTime();
    String boot = Boot.id();
    Journal.Kept before = onLoop(journal::kept);
    boolean sameBoot = onLoop(() -> journal.sameBoot(boot));
    identity.recall(before, sameBoot);
    boolean sameAgent = info().hasId();
    if (!sameAgent) {
      onLoop(
          () -> {
            journal.clear();
            return null;
          });
    }
    Journal.Kept kept = sameAgent ? before : Journal.Kept.NOTHING;
    Map<String, String> misfits = misfits(kept);
    Map<String, Containerizer.Recovered> left =
        LeftContainers.recover(
            containerizer,
            sameBoot ? kept : Journal.Kept.NOTHING,
            misfits.keySet(),
            standalone::has,
            found -> endedSandboxes.adopt(found, executorSandboxes(kept)),
            flags.daemon().folders().apart().orElseThrow());
    String why =
        sameBoot ? "The agent ended while the task was being launched" : "The machine was rebooted";
    double recoverySeconds = (System.nanoTime() - recoveryBegan) / 1e9;
    frame.metrics().gauge("slave/recovery_time_secs", () -> recoverySeconds);
    collector.start();
    volumeWatch.start();
    loop.execute(() -> recovered(kept, left, id -> misfits.getOrDefault(id, why)));
    frame.openBorder();
    if (flags.recovering().cleanup()) {
      LOG.info("Agent '{}' ends what runs here and then itself (--recover=cleanup)", frame.name());
      loop.execute(
          () -> {
            tasks.endAll();
            endOnceAllEnded();
          });
      return;
    }
    detection.select(Optional.of(flags.registration().detection()));
    LOG.info("Agent '{}' has {}", frame.name(), operations.total());
  }

  private MasterLink link() {
    return link;
  }

  private <T> T onLoop(Supplier<T> question) {
    return CompletableFuture.supplyAsync(question, loop).join();
  }

  /** Of what ran, what has no room any more; nothing where the agent has all that it had. */
  private Map<String, String> misfits(Journal.Kept kept) {
    if (flags.recovering().reconfiguration() != Reconfiguration.ANY && operations.whole()) {
      return Map.of();
    }
    Map<String, String> misfits = Fitting.misfits(kept, operations.total());
    kept.executors().stream()
        .filter(executor -> misfits.containsKey(executor.getContainerId().getValue()))
        .forEach(
            executor ->
                LOG.warn(
                    "Executor '{}' of framework {} is ended: {}",
                    executor.getExecutor().getExecutorId().getValue(),
                    executor.getFrameworkId().getValue(),
                    misfits.get(executor.getContainerId().getValue())));
    return misfits;
  }

  /** All that runs is on its way to its end, which has a limit. */
  private void endOnceAllEnded() {
    if (tasks.allEnded()) {
      LOG.info(
          "Agent '{}' has ended what ran here; what became of it is told when it is started again",
          frame.name());
      onShutdown.run();
    } else {
      loop.schedule(Duration.ofMillis(10), this::endOnceAllEnded);
    }
  }

  private void recovered(
      Journal.Kept kept,
      Map<String, Containerizer.Recovered> containers,
      UnaryOperator<String> why) {
    tasks.agent(info(), resourceVersion);
    tasks.restore(kept, containers, why);
    oversubscription.start();
    if (info().hasId()) {
      operations.agent(info().getId());
    } else {
      operations.forgetAll();
      draining.end("it is a new agent");
    }
  }

  /**
   * A drain is over when nothing runs and nobody has to hear of anything any more; not when things
   * end because the agent does, for the master does not know of that yet.
   */
  private void endDrainIfEmpty() {
    if (link.registered() && tasks.isEmpty() && operations.idle()) {
      draining.end("nothing runs any more");
    }
  }

  private Resources resources(Path workDir) throws IOException {
    try {
      return Machine.detect(workDir)
          .resources(flags.equipment().resources(), flags.equipment().defaultRole());
    } catch (ResourceFormatException e) {
      throw new IOException("--resources: " + e.getMessage(), e);
    }
  }

  /** Writes to the disk what must be there before it is told, in order, for as long as it takes. */
  private Executor keeper() {
    ThreadPoolExecutor keeper =
        new ThreadPoolExecutor(
            1,
            1,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, frame.name() + "-keeper");
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    keeper.allowCoreThreadTimeOut(true);
    frame.own(
        () -> {
          keeper.shutdown();
          keeper.awaitTermination(KEEPER_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        });
    return keeper;
  }

  private TaskEnvironment environment() {
    AgentFlags.Tasks how = flags.tasks();
    Advertised told = frame.advertised();
    return new TaskEnvironment(how.environment(), told.ip(), told.port(), how.times());
  }

  private AgentTasks tasks() {
    AgentFlags.Tasks how = flags.tasks();
    TaskRecords records = new TaskRecords(journal);
    TaskContainers containers =
        new TaskContainers(
            containerizer, environment(), volumes, secrets, loop, frame.workers().answers());
    return new AgentTasks(
        loop,
        containers,
        sandboxes,
        new TaskUpdates(updates, records, hooks, draining, frame.clock(), frame.metrics(), loop),
        records,
        hooks,
        new AgentTasks.Surroundings(operations, volumes, draining, probes),
        this::endDrainIfEmpty,
        call -> link.send(call),
        frame.clock(),
        frame.metrics(),
        how.limits());
  }

  private void addRoutes(Verbosity verbosity) {
    flags.tokens().ifPresent(frame::accept);
    Advertised told = frame.advertised();
    CommonEndpoints.install(
        frame.router(),
        frame.identity(),
        flags.daemon().all(),
        frame.metrics(),
        frame.files(),
        Optional.of(frame.modules().leases()),
        frame.workers());
    AgentDescription self =
        new AgentDescription(
            identity::info,
            this::total,
            draining::current,
            "slave(1)@" + told.ip() + ":" + told.port(),
            frame.started().toEpochMilli() / 1000.0,
            link::leader);
    AgentReads reads =
        new AgentReads(tasks, operations, loop, frame.workers(), frame.authorization());
    OperatorContainers operated =
        new OperatorContainers(
            containerizer,
            tasks,
            standalone,
            endedSandboxes,
            environment(),
            frame.authorization(),
            loop,
            frame.workers().answers());
    ContainerLook containers = new ContainerLook(reads, containerizer, operated);
    new AgentEndpoints(
            self,
            reads,
            containers,
            ContainerCalls.of(operated, loop, flags.heartbeat()),
            flags.daemon(),
            frame.metrics(),
            frame.files(),
            verbosity)
        .install(frame.router(), frame.authorization(), frame.workers());
    frame
        .router()
        .add(ExecutorApi.of(tasks, loop, frame.workers(), frame.authorization(), frame.metrics()));
  }

  /** The last parts of the ids of all containers that may have processes. */
  private Set<String> containersThere() {
    return containerizer.containers().stream().map(ContainerId::value).collect(Collectors.toSet());
  }

  private void forget(SandboxRun sandbox) {
    sandboxes.forget(sandbox);
  }

  /** The agent as flags, machine and hooks have it. Waits for hooks, which has a limit. */
  private AgentInfo described(Resources machine) {
    Advertised told = frame.advertised();
    AgentInfo.Builder builder =
        AgentInfo.newBuilder()
            .setHostname(told.hostname())
            .setPort(told.port())
            .addAllResources(machine.toMessages(Resources.Format.POST_REFINEMENT))
            .addAllAttributes(flags.equipment().attributes());
    flags.daemon().domain().ifPresent(builder::setDomain);
    AgentInfo flagged = builder.build();
    return hooks.isEmpty() ? flagged : hooks.describe(flagged).toCompletableFuture().join();
  }

  private static Resources resources(AgentInfo described) throws IOException {
    try {
      return Resources.of(described.getResourcesList());
    } catch (ResourceFormatException e) {
      throw new IOException("The agent's resources: " + e.getMessage(), e);
    }
  }

  private void measure() {
    MetricsRegistry metrics = frame.metrics();
    metrics.gauge("slave/registered", () -> link.registered() ? 1 : 0);
    metrics.gauge("slave/update_queue_length", updates::pending);
    for (String name : List.of("cpus", "gpus", "mem", "disk")) {
      double amount = own.nonRevocable().scalar(name) / 1000.0;
      metrics.gauge("slave/" + name + "_total", () -> amount);
      metrics.gauge("slave/" + name + "_used", () -> tasks.used(name));
      metrics.gauge(
          "slave/" + name + "_percent", () -> amount <= 0 ? 0 : tasks.used(name) / amount);
      metrics.gauge("slave/" + name + "_revocable_total", () -> lent(name));
      metrics.gauge("slave/" + name + "_revocable_used", () -> tasks.usedRevocable(name));
      metrics.gauge(
          "slave/" + name + "_revocable_percent",
          () -> lent(name) <= 0 ? 0 : tasks.usedRevocable(name) / lent(name));
    }
    new Pressure(Path.of("/proc")).measure(metrics);
    metrics.counter("slave/recovery_errors");
  }

  private double lent(String name) {
    return oversubscription.lent().scalar(name) / 1000.0;
  }

  /** Everything that it offers: what it has, and what it lends of that once more. */
  private Resources total() {
    return operations.total().plus(oversubscription.lent());
  }

  /** Tells the master what is lent, if that is something else than it was told last. */
  private void tellLent() {
    Resources lent = oversubscription.lent();
    if (link.registered() && !lentAsTold.equals(Optional.of(lent))) {
      link.send(
          AgentCall.newBuilder()
              .setUpdateAgent(
                  UpdateAgent.newBuilder()
                      .addAllOversubscribed(lent.toMessages(Resources.Format.POST_REFINEMENT))));
      lentAsTold = Optional.of(lent);
    }
  }

  /** Sandboxes of executors by the ids of their containers. */
  private static Map<String, Path> executorSandboxes(Journal.Kept kept) {
    return kept.executors().stream()
        .collect(
            Collectors.toMap(
                executor -> executor.getContainerId().getValue(),
                executor -> Path.of(executor.getSandbox()),
                (one, same) -> one));
  }

  /** What is to be found running by the next process of this agent stays. */
  private void closeContainers() {
    if (leaves) {
      containerizer.detach();
    } else {
      containerizer.close(CONTAINERS_LIMIT);
    }
  }

  private void sendUpdate(org.mezzo.link.messages.StatusUpdate update) {
    link.send(AgentCall.newBuilder().setStatusUpdate(update));
  }

  private void sendUpdate(OperationUpdate update) {
    link.send(AgentCall.newBuilder().setOperationUpdate(update));
  }

  private List<AgentInfo.Capability> capabilities() {
    return CAPABILITIES.stream()
        .map(type -> AgentInfo.Capability.newBuilder().setType(type).build())
        .toList();
  }

  private Address httpAddress() {
    return Address.newBuilder()
        .setIp(frame.advertised().ip())
        .setHostname(info().getHostname())
        .setPort(info().getPort())
        .build();
  }

  private final class FromMaster implements MasterLink.Listener {
    @Override
    public AgentCall.Builder registration() {
      Optional<Resources> lent = Optional.of(oversubscription.lent());
      // Which of several requests the master answers is not known.
      lentAsTold = asked && !lentAsTold.equals(lent) ? Optional.empty() : lent;
      asked = true;
      if (!info().hasId()) {
        return AgentCall.newBuilder()
            .setRegister(
                Register.newBuilder()
                    .setAgent(info())
                    .setVersion(Versions.MESOS)
                    .addAllCapabilities(capabilities())
                    .setResourceVersionUuid(resourceVersion)
                    .setAddress(httpAddress())
                    .addAllTotal(total()));
      }
      Reregister.Builder again =
          Reregister.newBuilder()
              .setAgent(info())
              .setVersion(Versions.MESOS)
              .addAllCapabilities(capabilities())
              .setResourceVersionUuid(resourceVersion)
              .setAddress(httpAddress())
              .addAllTotal(total())
              .addAllFrameworks(tasks.frameworkInfos())
              .addAllTasks(tasks.records())
              .addAllExecutors(tasks.executorRecords())
              .addAllOperations(operations.open());
      draining.current().ifPresent(drain -> again.setDrain(drain.config()));
      return AgentCall.newBuilder().setReregister(again);
    }

    private List<Resource> total() {
      return Agent.this.total().toMessages(Resources.Format.POST_REFINEMENT);
    }

    @Override
    public void registered(String agentId) {
      identity.registered(agentId);
      LOG.info("Registered as agent {}", agentId);
      tasks.agent(info(), resourceVersion);
      operations.agent(info().getId());
      asked = false;
      tellLent();
      updates.resume();
      operations.resume();
      modules.registered();
      endDrainIfEmpty();
    }

    @Override
    public void disconnected() {
      updates.pause();
      operations.pause();
      modules.disconnected();
      if (leaving) {
        goAway();
      }
    }

    @Override
    public void event(MasterEvent event) {
      switch (event.getEventCase()) {
        case RUN_TASK -> tasks.run(event.getRunTask());
        case KILL_TASK -> tasks.kill(event.getKillTask());
        case ACKNOWLEDGE_UPDATE -> tasks.acknowledged(event.getAcknowledgeUpdate());
        case SHUTDOWN_FRAMEWORK ->
            tasks.shutdownFramework(event.getShutdownFramework().getFrameworkId());
        case SHUTDOWN_EXECUTOR ->
            tasks.shutdownExecutor(
                event.getShutdownExecutor().getFrameworkId(),
                event.getShutdownExecutor().getExecutorId().getValue());
        case FRAMEWORK_MESSAGE -> tasks.message(event.getFrameworkMessage());
        case UPDATE_FRAMEWORK -> tasks.updateFramework(event.getUpdateFramework().getFramework());
        case RECONCILE_TASKS -> tasks.reconcile(event.getReconcileTasks());
        case APPLY_OPERATION -> operations.apply(event.getApplyOperation());
        case ACKNOWLEDGE_OPERATION -> operations.acknowledge(event.getAcknowledgeOperation());
        case RECONCILE_OPERATIONS -> operations.reconcile(event.getReconcileOperations());
        case WANTED_MODULES -> modules.wanted(event.getWantedModules());
        case MODULE_CHUNK -> modules.chunk(event.getModuleChunk());
        case DRAIN -> drain(event.getDrain().getConfig());
        case SHUTDOWN -> {
          LOG.error("The master ordered this agent to end: {}", event.getShutdown().getMessage());
          tasks.shutdown();
          onShutdown.run();
        }
        default -> LOG.debug("Ignored an event that this version does not know");
      }
    }

    private void drain(DrainConfig config) {
      draining.begin(config);
      tasks.drain(draining.current().flatMap(Draining.Drain::longestGrace));
      endDrainIfEmpty();
    }
  }

  /**
   * Leaves the cluster (rule 185): everything that runs here is ended, the master is told that this
   * agent goes for good, and the agent ends. Its id stays on its disk. Safe for any thread.
   */
  public void leave() {
    loop.execute(
        () -> {
          if (leaving) {
            return;
          }
          leaving = true;
          LOG.warn(
              "Agent '{}' was told to leave its cluster, and ends with all that runs here",
              frame.name());
          tasks.shutdown();
          if (link.registered()
              && link.send(AgentCall.newBuilder().setUnregister(Unregister.getDefaultInstance()))) {
            // Once the master has forgotten this agent it ends the connection.
            loop.schedule(LEAVE_LIMIT, this::goAway);
          } else {
            goAway();
          }
        });
  }

  private void goAway() {
    if (!left) {
      left = true;
      link.close();
      onShutdown.run();
    }
  }

  /** Selects other hooks from now on. Safe for any thread. */
  public void selectHooks(List<String> names) {
    loop.execute(() -> hooks.select(names));
  }

  /** Its numbers. */
  MetricsRegistry metrics() {
    return frame.metrics();
  }

  /** Isolates containers to come by other modules. Safe for any thread. */
  public void selectIsolation(List<String> names) {
    containerizer.selectIsolation(names);
  }

  /** Has what becomes of the output of containers to come decided by another module. */
  public void selectLogging(ContainerizerOptions.Logging logging) {
    containerizer.selectLogging(logging);
  }

  /** Has secrets of what is launched from now on looked up by another module. */
  public void selectSecretResolver(String name) {
    containerizer.selectSecretResolver(name);
  }

  /**
   * Has the secrets of executors that are launched from now on made by another module; empty for
   * none. Those of before stay in, by whoever knows them.
   *
   * @param border who knows secrets that the agent itself does not
   */
  public void selectSecretGenerator(Optional<String> name, BorderFlags border) {
    frame.selectGuards(border);
    secrets.select(name);
  }

  /** Lets another module say what is lent; empty for none. Safe for any thread. */
  public void selectEstimator(Optional<String> name) {
    loop.execute(() -> oversubscription.selectEstimator(name));
  }

  /** Lets another module say what of it has to go; empty for none. Safe for any thread. */
  public void selectController(Optional<String> name) {
    loop.execute(() -> oversubscription.selectController(name));
  }

  /**
   * Lets another module say who the leading master is; the one that is known stays until then.
   *
   * @throws IllegalArgumentException when none is named and {@code --master} cannot be read
   */
  public void selectDetector(AgentFlags.Registration registration) {
    if (!flags.recovering().cleanup()) {
      detection.select(Optional.of(registration.detection()));
    }
  }

  /** Has another module say what the next link shows its master; the one there is stays. */
  public void selectAuthenticatee(String name) {
    credentials.select(name);
  }

  /** Has other modules live beside it, from when they have opened. */
  public void selectAnonymous(List<String> names) {
    frame.selectAnonymous(names);
  }

  /** Selects other modules for who guards the border, from when they have opened. */
  public void selectGuards(BorderFlags border) {
    frame.selectGuards(border);
  }

  /** Where the agent serves. */
  public InetSocketAddress address() {
    return frame.address();
  }

  /** The agent as registered; without id before that. */
  public AgentInfo info() {
    return identity.info();
  }

  /**
   * Ends the agent and closes everything. Tasks of frameworks that keep what they have here run on
   * for the next process, unless the master has ordered the end; others are killed with their
   * grace.
   */
  @Override
  public void close() {
    if (!closing.compareAndSet(false, true)) {
      return;
    }
    Duration grace = flags.tasks().limits().shutdownGrace();
    CompletableFuture<Void> idle = new CompletableFuture<>();
    loop.execute(
        () -> {
          link.close();
          tasks.leave();
          leaves =
              tasks.keepsAny() || containerizer.containers().stream().anyMatch(standalone::has);
          awaitIdle(idle);
        });
    try {
      idle.get(grace.toMillis(), TimeUnit.MILLISECONDS);
      identity.stored().toCompletableFuture().get(1, TimeUnit.SECONDS);
      CompletableFuture.supplyAsync(journal::flush, loop)
          .thenCompose(written -> written)
          .get(KEEPER_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException e) {
      LOG.warn("Tasks have not ended within {} s and are killed", grace.toSeconds());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    frame.close();
  }

  private void awaitIdle(CompletableFuture<Void> idle) {
    if (tasks.idle()) {
      idle.complete(null);
    } else {
      loop.schedule(Duration.ofMillis(10), () -> awaitIdle(idle));
    }
  }
}
