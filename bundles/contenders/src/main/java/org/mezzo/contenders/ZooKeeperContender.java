package org.mezzo.contenders;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.Sink;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.coordination.Coordination;
import org.mezzo.flags.FlagValues;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Stands in the election that is held in ZooKeeper at the URL of {@code --zk}. Each instance has a
 * session of its own, and leads no longer than that lasts.
 */
@Component(service = MasterContender.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = MasterContender.KIND,
    name = ZooKeeperContender.NAME,
    version = "0.1.0",
    author = "Mezzo",
    description = "stands in an election in ZooKeeper",
    flags = {ZooKeeperContender.URL, ZooKeeperContender.TIMEOUT})
public final class ZooKeeperContender implements MasterContender {
  static final String NAME = "zookeeper";
  static final String URL = "zk";
  static final String TIMEOUT = "zk_session_timeout";

  /** How long ZooKeeper may take to say anything, before something is wrong with it. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private final Coordination coordination;
  private String url = "";
  private Duration timeout = Duration.ofSeconds(10);
  private Clock clock = Clock.systemUTC();
  private volatile Optional<Instant> silentSince = Optional.empty();

  // What is below is guarded by this: sessions speak on threads of their own.

  private Optional<Sink<Standing>> standings = Optional.empty();
  private Optional<Coordination.Election> session = Optional.empty();
  private Optional<Candidate> candidate = Optional.empty();
  private Optional<MasterInfo> leader = Optional.empty();

  /** Does nothing yet. */
  @Activate
  public ZooKeeperContender(@Reference Coordination coordination) {
    this.coordination = coordination;
  }

  /**
   * Reads the flags.
   *
   * @throws IllegalArgumentException when {@code --zk} is missing
   */
  @Override
  public void open(DaemonContext context) {
    clock = context.clock();
    url =
        Optional.ofNullable(context.flags().get(URL))
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "--zk is missing: give zk://host:port,host:port/path, or take the contender"
                            + " "
                            + StandaloneContender.NAME));
    timeout =
        Optional.ofNullable(context.flags().get(TIMEOUT)).map(FlagValues::duration).orElse(timeout);
  }

  @Override
  public synchronized void report(Sink<Standing> sink) {
    standings = Optional.of(sink);
    silentSince = Optional.of(clock.instant());
    // A sink never waits: the session's own thread can call it.
    Coordination.Election opened = coordination.zooKeeper(url, timeout, Runnable::run);
    session = Optional.of(opened);
    opened.detect(this::detected);
  }

  @Override
  public synchronized void enter(MasterInfo self) {
    if (candidate.isEmpty()) {
      stand(self);
      tellOfOthers();
    }
  }

  private synchronized void detected(Optional<MasterInfo> now) {
    silentSince = Optional.empty();
    leader = now;
    tellOfOthers();
  }

  /** Says who else leads. That it leads itself by the instance before this one is no such thing. */
  private void tellOfOthers() {
    leader
        .filter(it -> candidate.isPresent() && !it.getId().equals(candidate.get().self.getId()))
        .ifPresent(
            it ->
                report(
                    Standing.follows(
                        it.getId() + " at " + it.getHostname() + ":" + it.getPort() + " leads")));
  }

  private void report(Standing standing) {
    standings.ifPresent(sink -> sink.report(standing));
  }

  private void stand(MasterInfo self) {
    Candidate next = new Candidate(self);
    candidate = Optional.of(next);
    next.place = session.map(it -> it.contend(self, next));
  }

  @Override
  public void leave() {
    Optional<Candidate> last;
    synchronized (this) {
      last = candidate;
      candidate = Optional.empty();
    }
    // Waits for a thread that may be waiting for this object.
    last.flatMap(it -> it.place).ifPresent(Coordination.Candidacy::close);
  }

  /**
   * Whether ZooKeeper has said anything yet; that it says no more later ends in a lost election.
   */
  @Override
  public Optional<String> health() {
    return silentSince
        .filter(since -> clock.instant().isAfter(since.plus(PATIENCE)))
        .map(since -> "ZooKeeper does not answer, so this master cannot stand for election");
  }

  @Override
  public void close() {
    leave();
    Optional<Coordination.Election> last;
    synchronized (this) {
      last = session;
      session = Optional.empty();
    }
    last.ifPresent(Coordination.Election::close);
  }

  private synchronized void tell(Candidate who, Standing standing) {
    if (candidate.filter(it -> it == who).isEmpty()) {
      return;
    }
    report(standing);
    if (!standing.isLeading() && session.isPresent()) {
      // Its session has expired, say: who is in the election once is not for good.
      stand(who.self);
    }
  }

  private final class Candidate implements Coordination.CandidacyListener {
    private final MasterInfo self;
    private Optional<Coordination.Candidacy> place = Optional.empty();

    Candidate(MasterInfo self) {
      this.self = self;
    }

    @Override
    public void elected(String claim) {
      tell(this, Standing.leads(claim));
    }

    @Override
    public void lost(String reason) {
      tell(this, Standing.follows(reason));
    }
  }
}
