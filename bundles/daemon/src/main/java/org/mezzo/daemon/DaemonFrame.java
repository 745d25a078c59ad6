package org.mezzo.daemon;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.mezzo.api.anonymous.AnonymousModule;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.BearerTokens;
import org.mezzo.daemon.border.BorderFlags;
import org.mezzo.daemon.border.ModuleAuthentication;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.configuration.DaemonFlags;
import org.mezzo.daemon.configuration.ListenFlags.Advertised;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.CollectorPauses;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.files.OwnFolder;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpConnectors;
import org.mezzo.http.HttpHandler;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleChain;
import org.mezzo.modules.ModuleLeases;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What every daemon has, whatever it does: locked folders, event loop, workers, identity, metrics,
 * authentication, authorization, files, routes and a connector. The connector is bound from the
 * beginning, so that the port is known, and answers everything with 503 until {@link #openBorder}.
 *
 * <p>What the daemon adds is closed with it, in the reverse order of its coming ({@link #own}); the
 * services that it was made with are the host's and stay open. Safe for any thread.
 */
public final class DaemonFrame implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DaemonFrame.class);
  private static final Duration HTTP_IDLE = Duration.ofMinutes(5);

  /** Makes the daemon that runs in a frame. */
  @FunctionalInterface
  public interface Construction<D extends Daemon> {
    D in(DaemonFrame frame) throws Exception;
  }

  private final String name;
  private final DaemonKind kind;
  private final DaemonFlags flags;
  private final DaemonModules modules;
  private final Instant started = Instant.now();
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final Deque<AutoCloseable> open = new ConcurrentLinkedDeque<>();
  private final DaemonIdentity identity;
  private EventLoop loop;
  private Workers workers;
  private ModuleAuthentication authentication;
  private Authorization authorization;
  private VirtualFiles files;
  private Router router;
  private InetSocketAddress address;
  private Advertised advertised;
  private volatile HttpHandler border;
  private volatile ModuleChain<AnonymousModule> anonymous;

  private DaemonFrame(String name, DaemonKind kind, DaemonFlags flags, ModuleLeases modules) {
    this.name = name;
    this.kind = kind;
    this.flags = flags;
    identity =
        new DaemonIdentity(
            name,
            kind.role(),
            flags.folders().work(),
            flags.folders().runtime(),
            flags.all().asText(),
            flags.modules(),
            metrics);
    this.modules =
        new DaemonModules(modules, (module, of) -> identity.forModule(module, of, metrics));
    border = unavailable("The " + kind.noun() + " is starting");
  }

  /**
   * Locks the folders, starts the threads and binds the connector.
   *
   * @param name of the daemon, unique in the process
   * @throws IOException when a folder or the port stands in the way; the message says what to do,
   *     and nothing stays open
   */
  public static DaemonFrame open(
      String name,
      DaemonKind kind,
      DaemonFlags flags,
      ModuleLeases modules,
      HttpConnectors connectors)
      throws IOException {
    DaemonFrame frame = new DaemonFrame(name, kind, flags, modules);
    try {
      frame.lockFolders();
      frame.startThreads();
      frame.bind(connectors);
      return frame;
    } catch (IOException | RuntimeException e) {
      frame.close();
      throw failure(e);
    }
  }

  private void lockFolders() throws IOException {
    DaemonFlags.Folders folders = flags.folders();
    OwnFolder.open(folders.work(), "Or choose another folder with --work_dir");
    own(WorkDirLock.acquire(folders.work(), kind.noun()));
    if (folders.apart().isPresent()) {
      OwnFolder.closed(folders.runtime(), "Or choose another folder with --runtime_dir");
      own(WorkDirLock.acquire(folders.runtime(), kind.noun()));
    }
  }

  private void startThreads() {
    loop = own(new EventLoop(name));
    loop.measure(metrics, kind.metrics());
    workers = own(new Workers(name, kind.workers()));
    workers.measure(metrics, kind.metrics());
    own(CollectorPauses.ofProcess()).measure(metrics);
    long now = System.nanoTime();
    metrics.gauge(kind.metrics() + "/uptime_secs", () -> (System.nanoTime() - now) / 1e9);
  }

  private void bind(HttpConnectors connectors) throws IOException {
    authentication =
        own(
            new ModuleAuthentication(
                kind.role(), flags.border().authenticators(), modules, workers));
    authorization = own(Authorization.of(flags.border().authorizer(), modules, workers));
    files = own(new VirtualFiles(name, authorization));
    files.measure(metrics, kind.metrics());
    router =
        new Router(kind.pathId(), authentication, authorization, workers)
            .measure(metrics, kind.metrics() + "/mezzo/endpoints");
    router.disable(flags.border().disabledPaths());
    HttpConnector connector =
        connectors.open(
            new ConnectorOptions(
                name,
                flags.listen().ip(),
                flags.listen().port(),
                Optional.empty(),
                kind.httpThreads(),
                HTTP_IDLE),
            exchange -> border.handle(exchange));
    own(() -> connector.close(kind.httpGrace()));
    address = connector.address();
    advertised = flags.listen().advertised(address);
  }

  /**
   * Makes the daemon and starts it, and has the modules of {@code --anonymous_modules} live beside
   * it: they come when it serves and go when it is closed, and nobody waits for either.
   *
   * @throws IOException when that fails; the message says what to do, and nothing stays open
   */
  public <D extends Daemon> D start(Construction<D> construction) throws IOException {
    try {
      D daemon = construction.in(this);
      daemon.start();
      openBorder();
      anonymous = own(modules.chain(Kinds.ANONYMOUS, flags.anonymous(), loop));
      LOG.info("The {} '{}' serves on {}", kind.noun(), name, address());
      return daemon;
    } catch (Exception e) {
      close();
      throw failure(e);
    }
  }

  /** Lets in who brings a token that this daemon has given; to be called before requests come. */
  public void accept(BearerTokens tokens) {
    authentication.accept(tokens);
  }

  /** Has other modules guard the border from when they have opened; what is open stays open. */
  public void selectGuards(BorderFlags border) {
    authentication.select(border.authenticators());
    border.authorizer().ifPresent(authorization::select);
  }

  /**
   * Has other modules live beside the started daemon, from when they have opened; the others are
   * closed then.
   */
  public void selectAnonymous(List<String> names) {
    anonymous.select(names);
  }

  private static IOException failure(Exception e) {
    return e instanceof IOException io
        ? io
        : new IOException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
  }

  private static HttpHandler unavailable(String message) {
    return exchange -> exchange.respond(HttpResponse.text(503, message).with("Retry-After", "1"));
  }

  /** Lets requests in, to the routes there are; the answer is 503 before. */
  public void openBorder() {
    border = router;
  }

  /** Closes this when the frame is closed, before what it had before. */
  public <T extends AutoCloseable> T own(T part) {
    open.addLast(part);
    return part;
  }

  /** The daemon's name within its process. */
  public String name() {
    return name;
  }

  /** The flags that every daemon has. */
  public DaemonFlags flags() {
    return flags;
  }

  /** Who the daemon is. */
  public DaemonIdentity identity() {
    return identity;
  }

  /** The clock it goes by. */
  public Clock clock() {
    return identity.clock();
  }

  /** When the frame was made. */
  public Instant started() {
    return started;
  }

  /** The one thread that touches its state. */
  public EventLoop loop() {
    return loop;
  }

  /** The threads for what must not run on the loop. */
  public Workers workers() {
    return workers;
  }

  /** Its numbers. */
  public MetricsRegistry metrics() {
    return metrics;
  }

  /** Its modules, each of which sees its own parameters and metrics. */
  public DaemonModules modules() {
    return modules;
  }

  /** Who may do what. */
  public Authorization authorization() {
    return authorization;
  }

  /** The files that it shows. */
  public VirtualFiles files() {
    return files;
  }

  /** Shows the log of the process (rule 351), to whoever may see it. */
  public void showLog(Path file) {
    files.attach("/" + kind.metrics() + "/log", file, Question.anything(Action.ACCESS_MESOS_LOG));
  }

  /** What it serves. */
  public Router router() {
    return router;
  }

  /** Where it listens, with the real port. */
  public InetSocketAddress address() {
    return address;
  }

  /** Where others are told that it is. */
  public Advertised advertised() {
    return advertised;
  }

  /**
   * Closes everything, the latest first; requests are answered with 503 meanwhile. What cannot be
   * closed is logged and left. Does nothing the second time.
   */
  @Override
  public void close() {
    border = unavailable("The " + kind.noun() + " is stopping");
    for (AutoCloseable part = open.pollLast(); part != null; part = open.pollLast()) {
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("A part of the {} '{}' could not be closed", kind.noun(), name, e);
      }
    }
  }
}
