package org.mezzo.detectors;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.Sink;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.MasterLocation;
import org.mezzo.flags.FlagValues;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * The leader of the election that is held in ZooKeeper, at the URL of an agent's {@code --master}
 * or a master's {@code --zk}. Each instance has a session of its own.
 */
@Component(service = MasterDetector.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = MasterDetector.KIND,
    name = ZooKeeperDetector.NAME,
    version = "0.1.0",
    author = "Mezzo",
    description = "the master that leads by an election in ZooKeeper",
    flags = {"master", "zk", ZooKeeperDetector.TIMEOUT})
public final class ZooKeeperDetector implements MasterDetector {
  static final String NAME = "zookeeper";
  static final String TIMEOUT = "zk_session_timeout";

  /** How long ZooKeeper may take to name the leader, before something is wrong with it. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private final Coordination coordination;
  private String url = "";
  private Duration timeout = Duration.ofSeconds(10);
  private Clock clock = Clock.systemUTC();
  private Optional<Coordination.Election> session = Optional.empty();
  private volatile Optional<Instant> silentSince = Optional.empty();

  /** Does nothing yet. */
  @Activate
  public ZooKeeperDetector(@Reference Coordination coordination) {
    this.coordination = coordination;
  }

  /**
   * Reads the flags.
   *
   * @throws IllegalArgumentException when there is no ZooKeeper URL in them; never with a password
   */
  @Override
  public void open(DaemonContext context) {
    clock = context.clock();
    String flag = context.role() == Role.MASTER ? "zk" : "master";
    String text = context.flags().get(flag);
    url =
        Optional.ofNullable(text)
            .flatMap(it -> MasterLocation.parse(it).zooKeeper())
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "--"
                            + flag
                            + (text == null ? " is missing" : " is no ZooKeeper URL")
                            + ": give zk://host:port,host:port/path"));
    timeout =
        Optional.ofNullable(context.flags().get(TIMEOUT)).map(FlagValues::duration).orElse(timeout);
  }

  @Override
  public void detect(Sink<Optional<MasterInfo>> leaders) {
    silentSince = Optional.of(clock.instant());
    // A sink never waits: the session's own thread can call it.
    Coordination.Election opened = coordination.zooKeeper(url, timeout, Runnable::run);
    session = Optional.of(opened);
    opened.detect(
        leader -> {
          silentSince = Optional.empty();
          leaders.report(leader);
        });
  }

  /** Whether ZooKeeper has said anything yet; that it says no more later ends in no leader. */
  @Override
  public Optional<String> health() {
    return silentSince
        .filter(since -> clock.instant().isAfter(since.plus(PATIENCE)))
        .map(since -> "ZooKeeper does not answer, so the leading master is not known");
  }

  @Override
  public void close() {
    session.ifPresent(Coordination.Election::close);
  }
}
