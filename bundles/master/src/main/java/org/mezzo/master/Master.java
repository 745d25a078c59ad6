package org.mezzo.master;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.Metrics;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.hook.Hook;
import org.mezzo.coordination.Coordination;
import org.mezzo.daemon.DaemonIdentity;
import org.mezzo.daemon.Ids;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.WorkDirLock;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.FirewallRules;
import org.mezzo.daemon.border.ModuleAuthentication;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.configuration.ModuleParameters;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.files.OwnFolder;
import org.mezzo.flags.FlagValues;
import org.mezzo.flags.Flags;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpConnectors;
import org.mezzo.http.HttpHandler;
import org.mezzo.http.HttpResponse;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.Refusal;
import org.mezzo.master.agents.RemovalRate;
import org.mezzo.master.constraints.RegexLimits;
import org.mezzo.master.election.Gauges;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.election.MasterTerm;
import org.mezzo.master.election.ModuleConsultant;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.Reads;
import org.mezzo.master.scheduler.RootAccounts;
import org.mezzo.master.scheduler.SchedulerApi;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.Settings;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.resources.Quantities;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One master: everything it owns, from its work directory lock to its connector. Starts in the
 * constructor and ends in {@link #close}.
 */
public final class Master implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Master.class);
  private static final int HTTP_THREADS = 64;
  private static final int WORKERS = Math.max(4, Runtime.getRuntime().availableProcessors());
  private static final Duration HTTP_IDLE = Duration.ofMinutes(5);
  private static final Duration WHITELIST_INTERVAL = Duration.ofSeconds(5);
  private static final Duration RECOVERY_POLL = Duration.ofMillis(20);
  private static final Duration CLOSING_GRACE = Duration.ofMillis(500);

  /** What a master is made with; services are the host's and stay open. */
  public record Services(
      ModuleLeases modules,
      Coordination coordination,
      HttpConnectors connectors,
      LinkServer links) {}

  private final Flags flags;
  private final ModuleLeases modules;
  private final DaemonIdentity identity;
  private final EventLoop loop;
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final List<AutoCloseable> open = new ArrayList<>();
  private final HttpConnector connector;
  private final Leadership leadership;
  private volatile String allocator;
  private volatile Optional<Set<String>> whitelist = Optional.empty();
  private volatile HttpHandler handler =
      exchange -> exchange.respond(HttpResponse.text(503, "The master is starting"));

  /**
   * Starts a master.
   *
   * @param name of the daemon, unique in the process
   * @throws IOException when a directory, a port or a flag stands in the way; the message says what
   *     to do
   */
  public Master(String name, Flags flags, Services services) throws IOException {
    this.flags = flags;
    this.modules = services.modules();
    this.allocator = flags.text("allocator").orElse("hierarchical");
    Path workDir = Path.of(flags.text("work_dir").orElse(defaultWorkDir())).toAbsolutePath();
    try {
      OwnFolder.open(workDir, "Or choose another folder with --work_dir");
      open.add(WorkDirLock.acquire(workDir, "master"));
      loop = new EventLoop(name);
      open.add(loop);
      identity =
          new DaemonIdentity(
              name,
              Role.MASTER,
              workDir,
              workDir.resolve("run"),
              flags.asText(),
              ModuleParameters.of(flags),
              metrics);
      Workers workers = new Workers(name, WORKERS);
      open.add(workers);
      workers.measure(metrics, "master");
      loop.measure(metrics, "master");
      ModuleAuthentication authentication =
          new ModuleAuthentication(identity, flags, metrics, modules, workers);
      open.add(authentication);
      Authorization authorization = Authorization.of(identity, flags, metrics, modules, workers);
      open.add(authorization);
      ModuleConsultant consultant =
          new ModuleConsultant(
              list(flags.text("hooks")),
              modules,
              hook -> identity.forModule(Hook.KIND, hook, metrics),
              authorization,
              loop);
      open.add(consultant);

      connector =
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
                  exchange -> handler.handle(exchange));
      open.add(() -> connector.close(CLOSING_GRACE));
      MasterInfo self = describe();
      Settings settings = settings(consultant.demanded());
      MasterTerm.Parts parts =
          new MasterTerm.Parts(
              loop,
              identity.clock(),
              metrics,
              settings,
              allocatorOptions(self),
              limits(),
              weights(),
              removalRate(),
              percent(flags.text("recovery_agent_removal_limit").orElse("100%")),
              new MasterTerm.RegistryTimes(
                  flags.duration("registry_fetch_timeout"),
                  flags.duration("registry_store_timeout"),
                  flags.duration("registry_gc_interval"),
                  flags.duration("registry_max_agent_age"),
                  (int) flags.integer("registry_max_agent_count")),
              consultant);
      Coordination.Session session = session(services.coordination(), flags, workDir, loop);
      leadership =
          new Leadership(
              loop,
              self,
              session,
              (counters, registry, failures) -> {
                MasterTerm term = new MasterTerm(parts, self, counters, registry, failures);
                term.allocation().use(leaseAllocator(term));
                term.allocation().whitelist(whitelist);
                if (flags.bool("publish_per_framework_metrics")) {
                  term.measureFrameworks();
                }
                return term;
              });
      open.add(leadership);
      handler = router(name, services, authentication, authorization, workers);
      Gauges.register(metrics, leadership);
      // All work, messages and requests too, comes to the loop in one queue.
      metrics.gauge("master/event_queue_dispatches", loop::waiting);
      metrics.gauge("master/event_queue_messages", () -> 0);
      metrics.gauge("master/event_queue_http_requests", () -> 0);
      long started = System.nanoTime();
      metrics.gauge("master/uptime_secs", () -> (System.nanoTime() - started) / 1e9);
      if (flags.text("whitelist").isPresent()) {
        Path file = Path.of(flags.text("whitelist").get().replaceFirst("^file://", ""));
        readWhitelist(file);
        loop.every(WHITELIST_INTERVAL, () -> workers.execute(() -> readWhitelist(file)));
      }
      leadership.start();
    } catch (IOException | RuntimeException e) {
      close();
      throw e instanceof IOException io
          ? io
          : new IOException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
    LOG.info("Master '{}' serves on {}", name, connector.address());
  }

  private static Coordination.Session session(
      Coordination coordination, Flags flags, Path workDir, EventLoop loop) throws IOException {
    Optional<String> url = flags.text("zk");
    if (url.isEmpty()) {
      return coordination.standalone(workDir, loop);
    }
    try {
      return coordination.zooKeeper(url.get(), flags.duration("zk_session_timeout"), loop);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--zk: " + e.getMessage(), e);
    }
  }

  private ModuleLease<Allocator> leaseAllocator(MasterTerm term) {
    return modules.lease(
        LeaseRequest.of(
                Kinds.ALLOCATOR,
                allocator,
                identity.forModule(Allocator.KIND, allocator, metrics),
                loop)
            .heardBy(term.allocation().listener()));
  }

  private Router router(
      String name,
      Services services,
      ModuleAuthentication authentication,
      Authorization authorization,
      Workers workers) {
    Router router = new Router("master", authentication, authorization, workers);
    VirtualFiles files = new VirtualFiles(name);
    open.add(files);
    LeaderGate gate = new LeaderGate(leadership);
    router.route(
        "/api/v1/scheduler",
        Access.SCHEDULER,
        new SchedulerApi(
                leadership,
                authorization,
                metrics,
                workers,
                regexLimits(),
                Ids::random,
                flags.bool("root_submissions") ? Optional.empty() : Optional.of(new RootAccounts()))
            .endpoint(gate::check));
    HttpHandler links = services.links().handler(acceptor());
    router.route(LinkServer.PATH, Access.NONE, (exchange, principal) -> links.handle(exchange));
    CommonEndpoints.install(
        router,
        new CommonEndpoints.Sources(
            name, flags, metrics, files, Optional.of(modules), authorization, workers));
    Reads.install(
        router,
        new Reads.Sources(
            leadership,
            flags,
            metrics,
            files,
            authorization,
            workers,
            loop,
            identity.clock().instant()));
    flags
        .text("firewall_rules")
        .ifPresent(rules -> router.disable(FirewallRules.disabledPaths(rules)));
    return router;
  }

  private LinkServer.Acceptor acceptor() {
    Metrics.Counter faults = metrics.counter("master/mezzo/link_faults");
    return new LinkServer.Acceptor() {
      @Override
      public void opened(LinkServer.Session session, Hello hello, Optional<String> principal) {
        linked(session, hello, principal);
      }

      @Override
      public void failed(LinkServer.Session session, Throwable cause) {
        faults.add(1);
      }
    };
  }

  private void linked(LinkServer.Session session, Hello hello, Optional<String> principal) {
    MasterTerm term = leadership.term();
    if (term != null && term.state().isPresent()) {
      term.links().opened(session, hello);
      return;
    }
    if (term != null) {
      // The registry is being read; the agent waits rather than being sent away.
      loop.schedule(RECOVERY_POLL, () -> linked(session, hello, principal));
      return;
    }
    Refusal.Builder refusal = Refusal.newBuilder().setReason("This master does not lead");
    leadership.leader().ifPresent(refusal::setLeader);
    session.refuse(refusal.build());
  }

  private static String defaultWorkDir() {
    return Path.of(System.getProperty("user.home"), ".mezzo", "master").toString();
  }

  private static List<String> list(Optional<String> text) {
    return text.map(names -> Arrays.asList(names.split(","))).orElse(List.of()).stream()
        .map(String::strip)
        .filter(it -> !it.isEmpty())
        .toList();
  }

  private MasterInfo describe() throws IOException {
    InetSocketAddress bound = connector.address();
    String ip =
        flags
            .text("advertise_ip")
            .orElse(
                bound.getAddress().isAnyLocalAddress()
                    ? InetAddress.getLocalHost().getHostAddress()
                    : bound.getAddress().getHostAddress());
    int port = flags.text("advertise_port").map(Integer::parseInt).orElse(bound.getPort());
    InetAddress address = InetAddress.getByName(ip);
    String hostname =
        flags
            .text("hostname")
            .orElseGet(() -> flags.bool("hostname_lookup") ? lookUp(address) : ip);
    MasterInfo.Builder self =
        MasterInfo.newBuilder()
            .setId(Ids.random())
            .setIp(networkOrder(address))
            .setPort(port)
            .setPid("master@" + ip + ":" + port)
            .setHostname(hostname)
            .setVersion(Versions.MESOS)
            .setAddress(Address.newBuilder().setHostname(hostname).setIp(ip).setPort(port));
    for (MasterInfo.Capability.Type type :
        List.of(
            MasterInfo.Capability.Type.AGENT_UPDATE,
            MasterInfo.Capability.Type.AGENT_DRAINING,
            MasterInfo.Capability.Type.QUOTA_V2)) {
      self.addCapabilities(MasterInfo.Capability.newBuilder().setType(type));
    }
    if (flags.text("domain").isPresent()) {
      self.setDomain(
          Json.decode(
              flags.text("domain").get().getBytes(java.nio.charset.StandardCharsets.UTF_8),
              DomainInfo.getDefaultInstance()));
    }
    return self.build();
  }

  private static String lookUp(InetAddress address) {
    return address.isLoopbackAddress() ? "localhost" : address.getCanonicalHostName();
  }

  /** The address as the field's clients know it: the first byte is the lowest. */
  private static int networkOrder(InetAddress address) {
    byte[] bytes = address.getAddress();
    return bytes.length != 4
        ? 0
        : (bytes[0] & 0xff)
            | (bytes[1] & 0xff) << 8
            | (bytes[2] & 0xff) << 16
            | (bytes[3] & 0xff) << 24;
  }

  private Settings settings(boolean consult) {
    return new Settings(
        Settings.DEFAULT.heartbeatInterval(),
        flags.duration("agent_ping_timeout"),
        (int) flags.integer("max_agent_ping_timeouts"),
        flags.duration("agent_reregister_timeout"),
        flags.duration("allocation_interval"),
        flags.optionalDuration("offer_timeout"),
        flags.text("roles").map(text -> Set.copyOf(new TreeSet<>(list(Optional.of(text))))),
        flags.bool("root_submissions"),
        flags.bool("require_agent_domain"),
        consult);
  }

  private MasterState.Limits limits() {
    return new MasterState.Limits(
        (int) flags.integer("max_completed_frameworks"),
        (int) flags.integer("max_completed_tasks_per_framework"),
        (int) flags.integer("max_unreachable_tasks_per_framework"),
        MasterState.Limits.DEFAULT.removedAgents());
  }

  private RegexLimits regexLimits() {
    return new RegexLimits(
        flags.bytes("offer_constraints_re2_max_mem"),
        (int) flags.integer("offer_constraints_re2_max_program_size"));
  }

  private AllocatorOptions allocatorOptions(MasterInfo self) {
    List<Quantities> minimum = new ArrayList<>();
    for (String quantities : flags.text("min_allocatable_resources").orElse("").split("\\|")) {
      if (!quantities.isBlank()) {
        minimum.add(Quantities.parse(quantities.strip()));
      }
    }
    return new AllocatorOptions(
        flags.text("role_sorter").orElse("drf"),
        flags.text("framework_sorter").orElse("drf"),
        Set.copyOf(list(flags.text("fair_sharing_excluded_resource_names"))),
        flags.bool("filter_gpu_resources"),
        minimum,
        self.getDomain().getFaultDomain().hasRegion()
            ? Optional.of(self.getDomain().getFaultDomain().getRegion().getName())
            : Optional.empty());
  }

  private void readWhitelist(Path file) {
    Optional<Set<String>> hostnames;
    try {
      Set<String> lines = new TreeSet<>();
      for (String line : Files.readAllLines(file)) {
        if (!line.isBlank()) {
          lines.add(line.strip());
        }
      }
      hostnames = Optional.of(lines);
    } catch (IOException e) {
      LOG.warn(
          "The whitelist {} cannot be read; what was read before counts: {}", file, e.toString());
      return;
    }
    if (!hostnames.equals(whitelist)) {
      whitelist = hostnames;
      leadership.withTerm(term -> term.allocation().whitelist(whitelist), () -> {});
    }
  }

  private Map<String, Double> weights() throws IOException {
    Map<String, Double> weights = new TreeMap<>();
    for (String entry : list(flags.text("weights"))) {
      int equals = entry.lastIndexOf('=');
      try {
        double weight = Double.parseDouble(entry.substring(equals + 1));
        if (equals > 0 && weight > 0 && Double.isFinite(weight)) {
          weights.put(entry.substring(0, equals), weight);
          continue;
        }
      } catch (NumberFormatException e) {
        LOG.debug("Bad weight", e);
      }
      throw new IOException("--weights: '" + entry + "' is not of the form role=2.5");
    }
    return weights;
  }

  private RemovalRate removalRate() throws IOException {
    Optional<String> text = flags.text("agent_removal_rate_limit");
    if (text.isEmpty()) {
      return RemovalRate.unlimited();
    }
    String[] parts = text.get().split("/", 2);
    try {
      int permits = Integer.parseInt(parts[0].strip());
      if (permits > 0 && parts.length == 2) {
        return RemovalRate.of(permits, FlagValues.duration(parts[1].strip()), System::nanoTime);
      }
    } catch (IllegalArgumentException e) {
      LOG.debug("Bad removal rate", e);
    }
    throw new IOException(
        "--agent_removal_rate_limit=" + text.get() + " is not of the form 1/10mins");
  }

  private static double percent(String text) throws IOException {
    try {
      double value = Double.parseDouble(text.replace("%", "").strip());
      if (value >= 0 && value <= 100) {
        return value / 100;
      }
    } catch (NumberFormatException e) {
      LOG.debug("Bad percentage", e);
    }
    throw new IOException(
        "--recovery_agent_removal_limit=" + text + " is not a share from 0% to 100%");
  }

  /** Selects another allocator by name at run time; handed over as in a swap. */
  public void selectAllocator(String name) {
    if (!name.equals(allocator)) {
      LOG.info("Allocator {} is to take over from {}", name, allocator);
      allocator = name;
      leadership.withTerm(term -> term.allocation().select(name), () -> {});
    }
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return connector.address();
  }

  /** What it knows, while it leads. */
  public ClusterView cluster() {
    return leadership;
  }

  /** Its numbers. */
  public MetricsRegistry metrics() {
    return metrics;
  }

  /** The thread of its state, for those who measure it. */
  public EventLoop loop() {
    return loop;
  }

  /** The clock it goes by. */
  public Clock clock() {
    return identity.clock();
  }

  /** Resigns, then stops serving, then gives everything back. */
  @Override
  public void close() {
    for (int i = open.size() - 1; i >= 0; i--) {
      try {
        open.get(i).close();
      } catch (Exception e) {
        LOG.warn("Something of the master could not be closed", e);
      }
    }
    open.clear();
  }
}
