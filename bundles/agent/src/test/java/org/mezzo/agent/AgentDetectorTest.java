package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.Sink;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.MasterInfo;

/** What detectors can do to an agent, and what they cannot. */
class AgentDetectorTest extends RunningAgent {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final List<FakeMaster> others = new ArrayList<>();

  /** Reports when it is told to. */
  private static final class Told implements MasterDetector {
    private final List<String> life = new CopyOnWriteArrayList<>();
    private volatile Sink<Optional<MasterInfo>> leaders;

    @Override
    public void detect(Sink<Optional<MasterInfo>> sink) {
      leaders = sink;
    }

    private Sink.Receipt says(MasterInfo leader) {
      return leaders.report(Optional.of(leader));
    }

    @Override
    public void close() {
      life.add("closed");
    }
  }

  private FakeMaster another() throws Exception {
    FakeMaster other = new FakeMaster();
    others.add(other);
    return other;
  }

  @AfterEach
  void closeMasters() {
    others.forEach(FakeMaster::close);
  }

  private LocalModules.Registered install(Told detector) {
    return modules.register(Kinds.MASTER_DETECTOR, "told", detector);
  }

  /** A registered agent whose detector is this one. */
  private LocalModules.Registered startWith(Told detector) throws Exception {
    flags.put("master_detector", "told");
    flags.remove("master");
    LocalModules.Registered registered = install(detector);
    agent = newAgent();
    Await.until("it is asked", PATIENCE, () -> detector.leaders != null);
    assertThat(master.registrations).isEmpty();
    detector.says(info(master));
    assertThat(master.registrations.poll(60, TimeUnit.SECONDS)).isNotNull();
    awaitRegistered(1);
    return registered;
  }

  private void awaitRegistered(int value) {
    Await.until("it is registered", PATIENCE, () -> metric("slave/registered") == value);
  }

  private double metric(String name) throws Exception {
    for (String each : get("/metrics/snapshot").body().split("[{,}]")) {
      if (each.startsWith("\"" + name + "\":")) {
        return Double.parseDouble(each.substring(each.indexOf("\":") + 2));
      }
    }
    throw new AssertionError("there is no metric " + name);
  }

  /** All that was reported before has been handled: the one loop answers. */
  private void awaitHandled() throws Exception {
    assertThat(get("/state").statusCode()).isEqualTo(200);
    modules.awaitHolders();
    assertThat(get("/state").statusCode()).isEqualTo(200);
  }

  @Test
  void goesToWhomeverTheDetectorNames() throws Exception {
    Told detector = new Told();
    startWith(detector);
    FakeMaster next = another();
    detector.says(info(next));
    AgentCall registration = next.registrations.poll(60, TimeUnit.SECONDS);
    assertThat(registration).isNotNull();
    assertThat(registration.hasReregister()).isTrue();

    detector.leaders.report(Optional.empty());
    awaitRegistered(0);
    detector.says(info(next));
    assertThat(next.registrations.poll(60, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void keepsItsLinkWhenTheDetectorIsSwappedForOneThatNamesTheSameMaster() throws Exception {
    Told before = new Told();
    startWith(before);
    int links = master.sessions.size();
    Told next = new Told();
    install(next);
    Await.until("it is swapped", PATIENCE, () -> !before.life.isEmpty());
    assertThat(before.says(info(another()))).isEqualTo(Sink.Receipt.RETIRED);
    // It knows the place alone, then a name for it, then all.
    next.says(info(master).toBuilder().setId("").build());
    next.says(info(master).toBuilder().setVersion("1.12").build());
    awaitHandled();
    assertThat(metric("slave/registered")).isEqualTo(1);
    assertThat(master.sessions).hasSize(links);
    assertThat(master.registrations).isEmpty();

    // Another master at the same place is another one.
    next.says(info(master).toBuilder().setId("restarted").build());
    assertThat(master.registrations.poll(60, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void keepsItsLinkWhileThereIsNoDetector() throws Exception {
    Told detector = new Told();
    startWith(detector).close();
    Await.until("it is gone", PATIENCE, () -> !detector.life.isEmpty());
    awaitHandled();
    assertThat(metric("slave/registered")).isEqualTo(1);

    // A link that breaks is made anew to the same master.
    master.sessions.get(master.sessions.size() - 1).close();
    assertThat(master.registrations.poll(60, TimeUnit.SECONDS)).isNotNull();

    Told next = new Told();
    install(next);
    Await.until("it is asked", PATIENCE, () -> next.leaders != null);
    FakeMaster other = another();
    next.says(info(other));
    assertThat(other.registrations.poll(60, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void ignoresMastersThatCannotBe() throws Exception {
    Told detector = new Told();
    startWith(detector);
    MasterInfo real = info(master);
    List<MasterInfo> lies =
        List.of(
            MasterInfo.getDefaultInstance(),
            real.toBuilder().setHostname("").build(),
            real.toBuilder().setHostname("here\r\nSet-Cookie: a=b").build(),
            real.toBuilder().setPort(0).build(),
            real.toBuilder().setPort(70_000).build(),
            real.toBuilder().setAddress(Address.newBuilder().setIp("h/x").setPort(1)).build(),
            real.toBuilder().setAddress(Address.newBuilder().setIp("::1").setPort(-1)).build(),
            real.toBuilder().setVersion("v".repeat(MasterDetector.MOST_BYTES)).build());
    for (int i = 0; i < lies.size(); i++) {
      int ignored = i + 1;
      assertThat(detector.says(lies.get(i))).isEqualTo(Sink.Receipt.TAKEN);
      Await.until(
          "lie " + i + " is ignored",
          PATIENCE,
          () -> metric("slave/mezzo/leader_reports_ignored") == ignored);
    }
    assertThat(metric("slave/registered")).isEqualTo(1);
    assertThat(master.registrations).isEmpty();
    assertThat(detector.life).isEmpty();
  }

  @Test
  void followsADetectorThatCannotMakeUpItsMindNoFasterThanItCan() throws Exception {
    Told detector = new Told();
    startWith(detector);
    FakeMaster other = another();
    for (int i = 0; metric("slave/mezzo/leader_changes_delayed") == 0; i++) {
      detector.says(info(i % 2 == 0 ? other : master));
    }
    int links = master.sessions.size() + other.sessions.size();
    assertThat(links).isLessThanOrEqualTo(10);
    // The last word counts in the end.
    FakeMaster last = another();
    detector.says(info(last));
    assertThat(last.registrations.poll(60, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void needsAMasterOrADetector() {
    flags.remove("master");
    assertThatThrownBy(this::newAgent).hasMessageContaining("--master is missing");
    for (String text :
        List.of("", ":5050", "host:x", "zoo://a/b", "file:///no/such", "zk://h//x")) {
      flags.put("master", text);
      assertThatThrownBy(this::newAgent).hasMessageContaining("--master");
    }
  }
}
