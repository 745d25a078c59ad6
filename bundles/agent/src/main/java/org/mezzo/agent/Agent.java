package org.mezzo.agent;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.mezzo.agent.checkpoint.AgentCheckpoint;
import org.mezzo.agent.checkpoint.Reconfiguration;
import org.mezzo.agent.detection.Attributes;
import org.mezzo.agent.detection.Machine;
import org.mezzo.agent.endpoints.AgentEndpoints;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.registration.LeaderDetection;
import org.mezzo.agent.registration.MasterLink;
import org.mezzo.agent.sandboxes.SandboxCollector;
import org.mezzo.agent.sandboxes.SandboxPaths;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tasks.TaskEnvironment;
import org.mezzo.agent.updates.StatusUpdates;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.hook.Hook;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.coordination.Coordination;
import org.mezzo.daemon.DaemonIdentity;
import org.mezzo.daemon.Ids;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.WorkDirLock;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.FirewallRules;
import org.mezzo.daemon.border.ModuleAuthentication;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.configuration.ModuleParameters;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.files.OwnFolder;
import org.mezzo.flags.Flags;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpConnectors;
import org.mezzo.link.LinkClient;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One agent: everything it owns, from its work directory lock to its connector. Starts in the
 * constructor and ends in {@link #close}.
 */
public final class Agent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
  private static final int HTTP_THREADS = 32;
  private static final Duration HTTP_IDLE = Duration.ofMinutes(5);
  private static final Duration LEFTOVER_LIMIT = Duration.ofSeconds(10);

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

  /** What an agent is made with; services are the host's and stay open. */
  public record Services(
      ModuleLeases modules,
      Coordination coordination,
      HttpConnectors connectors,
      LinkClient links) {}

  private final Flags flags;
  private final EventLoop loop;
  private final Workers workers;
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final List<AutoCloseable> open = new ArrayList<>();
  private final AgentCheckpoint checkpoint;
  private final Containerizer containerizer;
  private final AgentTasks tasks;
  private final StatusUpdates updates;
  private final AgentHooks hooks;
  private final AtomicBoolean closing = new AtomicBoolean();
  private final MasterLink link;
  private final Resources total;
  private final InetSocketAddress address;
  private final String advertisedIp;
  private final String resourceVersion = Ids.random();
  private final Runnable onShutdown;
  private volatile AgentInfo info;
  private volatile CompletableFuture<Void> stored = CompletableFuture.completedFuture(null);

  /**
   * Starts an agent.
   *
   * @param name of the daemon, unique in the process
   * @param onShutdown called, on the loop, when the master orders the agent to end
   * @throws IOException when a directory, a port or an earlier state stands in the way; the message
   *     says what to do
   */
  public Agent(String name, Flags flags, Services services, Runnable onShutdown)
      throws IOException {
    this.flags = flags;
    this.onShutdown = onShutdown;
    double startTime = System.currentTimeMillis() / 1000.0;
    String master =
        flags
            .text("master")
            .orElseThrow(
                () ->
                    new IOException(
                        "--master is missing: give host:port, zk://host:port/path or file://path"));
    Path workDir =
        Path.of(
                flags
                    .text("work_dir")
                    .orElseThrow(
                        () ->
                            new IOException(
                                "--work_dir is missing: give a folder that outlives reboots")))
            .toAbsolutePath();
    Path runtimeDir =
        Path.of(flags.text("runtime_dir").orElse(defaultRuntimeDir())).toAbsolutePath();
    loop = new EventLoop(name);
    try {
      open.add(loop);
      OwnFolder.open(workDir, "Or choose another folder with --work_dir");
      open.add(0, WorkDirLock.acquire(workDir, "agent"));
      OwnFolder.closed(runtimeDir, "Or choose another folder with --runtime_dir");
      open.add(0, WorkDirLock.acquire(runtimeDir, "agent"));

      DaemonIdentity identity =
          new DaemonIdentity(
              name,
              Role.AGENT,
              workDir,
              runtimeDir,
              flags.asText(),
              ModuleParameters.of(flags),
              metrics);
      workers = new Workers(name, 8);
      open.add(workers);
      workers.measure(metrics, "slave");
      loop.measure(metrics, "slave");

      total =
          Machine.detect(workDir)
              .resources(
                  flags.text("resources").orElse(""), flags.text("default_role").orElse("*"));
      containerizer = Containerizer.open(containerizerOptions(identity, services.modules()));
      VirtualFiles files = new VirtualFiles(name);
      open.add(files);
      files.measure(metrics, "slave");
      ModuleAuthentication authentication =
          new ModuleAuthentication(identity, flags, metrics, services.modules(), workers);
      open.add(authentication);
      Authorization authorization =
          Authorization.of(identity, flags, metrics, services.modules(), workers);
      open.add(authorization);
      Router router = new Router("slave(1)", authentication, authorization, workers);
      flags
          .text("firewall_rules")
          .ifPresent(rules -> router.disable(FirewallRules.disabledPaths(rules)));
      HttpConnector connector =
          services
              .connectors()
              .open(
                  new ConnectorOptions(
                      name,
                      InetAddress.getByName(flags.text("ip").orElse("127.0.0.1")),
                      (int) flags.integer("port"),
                      Optional.empty(),
                      HTTP_THREADS,
                      HTTP_IDLE),
                  router);
      open.add(connector);
      address = connector.address();
      advertisedIp = flags.text("advertise_ip").orElse(ip(address));
      int advertisedPort =
          flags.text("advertise_port").map(Integer::parseInt).orElse(address.getPort());

      AgentInfo fresh = describe(advertisedPort);
      checkpoint = new AgentCheckpoint(workDir);
      info = remembered(fresh);

      SandboxPaths paths = new SandboxPaths(workDir);
      AgentTasks[] holder = new AgentTasks[1];
      SandboxCollector collector =
          new SandboxCollector(
              workDir,
              flags.duration("gc_delay"),
              flags.decimal("gc_disk_headroom"),
              flags.duration("disk_watch_interval"),
              identity.clock(),
              metrics,
              sandbox -> containerizer.containers().contains(sandbox.getFileName().toString()),
              sandbox -> holder[0].forget(sandbox));
      open.add(collector);
      hooks =
          new AgentHooks(
              list(flags.text("hooks")),
              services.modules(),
              hook -> identity.forModule(Hook.KIND, hook, metrics),
              loop);
      open.add(hooks);
      updates = new StatusUpdates(loop::schedule, this::sendUpdate);
      tasks =
          new AgentTasks(
              new AgentTasks.Surroundings(
                  loop,
                  workers.answers(),
                  loop::schedule,
                  identity.clock(),
                  containerizer,
                  updates,
                  hooks,
                  metrics,
                  files,
                  paths,
                  collector,
                  new TaskEnvironment(
                      baseEnvironment(),
                      advertisedIp,
                      advertisedPort,
                      flags.text("executor_shutdown_grace_period").orElse("5secs")),
                  flags.duration("executor_shutdown_grace_period"),
                  (int) flags.integer("max_completed_executors_per_framework")));
      holder[0] = tasks;
      link =
          new MasterLink(
              services.links(),
              loop,
              loop::schedule,
              new SplittableRandom(),
              flags.duration("registration_backoff_factor"),
              new FromMaster());
      measure(startTime);

      long recoveryBegan = System.nanoTime();
      clearLeftovers();
      double recoverySeconds = (System.nanoTime() - recoveryBegan) / 1e9;
      metrics.gauge("slave/recovery_time_secs", () -> recoverySeconds);
      collector.scheduleExisting(paths);
      AgentEndpoints endpoints =
          new AgentEndpoints(
              name,
              startTime,
              flags,
              loop,
              workers,
              metrics,
              files,
              services.modules(),
              authorization,
              containerizer,
              tasks,
              () -> info,
              total,
              "slave(1)@" + advertisedIp + ":" + advertisedPort,
              link::leader);
      endpoints.install(router);
      loop.execute(() -> tasks.agent(info, resourceVersion));
      open.add(
          new LeaderDetection(
              master,
              services.coordination(),
              flags.duration("zk_session_timeout"),
              loop,
              link::leader));
    } catch (IOException | RuntimeException | ResourceFormatException e) {
      closeAll();
      throw e instanceof IOException
          ? (IOException) e
          : new IOException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
    LOG.info("Agent '{}' serves on {} and has {}", name, address, total.toText());
  }

  private static String defaultRuntimeDir() {
    Path run = Path.of("/var/run");
    return Files.isWritable(run)
        ? run.resolve("mezzo").resolve("agent").toString()
        : Path.of(System.getProperty("java.io.tmpdir"))
            .resolve("mezzo-agent-" + System.getProperty("user.name"))
            .toString();
  }

  private static List<String> list(Optional<String> text) {
    return text.map(names -> Arrays.asList(names.split(","))).orElse(List.of()).stream()
        .map(String::trim)
        .filter(name -> !name.isEmpty())
        .toList();
  }

  private ContainerizerOptions containerizerOptions(DaemonIdentity identity, ModuleLeases modules) {
    return new ContainerizerOptions(
        identity,
        (kind, module) -> identity.forModule(kind, module, metrics),
        modules,
        list(flags.text("isolation")),
        flags.bool("switch_user"),
        true,
        Path.of(flags.text("cgroups_hierarchy").orElse("/sys/fs/cgroup")),
        flags.text("cgroups_root").orElse("mesos"),
        flags.text("frameworks_home").map(Path::of),
        flags.duration("fetcher_stall_timeout"),
        Path.of("/bin/sh"));
  }

  private static String ip(InetSocketAddress bound) throws IOException {
    return bound.getAddress().isAnyLocalAddress()
        ? InetAddress.getLocalHost().getHostAddress()
        : bound.getAddress().getHostAddress();
  }

  private AgentInfo describe(int port) throws IOException {
    AgentInfo.Builder builder =
        AgentInfo.newBuilder()
            .setHostname(hostname())
            .setPort(port)
            .addAllResources(total.toMessages(Resources.Format.POST_REFINEMENT));
    flags.text("attributes").ifPresent(text -> builder.addAllAttributes(Attributes.parse(text)));
    if (flags.text("domain").isPresent()) {
      try {
        builder.setDomain(
            Json.decode(
                flags.text("domain").get().getBytes(java.nio.charset.StandardCharsets.UTF_8),
                DomainInfo.getDefaultInstance()));
      } catch (org.mezzo.protocol.json.JsonFormatException e) {
        throw new IOException("--domain: " + e.getMessage(), e);
      }
    }
    return builder.build();
  }

  private String hostname() throws IOException {
    if (flags.text("hostname").isPresent()) {
      return flags.text("hostname").get();
    }
    return flags.bool("hostname_lookup")
        ? InetAddress.getByName(advertisedIp).getCanonicalHostName()
        : advertisedIp;
  }

  /**
   * The agent of the last run when it may still be that one (rules 179, 180), else a new one:
   * nothing of the last run is taken over that a new one would lose.
   */
  private AgentInfo remembered(AgentInfo fresh) throws IOException {
    Optional<AgentInfo> before = checkpoint.load();
    if (before.isEmpty()) {
      return fresh;
    }
    String id = before.get().getId().getValue();
    Reconfiguration policy = Reconfiguration.of(flags.text("reconfiguration_policy").orElseThrow());
    Optional<String> objection = policy.objection(before.get(), fresh);
    if (objection.isPresent()) {
      LOG.warn(
          "This agent was {} and registers as a new one: {}, which --reconfiguration_policy={} does"
              + " not take for the same agent. The master gives {} up after its timeout",
          id,
          objection.get(),
          flags.text("reconfiguration_policy").get(),
          id);
      return fresh;
    }
    AgentInfo same = fresh.toBuilder().setId(before.get().getId()).build();
    if (!same.equals(before.get())) {
      checkpoint.store(same);
      LOG.info("Agent {} comes back with more than it had; it has {} now", id, total.toText());
    }
    return same;
  }

  private Map<String, String> baseEnvironment() throws IOException {
    Optional<String> given = flags.text("executor_environment_variables");
    if (given.isEmpty()) {
      return TaskEnvironment.inherited(System.getenv());
    }
    Map<String, String> variables = new HashMap<>();
    try (JsonParser json = new JsonFactory().createParser(given.get())) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("it must be an object of texts");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        if (json.nextToken() != JsonToken.VALUE_STRING) {
          throw new IOException("the value of '" + key + "' must be a text");
        }
        variables.put(key, json.getText());
      }
    } catch (IOException e) {
      throw new IOException("--executor_environment_variables: " + e.getMessage(), e);
    }
    return variables;
  }

  private void measure(double startTime) {
    metrics.gauge("slave/uptime_secs", () -> System.currentTimeMillis() / 1000.0 - startTime);
    metrics.gauge("slave/registered", () -> link.registered() ? 1 : 0);
    metrics.gauge("slave/update_queue_length", updates::pending);
    for (String name : List.of("cpus", "gpus", "mem", "disk")) {
      double amount = total.nonRevocable().scalar(name) / 1000.0;
      metrics.gauge("slave/" + name + "_total", () -> amount);
      metrics.gauge("slave/" + name + "_used", () -> tasks.used(name));
      metrics.gauge(
          "slave/" + name + "_percent", () -> amount <= 0 ? 0 : tasks.used(name) / amount);
      // Nothing is oversubscribed, so nothing revocable is there or used.
      metrics.gauge("slave/" + name + "_revocable_total", () -> 0);
      metrics.gauge("slave/" + name + "_revocable_used", () -> 0);
      metrics.gauge("slave/" + name + "_revocable_percent", () -> 0);
    }
    // A command is started by the agent itself: no executor registers, or sends or gets messages.
    metrics.gauge("slave/executors_registering", () -> 0);
    metrics.gauge("slave/executors_terminating", () -> 0);
    for (String none :
        List.of(
            "executors_preempted",
            "invalid_status_updates",
            "recovery_errors",
            "valid_framework_messages")) {
      metrics.counter("slave/" + none);
    }
  }

  /** Nothing of an earlier process may run on: its tasks are unknown to this one. */
  private void clearLeftovers() throws IOException {
    CompletableFuture<List<Containerizer.Leftover>> leftovers =
        containerizer.destroyLeftovers().toCompletableFuture();
    try {
      List<Containerizer.Leftover> found =
          leftovers.get(LEFTOVER_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      if (!found.isEmpty()) {
        LOG.warn(
            "Destroyed {} containers of an earlier agent process; the master will report their"
                + " tasks once this agent has registered",
            found.size());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while destroying old containers", e);
    } catch (ExecutionException e) {
      throw new IOException("Cannot look for old containers: " + e.getCause(), e);
    } catch (TimeoutException e) {
      LOG.error("Containers of an earlier agent process do not end; going on without waiting", e);
    }
  }

  private void remember(AgentInfo named) {
    try {
      checkpoint.store(named);
    } catch (IOException e) {
      LOG.error(
          "Cannot store the agent's id in {}; after a restart it will be a new agent",
          checkpoint.file(),
          e);
    }
  }

  private void sendUpdate(org.mezzo.link.messages.StatusUpdate update) {
    link.send(AgentCall.newBuilder().setStatusUpdate(update));
  }

  private List<AgentInfo.Capability> capabilities() {
    return CAPABILITIES.stream()
        .map(type -> AgentInfo.Capability.newBuilder().setType(type).build())
        .toList();
  }

  private Address httpAddress() {
    return Address.newBuilder()
        .setIp(advertisedIp)
        .setHostname(info.getHostname())
        .setPort(info.getPort())
        .build();
  }

  private final class FromMaster implements MasterLink.Listener {
    @Override
    public AgentCall.Builder registration() {
      if (!info.hasId()) {
        return AgentCall.newBuilder()
            .setRegister(
                Register.newBuilder()
                    .setAgent(info)
                    .setVersion(Versions.MESOS)
                    .addAllCapabilities(capabilities())
                    .setResourceVersionUuid(resourceVersion)
                    .setAddress(httpAddress()));
      }
      return AgentCall.newBuilder()
          .setReregister(
              Reregister.newBuilder()
                  .setAgent(info)
                  .setVersion(Versions.MESOS)
                  .addAllCapabilities(capabilities())
                  .setResourceVersionUuid(resourceVersion)
                  .setAddress(httpAddress())
                  .addAllFrameworks(tasks.frameworkInfos())
                  .addAllTasks(tasks.records()));
    }

    @Override
    public void registered(String agentId) {
      if (!info.hasId() || !info.getId().getValue().equals(agentId)) {
        AgentInfo named = info.toBuilder().setId(AgentID.newBuilder().setValue(agentId)).build();
        info = named;
        stored = CompletableFuture.runAsync(() -> remember(named), workers.answers());
      }
      LOG.info("Registered as agent {}", agentId);
      tasks.agent(info, resourceVersion);
      updates.resume();
    }

    @Override
    public void disconnected() {
      updates.pause();
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
        case FRAMEWORK_MESSAGE ->
            tasks.message(event.getFrameworkMessage().getExecutorId().getValue());
        case UPDATE_FRAMEWORK -> tasks.updateFramework(event.getUpdateFramework().getFramework());
        case RECONCILE_TASKS ->
            tasks.reconcile(event.getReconcileTasks(), FrameworkInfo.getDefaultInstance());
        case SHUTDOWN -> {
          LOG.error("The master ordered this agent to end: {}", event.getShutdown().getMessage());
          tasks.shutdown();
          onShutdown.run();
        }
        default -> LOG.debug("Ignored an event that this version does not know");
      }
    }
  }

  /** Selects other hooks from now on. Safe for any thread. */
  public void selectHooks(Optional<String> names) {
    loop.execute(() -> hooks.select(list(names)));
  }

  /** Where the agent serves. */
  public InetSocketAddress address() {
    return address;
  }

  /** The agent as registered; without id before that. */
  public AgentInfo info() {
    return info;
  }

  /**
   * Ends the agent: kills tasks with their grace, as there is no recovery of running tasks, and
   * closes everything.
   */
  @Override
  public void close() {
    if (!closing.compareAndSet(false, true)) {
      return;
    }
    Duration grace = flags.duration("executor_shutdown_grace_period");
    CompletableFuture<Void> idle = new CompletableFuture<>();
    loop.execute(
        () -> {
          link.close();
          tasks.shutdown();
          awaitIdle(idle);
        });
    try {
      idle.get(grace.toMillis(), TimeUnit.MILLISECONDS);
      stored.get(1, TimeUnit.SECONDS);
    } catch (TimeoutException | ExecutionException e) {
      LOG.warn("Tasks have not ended within {} s and are killed", grace.toSeconds());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    closeAll();
  }

  private void awaitIdle(CompletableFuture<Void> idle) {
    if (tasks.idle()) {
      idle.complete(null);
    } else {
      loop.schedule(Duration.ofMillis(10), () -> awaitIdle(idle));
    }
  }

  private void closeAll() {
    if (containerizer != null) {
      containerizer.close(Duration.ofSeconds(3));
    }
    for (int i = open.size() - 1; i >= 0; i--) {
      try {
        open.get(i).close();
      } catch (Exception e) {
        LOG.warn("Closing a part of the agent failed", e);
      }
    }
    open.clear();
  }
}
