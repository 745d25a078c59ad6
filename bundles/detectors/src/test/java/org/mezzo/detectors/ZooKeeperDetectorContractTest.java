package org.mezzo.detectors;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Coordinations;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.MasterDetectorContract;

class ZooKeeperDetectorContractTest extends MasterDetectorContract {
  private static final Coordination COORDINATION = Coordinations.create();
  private static Coordination.EmbeddedZooKeeper server;
  private static Coordination.Election session;
  private static Optional<Coordination.Candidacy> candidacy = Optional.empty();
  private static Optional<String> leader = Optional.empty();

  @BeforeAll
  static void start(@TempDir Path folder) throws Exception {
    server = COORDINATION.embedded(folder, 0);
    session = COORDINATION.zooKeeper(url(), Duration.ofSeconds(10), Runnable::run);
    contend(Optional.of("127.0.0.1:6000"));
  }

  @AfterAll
  static void stop() {
    session.close();
    server.close();
  }

  private static String url() {
    return "zk://" + server.connectString() + "/mezzo";
  }

  private static void contend(Optional<String> next) {
    candidacy.ifPresent(Coordination.Candidacy::close);
    candidacy = next.map(place -> session.contend(master(place), new Candidate()));
    leader = next;
  }

  private static MasterInfo master(String place) {
    int colon = place.indexOf(':');
    return MasterInfo.newBuilder()
        .setId(place)
        .setIp(0)
        .setPort(Integer.parseInt(place.substring(colon + 1)))
        .setHostname(place.substring(0, colon))
        .build();
  }

  private static final class Candidate implements Coordination.CandidacyListener {
    @Override
    public void elected(String claim) {}

    @Override
    public void lost(String reason) {}
  }

  @Override
  protected MasterDetector module() {
    return new ZooKeeperDetector(COORDINATION);
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withFlags(Map.of("master", url(), "zk_session_timeout", "10secs"));
  }

  @Override
  protected Optional<String> leader() {
    return leader;
  }

  @Override
  protected boolean elect(Optional<String> next) {
    contend(next);
    return true;
  }
}
