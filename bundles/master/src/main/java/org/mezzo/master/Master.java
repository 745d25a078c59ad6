package org.mezzo.master;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.Metrics;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.Daemon;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.DaemonKind;
import org.mezzo.daemon.Ids;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.BorderFlags;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.configuration.ListenFlags.Advertised;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.leaders.LeaderDetection;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.daemon.wanted.HostModules;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.Refusal;
import org.mezzo.master.agents.LinkEndpoint;
import org.mezzo.master.commands.ClusterCommands;
import org.mezzo.master.commands.OperatorCommands;
import org.mezzo.master.election.ContendingModule;
import org.mezzo.master.election.Gauges;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.election.MasterTerm;
import org.mezzo.master.election.ModuleConsultant;
import org.mezzo.master.endpoints.MasterEndpoints;
import org.mezzo.master.offers.OfferCommands;
import org.mezzo.master.offers.OfferExplanations;
import org.mezzo.master.rollouts.MasterModules;
import org.mezzo.master.scheduler.RootAccounts;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.MasterState;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.MasterInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One master: takes part in the election, and serves frameworks, agents and operators while it
 * leads.
 */
public final class Master implements Daemon {
  private static final Logger LOG = LoggerFactory.getLogger(Master.class);
  private static final Duration WHITELIST_INTERVAL = Duration.ofSeconds(5);
  private static final Duration RECOVERY_POLL = Duration.ofMillis(20);

  /** The frame of a master. */
  public static final DaemonKind KIND =
      new DaemonKind(
          Role.MASTER,
          "master",
          "master",
          64,
          Math.max(4, Runtime.getRuntime().availableProcessors()),
          Duration.ofMillis(500));

  private final DaemonFrame frame;
  private final MasterFlags flags;
  private final Coordination coordination;
  private final EventLoop loop;
  private final MasterInfo self;
  private final ModuleConsultant consultant;
  private final Leadership leadership;
  private final LeaderDetection detection;
  private volatile Optional<ContendingModule> election = Optional.empty();
  private final Terms terms;
  private volatile String allocator;

  /** Whether it leads or not, so that versions rehearse for it on the host of a standby, too. */
  private volatile ModuleLeases.Expectation expected;

  /** Empty where the host follows nothing. Set before the start. */
  private Optional<MasterModules> modules = Optional.empty();

  private volatile Optional<Set<String>> whitelist = Optional.empty();

  /**
   * Puts a master together.
   *
   * @param coordination the host's, stays open
   * @param links where agents come in; the host's, stays open
   * @param verbosity of the process's log
   */
  public Master(
      DaemonFrame frame,
      MasterFlags flags,
      Coordination coordination,
      LinkServer links,
      Verbosity verbosity) {
    this.frame = frame;
    this.flags = flags;
    this.coordination = coordination;
    loop = frame.loop();
    allocator = flags.allocation().allocator();
    expected = frame.modules().expect(Kinds.ALLOCATOR, allocator);
    frame.own(() -> expected.close());
    self = describe();
    consultant =
        frame.own(
            new ModuleConsultant(
                flags.daemon().hooks(), frame.modules(), frame.authorization(), loop));
    terms =
        new Terms(
            frame,
            flags,
            self,
            consultant,
            () ->
                modules
                    .map(MasterModules::standings)
                    .orElse(CompletableFuture.completedFuture(Map.of())));
    leadership = frame.own(new Leadership(loop, self, this::term));
    detection =
        frame.own(
            new LeaderDetection(
                frame.modules(), loop, frame.metrics(), KIND.metrics(), leadership.detected()));
    addRoutes(links, verbosity);
    measure();
  }

  /**
   * Has the host follow what the cluster wants of the module bundles of masters; to be called
   * before the start.
   *
   * @param host that of the process
   */
  public void follow(HostModules host) {
    modules = Optional.of(frame.own(new MasterModules(self, host, loop, frame.workers())));
  }

  /**
   * Serves, and enters the election.
   *
   * @throws IOException when the private store of a master that stands alone cannot be opened
   * @throws IllegalArgumentException when {@code --zk} cannot be read
   */
  @Override
  public void start() throws IOException {
    flags
        .allocation()
        .whitelist()
        .ifPresent(
            file -> {
              readWhitelist(file);
              loop.every(
                  WHITELIST_INTERVAL, () -> frame.workers().execute(() -> readWhitelist(file)));
            });
    Coordination.Session session = session();
    frame.openBorder();
    modules.ifPresent(it -> session.board().ifPresent(it::start));
    election =
        Optional.of(
            new ContendingModule(
                frame.modules(), flags.election().contention(), loop, self, session));
    leadership.start(election.get());
    detection.select(flags.election().detection());
  }

  private void measure() {
    MetricsRegistry metrics = frame.metrics();
    Gauges.register(metrics, leadership);
    metrics.counter("master/mezzo/offers_timed_out");
    metrics.counter("master/mezzo/chronic_decliners_found");
    metrics.gauge(
        "master/mezzo/chronic_decliners",
        () ->
            leadership.measure(
                state ->
                    (int)
                        state.frameworks().values().stream()
                            .filter(framework -> framework.refusals().chronic())
                            .count()));
    // All work, messages and requests too, comes to the loop in one queue.
    metrics.gauge("master/event_queue_dispatches", loop::waiting);
    metrics.gauge("master/event_queue_messages", () -> 0);
    metrics.gauge("master/event_queue_http_requests", () -> 0);
  }

  private Coordination.Session session() throws IOException {
    Optional<String> zk = flags.election().zk();
    if (zk.isEmpty()) {
      return coordination.standalone(flags.daemon().folders().work(), loop);
    }
    try {
      return coordination.zooKeeper(zk.get(), flags.election().session(), loop);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("--zk: " + e.getMessage(), e);
    }
  }

  private MasterTerm term(
      MasterState.Counters counters, Registry registry, MasterTerm.FailureListener failures) {
    MasterTerm term = terms.create(counters, registry, failures);
    term.allocation().use(leaseAllocator(term));
    term.allocation().whitelist(whitelist);
    return term;
  }

  private ModuleLease<Allocator> leaseAllocator(MasterTerm term) {
    DaemonModules modules = frame.modules();
    return modules
        .leases()
        .lease(
            modules
                .request(Kinds.ALLOCATOR, allocator, loop)
                .heardBy(term.allocation().listener()));
  }

  private void addRoutes(LinkServer links, Verbosity verbosity) {
    Router router = frame.router();
    frame.metrics().gauge("master/mezzo/link_events_waiting", links::waiting);
    router.add(new LinkEndpoint(links.entrance(acceptor())));
    CommonEndpoints.install(
        router,
        frame.identity(),
        flags.daemon().all(),
        frame.metrics(),
        frame.files(),
        Optional.of(frame.modules().leases()),
        frame.workers());
    new MasterEndpoints(leadership, frame.authorization(), frame.metrics(), frame.workers())
        .scheduler(
            flags.frameworks().constraints(),
            flags.frameworks().rules().rootSubmissions()
                ? Optional.empty()
                : Optional.of(new RootAccounts()))
        .operator(flags.daemon(), flags.operator(), frame.files(), verbosity, loop, frame.started())
        .install(router);
  }

  private LinkServer.Acceptor acceptor() {
    Metrics.Counter faults = frame.metrics().counter("master/mezzo/link_faults");
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
      term.links().opened(session, hello, principal);
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

  private MasterInfo describe() {
    Advertised told = frame.advertised();
    MasterInfo.Builder info =
        MasterInfo.newBuilder()
            .setId(Ids.random())
            .setIp(networkOrder(told.address()))
            .setPort(told.port())
            .setPid("master@" + told.ip() + ":" + told.port())
            .setHostname(told.hostname())
            .setVersion(Versions.MESOS)
            .setAddress(
                Address.newBuilder()
                    .setHostname(told.hostname())
                    .setIp(told.ip())
                    .setPort(told.port()));
    for (MasterInfo.Capability.Type type :
        List.of(
            MasterInfo.Capability.Type.AGENT_UPDATE,
            MasterInfo.Capability.Type.AGENT_DRAINING,
            MasterInfo.Capability.Type.QUOTA_V2)) {
      info.addCapabilities(MasterInfo.Capability.newBuilder().setType(type));
    }
    flags.daemon().domain().ifPresent(info::setDomain);
    return info.build();
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
      change(term -> term.allocation().whitelist(whitelist));
    }
  }

  /** Selects another allocator by name at run time; handed over as in a swap. */
  public void selectAllocator(String name) {
    if (!name.equals(allocator)) {
      LOG.info("Allocator {} is to take over from {}", name, allocator);
      allocator = name;
      expected.close();
      expected = frame.modules().expect(Kinds.ALLOCATOR, name);
      change(term -> term.allocation().select(name));
    }
  }

  /**
   * Changes the present term, also one that does not serve yet; later ones begin with what is so.
   */
  private void change(Consumer<MasterTerm> action) {
    loop.execute(
        () -> {
          MasterTerm present = leadership.term();
          if (present != null) {
            action.accept(present);
          }
        });
  }

  /** Selects other hooks at run time, from when they have opened. */
  public void selectHooks(List<String> names) {
    consultant.select(names);
  }

  /**
   * Lets another module stand for election, which may cost the term that there is, once it has
   * opened.
   */
  public void selectContender(MasterFlags.Election next) {
    election.ifPresent(it -> it.select(next.contention()));
  }

  /** Lets another module say who leads; the leader that is known stays until then. */
  public void selectDetector(MasterFlags.Election election) {
    detection.select(election.detection());
  }

  /** Has other modules live beside it, from when they have opened. */
  public void selectAnonymous(List<String> names) {
    frame.selectAnonymous(names);
  }

  /** Selects other modules for who guards the border, from when they have opened. */
  public void selectGuards(BorderFlags border) {
    frame.selectGuards(border);
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return frame.address();
  }

  /** What it knows, while it leads. */
  public ClusterView cluster() {
    return leadership;
  }

  /** What its shell answers about offers; whoever is in there may see everything. */
  public OfferCommands offerCommands() {
    return new OfferCommands(new OfferExplanations(leadership, Authorization.none()));
  }

  /** What its shell shows of the cluster. */
  public ClusterCommands clusterCommands() {
    return new ClusterCommands(leadership);
  }

  /** What its shell has it do. */
  public OperatorCommands operatorCommands() {
    return new OperatorCommands(leadership);
  }

  /** Its numbers. */
  public MetricsRegistry metrics() {
    return frame.metrics();
  }

  /** The thread of its state, for those who measure it. */
  public EventLoop loop() {
    return loop;
  }

  /** The clock it goes by. */
  public Clock clock() {
    return frame.clock();
  }

  /** Resigns, then stops serving, then gives everything back. */
  @Override
  public void close() {
    frame.close();
  }
}
