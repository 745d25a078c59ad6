package org.mezzo.master.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleReport.State;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DomainInfo;

/** How a rollout goes on, by what hosts say and what time it is. */
class RolloutRulesTest {
  private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
  private static final String MODULE = "org.example.module";
  private static final WantedBundle OLD = new WantedBundle(MODULE, "1.0.0", "aa", 1, Selector.ALL);
  private static final WantedBundle NEW = new WantedBundle(MODULE, "2.0.0", "bb", 1, Selector.ALL);
  private static final Generation FROM = new Generation(3, List.of(OLD), "anna", BEGIN);
  private static final Generation TO = new Generation(4, List.of(NEW), "bert", BEGIN);
  private static final Rollout.Pace PACE =
      new Rollout.Pace(2, Duration.ofSeconds(10), Duration.ofSeconds(60), 10);

  private final Map<String, HostView> hosts = new LinkedHashMap<>();
  private Instant now = BEGIN;
  private DesiredModules wanted;

  @BeforeEach
  void begin() {
    wanted =
        new DesiredModules(FROM, Optional.empty(), Optional.empty(), 3)
            .begin(Rollout.begin(TO, PACE, BEGIN));
    for (String id : List.of("a", "b", "c")) {
      says(id, 3, State.ACTIVE, "");
    }
  }

  private static Member agent(String id) {
    return new Member.OfAgent(info(id));
  }

  private static AgentInfo info(String id) {
    return AgentInfo.newBuilder()
        .setHostname("host-" + id)
        .setId(AgentID.newBuilder().setValue(id))
        .build();
  }

  private void says(String id, long generation, State state, String problem) {
    says(id, "process-" + id, generation, state, problem);
  }

  private void says(String id, String process, long generation, State state, String problem) {
    ModuleStatus status =
        ModuleStatus.newBuilder()
            .setGeneration(generation)
            .setHostId(process)
            .addModules(
                ModuleReport.newBuilder()
                    .setSymbolicName(MODULE)
                    .setState(state)
                    .setProblem(problem))
            .build();
    hosts.put(id, new HostView(agent(id), true, true, BEGIN, false, Optional.of(status)));
  }

  private void loses(String id) {
    hosts.put(id, new HostView(agent(id), false, true, now, false, hosts.get(id).status()));
  }

  /** Goes on until nothing changes any more at this time. */
  private Optional<Instant> run() {
    while (true) {
      RolloutRules.Step step = RolloutRules.step(wanted, hosts.values(), now);
      if (step.next().equals(wanted)) {
        return step.look();
      }
      wanted = step.next();
    }
  }

  private Rollout rollout() {
    return wanted.rollout().orElseThrow();
  }

  private void wellIn(long generation, String... ids) {
    for (String id : ids) {
      says(id, generation, State.ACTIVE, "");
    }
  }

  @Test
  void batchesFollowEachOtherAfterThePause() {
    run();
    assertThat(rollout().touched()).containsExactly("a", "b");
    assertThat(wanted.of("a")).isEqualTo(TO);
    assertThat(wanted.of("c")).isEqualTo(FROM);

    wellIn(4, "a");
    run();
    wellIn(4, "b");
    assertThat(run()).contains(now.plusSeconds(10));
    assertThat(rollout().touched()).hasSize(2);

    now = now.plusSeconds(10);
    run();
    assertThat(rollout().touched()).containsExactly("a", "b", "c");
    wellIn(4, "c");
    run();
    now = now.plusSeconds(10);
    run();
    assertThat(rollout().state()).isEqualTo(Rollout.State.DONE);
    assertThat(wanted.current()).isEqualTo(TO);
    assertThat(wanted.previous()).contains(FROM);
  }

  @Test
  void failureSendsAllThatWereTouchedBack() {
    run();
    wellIn(4, "a");
    says("b", 4, State.FAILED, "it throws");
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLING_BACK);
    assertThat(rollout().reason()).isEqualTo("agent b (host-b): org.example.module: it throws");
    assertThat(wanted.of("a")).isEqualTo(FROM);

    wellIn(3, "a");
    run();
    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLING_BACK);
    wellIn(3, "b");
    run();
    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLED_BACK);
    assertThat(wanted.current()).isEqualTo(FROM);
    assertThat(rollout().touched()).doesNotContain("c");
  }

  @Test
  void quarantineDuringThePauseOrInAnEarlierBatchIsAFailure() {
    run();
    wellIn(4, "a", "b");
    run();
    now = now.plusSeconds(10);
    run();
    says("a", 4, State.UNHEALTHY, "it hangs");
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLING_BACK);
  }

  @Test
  void whatTakesTooLongHasFailed() {
    run();
    wellIn(4, "a");
    assertThat(run()).contains(BEGIN.plusSeconds(60));
    now = now.plusSeconds(60);
    run();

    assertThat(rollout().reason()).contains("agent b").contains("within 60 s");
  }

  @Test
  void agentThatIsLostHasFailedOnceItHadTimeToComeBack() {
    run();
    wellIn(4, "a", "b");
    loses("b");
    assertThat(run()).contains(now.plusSeconds(60));
    assertThat(rollout().state()).isEqualTo(Rollout.State.RUNNING);
    now = now.plusSeconds(60);
    run();
    assertThat(rollout().reason()).contains("no link");
  }

  @Test
  void agentThatWasRemovedHasFailed() {
    run();
    hosts.remove("a");
    run();

    assertThat(rollout().reason()).isEqualTo("agent a was lost");
  }

  @Test
  void agentsOfOneProcessAreOneHost() {
    says("a", "same", 3, State.ACTIVE, "");
    says("c", "same", 3, State.ACTIVE, "");
    run();

    assertThat(rollout().touched()).containsExactlyInAnyOrder("a", "b", "c");
  }

  @Test
  void agentsWithoutALinkAreNotWaitedFor() {
    loses("c");
    run();
    wellIn(4, "a", "b");
    run();
    now = now.plusSeconds(10);
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.DONE);
    assertThat(wanted.of("c")).isEqualTo(TO);
  }

  @Test
  void newLeaderWaitsForAgentsThatItDoesNotKnowYet() {
    hosts.put("a", new HostView(agent("a"), false, true, now, true, Optional.empty()));
    hosts.remove("b");
    hosts.remove("c");
    assertThat(run()).contains(now.plusSeconds(60));
    assertThat(rollout().state()).isEqualTo(Rollout.State.RUNNING);

    wellIn(3, "a");
    run();
    assertThat(rollout().touched()).containsExactly("a");
  }

  @Test
  void whatSomebodyPutThereByHandStopsNothing() {
    run();
    says("a", 4, State.OVERRIDDEN, "by hand");
    wellIn(4, "b");
    run();
    now = now.plusSeconds(10);
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.RUNNING);
    assertThat(rollout().touched()).hasSize(3);
  }

  @Test
  void pausedOneBeginsNoBatchAndStillFails() {
    run();
    wanted = wanted.with(rollout().paused("anna"));
    wellIn(4, "a", "b");
    run();
    now = now.plusSeconds(100);
    assertThat(run()).isEmpty();
    assertThat(rollout().touched()).hasSize(2);
    says("a", 4, State.FAILED, "late");
    run();
    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLING_BACK);
  }

  @Test
  void wayBackEndsAlsoWhenAHostDoesNotSaySo() {
    run();
    says("a", 4, State.FAILED, "bad");
    run();
    now = now.plusSeconds(60);
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLED_BACK);
    assertThat(rollout().reason()).contains("not known to be back").contains("agent a");
  }

  /** How tasks ended that an agent had. */
  private void ended(String id, long usual, long usualFailed, long since, long sinceFailed) {
    HostView host = hosts.get(id);
    hosts.put(
        id,
        new HostView(
            host.member(),
            host.connected(),
            host.follows(),
            host.since(),
            host.returning(),
            host.status(),
            host.awaits(),
            new TaskHistory(
                new TaskOutcomes(usual, usualFailed), new TaskOutcomes(since, sinceFailed))));
  }

  @Test
  void tasksThatFailMoreOftenSendAllBack() {
    run();
    wellIn(4, "a", "b");
    ended("a", 100, 2, 30, 4);
    ended("c", 100, 3, 0, 0);
    run();
    assertThat(rollout().state()).isEqualTo(Rollout.State.RUNNING);

    ended("a", 100, 2, 30, 10);
    run();
    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLING_BACK);
    assertThat(rollout().reason())
        .isEqualTo("10 of 30 tasks that ended since failed, and 5 of 200 before: at most 16% may");
  }

  @Test
  void goodBatchesBeforeDoNotHideABadOne() {
    run();
    wellIn(4, "a", "b");
    ended("a", 0, 0, 1000, 0);
    run();
    now = now.plusSeconds(10);
    run();
    wellIn(4, "c");
    ended("c", 0, 0, 10, 8);
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLING_BACK);
  }

  @Test
  void whatFailsAllTheTimeMayFailOn() {
    run();
    wellIn(4, "a", "b");
    ended("a", 200, 120, 50, 50);
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.RUNNING);
  }

  @Test
  void registryGivesBackWhatItWasGiven() throws Exception {
    run();
    var change = ModulesRegistry.change(wanted);

    assertThat(ModulesRegistry.read(Map.of(change.key(), change.value()))).isEqualTo(wanted);
  }

  private static final Selector MASTERS = Selector.parse("role=master");

  private void master(String id, boolean leads, String process, long generation, State state) {
    ModuleStatus status =
        ModuleStatus.newBuilder()
            .setGeneration(generation)
            .setHostId(process)
            .addModules(
                ModuleReport.newBuilder()
                    .setSymbolicName(MODULE)
                    .setState(state)
                    .setProblem(state == State.ACTIVE ? "" : "it throws"))
            .build();
    Member member = new Member.OfMaster(id, "host", DomainInfo.getDefaultInstance(), leads);
    hosts.put(id, new HostView(member, true, true, BEGIN, false, Optional.of(status)));
  }

  private void wantsOfMasters(Selector selector) {
    WantedBundle bundle = new WantedBundle(MODULE, "2.0.0", "bb", 1, selector);
    wanted =
        new DesiredModules(
                new Generation(3, List.of(), "anna", BEGIN), Optional.empty(), Optional.empty(), 3)
            .begin(Rollout.begin(new Generation(4, List.of(bundle), "bert", BEGIN), PACE, BEGIN));
    master("master@1", true, "process-1", 3, State.ACTIVE);
    master("master@2", false, "process-2", 3, State.ACTIVE);
    master("master@3", false, "process-3", 3, State.ACTIVE);
  }

  private void passes() {
    run();
    now = now.plusSeconds(10);
    run();
  }

  @Test
  void mastersComeOneAtATimeAndTheLeaderLast() {
    wantsOfMasters(MASTERS);
    run();
    assertThat(rollout().touched()).containsExactly("master@2");
    master("master@2", false, "process-2", 4, State.ACTIVE);
    passes();
    assertThat(rollout().touched()).containsExactly("master@2", "master@3");
    master("master@3", false, "process-3", 4, State.ACTIVE);
    passes();
    assertThat(rollout().touched()).containsExactly("master@2", "master@3", "master@1");
    master("master@1", true, "process-1", 4, State.ACTIVE);
    passes();

    assertThat(rollout().state()).isEqualTo(Rollout.State.DONE);
  }

  @Test
  void agentsComeBeforeMasters() {
    wantsOfMasters(Selector.parse("role=any"));
    run();
    assertThat(rollout().touched()).containsExactly("a", "b");
    wellIn(4, "a", "b");
    passes();
    assertThat(rollout().touched()).containsExactly("a", "b", "c");
    wellIn(4, "c");
    passes();

    assertThat(rollout().touched()).containsExactly("a", "b", "c", "master@2");
  }

  @Test
  void masterThatFailsSendsAllBack() {
    wantsOfMasters(MASTERS);
    run();
    master("master@2", false, "process-2", 4, State.FAILED);
    run();
    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLING_BACK);
    assertThat(rollout().reason()).isEqualTo("master@2 (host): org.example.module: it throws");
    master("master@2", false, "process-2", 3, State.ACTIVE);
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.ROLLED_BACK);
  }

  @Test
  void masterAndAgentOfAProcessAreOneHost() {
    hosts.clear();
    wantsOfMasters(MASTERS);
    says("a", "process-1", 3, State.ACTIVE, "");
    master("master@2", false, "process-2", 4, State.ACTIVE);
    master("master@3", false, "process-3", 4, State.ACTIVE);
    run();
    passes();
    passes();

    assertThat(rollout().touched()).containsExactly("master@2", "master@3", "a", "master@1");
    assertThat(rollout().inBatch()).isEqualTo(2);
  }

  @Test
  void onlyHostsWhoseModulesChangeTakePart() {
    wantsOfMasters(Selector.parse("rack=a"));
    run();

    assertThat(rollout().state()).isEqualTo(Rollout.State.DONE);
    assertThat(rollout().touched()).isEmpty();
  }
}
