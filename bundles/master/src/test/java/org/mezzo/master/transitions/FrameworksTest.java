package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Removal;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

class FrameworksTest {
  private final Given given = new Given(new MasterState.Limits(2, 3, 3, 3));

  private static Subscribing said(FrameworkInfo info) {
    return Subscribing.of(info, List.of(), OfferConstraints.getDefaultInstance());
  }

  /** Rules 30 and 31: the stream is the framework's before anything is sent on it. */
  @Test
  void aNewFrameworkIsGreetedOnAStreamThatIsItsOwn() {
    given.subscribe(Given.info("r"), "s");
    assertThat(given.effects(Effect.BindStream.class))
        .containsExactly(new Effect.BindStream("s", "m-0000"));
    assertThat(given.effects())
        .extracting(effect -> effect.getClass().getSimpleName())
        .containsExactly("BindStream", "Send", "Heartbeat", "Tell", "Allocate");
    Event.Subscribed greeting = given.sentOn("s").get(0).getSubscribed();
    assertThat(greeting.getFrameworkId().getValue()).isEqualTo("m-0000");
    assertThat(greeting.getHeartbeatIntervalSeconds()).isEqualTo(15);
    assertThat(greeting.getMasterInfo().getId()).isEqualTo("m");
    assertThat(given.happenings()).hasOnlyElementsOfType(Happening.FrameworkAdded.class);

    given.subscribe(Given.info("r"), "s2");
    assertThat(given.state().frameworks()).containsOnlyKeys("m-0000", "m-0001");
  }

  /** Rule 32. */
  @Test
  void anIdThatIsNotKnownIsTakenOver() {
    FrameworkInfo.Builder info = Given.info("r").setId(FrameworkID.newBuilder().setValue("mine"));
    assertThat(given.subscribed(info)).isEqualTo("mine");
    assertThat(given.state().counters().framework()).isZero();
  }

  /** Rule 26. */
  @Test
  void whatIsWrongIsToldByOneErrorOnAStreamThatIsNobodys() {
    given.subscribe(Given.info("a b"), "s");
    assertThat(given.sentOn("s")).extracting(Event::getType).containsExactly(Event.Type.ERROR);
    assertThat(given.effects(Effect.EndStream.class)).hasSize(1);
    assertThat(given.effects(Effect.BindStream.class)).isEmpty();
    assertThat(given.state().frameworks()).isEmpty();

    Subscribing fine = said(Given.info("r").build());
    given.run(tx -> Frameworks.subscribe(tx, fine, "s", Optional.of("Not allowed")));
    assertThat(given.sentOn("s").get(0).getError().getMessage()).isEqualTo("Not allowed");
  }

  /** Rules 33 to 35. */
  @Test
  void whoComesBackWinsAndKeepsUserAndCheckpoint() {
    String agent = given.agentOn(1, "cpus:4");
    String id = given.subscribed("r", "q");
    String old = given.framework(id).streamId();
    given.offer(id, "r", agent, "cpus:1");
    Task task = given.running(id, agent, "t", "cpus:1");
    FrameworkInfo.Builder again =
        Given.info("q").setId(given.framework(id).info().getId()).setUser("other").setName("new");
    given.subscribe(again.setCheckpoint(true), "s2");

    assertThat(given.sentOn(old)).hasSize(1);
    assertThat(given.sentOn(old).get(0).getError().getMessage()).isEqualTo("Framework failed over");
    assertThat(given.effects(Effect.EndStream.class)).containsExactly(new Effect.EndStream(old));
    assertThat(given.typesTo(id)).containsExactly(Event.Type.SUBSCRIBED);
    Framework now = given.framework(id);
    assertThat(now.info().getUser()).isEqualTo("u");
    assertThat(now.info().getCheckpoint()).isFalse();
    assertThat(now.info().getName()).isEqualTo("new");
    assertThat(now.subscription().roles()).containsExactly("q");
    assertThat(given.ledger().offersTo(now.id())).isEmpty();
    assertThat(now.tasks()).containsOnlyKeys(task.id());
    assertThat(given.toldAgent(agent)).hasSize(1).allMatch(MasterEvent::hasUpdateFramework);

    given.subscribe(again.setPrincipal("p"), "s3");
    assertThat(given.sentOn("s3").get(0).getError().getMessage())
        .isEqualTo("Changing framework's principal is not allowed.");
    assertThat(given.framework(id).streamId()).isEqualTo("s2");
  }

  /** Rule 36. */
  @Test
  void anUpdateChangesAllButUserCheckpointAndPrincipal() {
    String agent = given.agentOn(1, "cpus:4");
    String id = given.subscribed("r", "q");
    given.running(id, agent, "t", "cpus:1");
    Offer dropped = given.offer(id, "r", agent, "cpus:1");
    Offer kept = given.offer(id, "q", agent, "cpus:1");
    FrameworkInfo known = given.framework(id).info();
    Subscribing request = said(known.toBuilder().clearRoles().addRoles("q").build());
    given.run(
        tx -> {
          assertThat(Frameworks.updateProblem(tx, id, request)).isEmpty();
          Frameworks.update(tx, id, request);
        });
    assertThat(given.typesTo(id)).containsExactly(Event.Type.RESCIND);
    assertThat(given.sentTo(id).get(0).getRescind().getOfferId())
        .isEqualTo(dropped.message().getId());
    assertThat(given.state().offers()).containsOnlyKeys(kept.id());
    assertThat(given.toldAgent(agent)).hasSize(1).allMatch(MasterEvent::hasUpdateFramework);
    assertThat(given.happenings()).hasOnlyElementsOfType(Happening.FrameworkUpdated.class);

    given.run(tx -> Frameworks.update(tx, id, request));
    assertThat(given.happenings()).isEmpty();
    assertThat(given.toldAgent(agent)).isEmpty();
    for (FrameworkInfo other :
        List.of(
            known.toBuilder().setUser("x").build(),
            known.toBuilder().setCheckpoint(true).build(),
            known.toBuilder().setPrincipal("x").build(),
            known.toBuilder().addRoles("a b").build())) {
      given.run(tx -> assertThat(Frameworks.updateProblem(tx, id, said(other))).isPresent());
    }
  }

  /** Rule 39. */
  @Test
  void aLostStreamWithdrawsOffersAndFiltersButKeepsWhatIsAllocated() {
    String agent = given.agentOn(1, "cpus:4");
    String id = given.subscribed(Given.info("r").setFailoverTimeout(10));
    given.running(id, agent, "t", "cpus:1");
    Offer refused = given.offer(id, agent, "cpus:1");
    given.run(tx -> Offers.decline(tx, id, List.of(refused.message().getId()), Given.refuse(1000)));
    given.offer(id, agent, "cpus:1");
    given.disconnect(id);

    Framework lost = given.framework(id);
    assertThat(lost.active()).isFalse();
    assertThat(given.ledger().offersTo(lost.id())).isEmpty();
    assertThat(given.filters(lost.id())).isEmpty();
    assertThat(lost.tasks()).hasSize(1);
    assertThat(given.ledger().totalAllocatedTo(lost.id()).scalar("cpus")).isEqualTo(1000);
    assertThat(given.effects(Effect.Send.class)).isEmpty();
    assertThat(given.only(Effect.After.class).delay()).isEqualTo(Duration.ofSeconds(10));

    given.expired();
    assertThat(given.state().frameworks()).isEmpty();
    assertThat(given.state().isCompleted(id)).isTrue();
  }

  @Test
  void anOldStreamsEndIsNotTheFrameworks() {
    String id = given.subscribed("r");
    given.run(tx -> Frameworks.disconnected(tx, id, "an older one"));
    assertThat(given.effects()).isEmpty();
    assertThat(given.framework(id).connected()).isTrue();
  }

  @Test
  void aReturnInTimeCallsTheFailoverTimerOff() {
    String id = given.subscribed(Given.info("r").setFailoverTimeout(10));
    Effect.After timer = given.disconnect(id).only(Effect.After.class);
    given.later(Duration.ofSeconds(5)).subscribe(given.framework(id).info().toBuilder(), "s2");
    assertThat(given.effects(Effect.CallOff.class))
        .containsExactly(new Effect.CallOff(timer.name()));
    // Even one that was under way already does nothing.
    given.later(Duration.ofSeconds(1)).disconnect(id);
    given.run(timer.step());
    assertThat(given.state().frameworks()).containsKey(id);
  }

  /** Rules 41 and 42. */
  @Test
  void removalEndsItsTasksInTheHistoryAndNobodyIsToldOfThem() {
    String agent = given.agentOn(1, "cpus:4");
    String id = given.subscribed("r");
    String stream = given.framework(id).streamId();
    given.running(id, agent, "t", "cpus:1");
    given.offer(id, agent, "cpus:1");
    given.run(tx -> Frameworks.remove(tx, tx.framework(id)));

    assertThat(given.sentOn(stream)).isEmpty();
    assertThat(given.effects(Effect.EndStream.class)).containsExactly(new Effect.EndStream(stream));
    assertThat(given.toldAgent(agent)).hasSize(1).allMatch(MasterEvent::hasShutdownFramework);
    Framework removed = given.state().completedFrameworks().get(0);
    Task ended = removed.completedTasks().get(0);
    assertThat(ended.state()).isEqualTo(TaskState.TASK_KILLED);
    assertThat(ended.message().getStatuses(1).getReason())
        .isEqualTo(TaskStatus.Reason.REASON_FRAMEWORK_REMOVED);
    assertThat(given.account(agent).free()).isEqualTo(given.account(agent).total());
    assertThat(given.toldAllocator()).endsWith("frameworkRemoved");

    given.subscribe(removed.info().toBuilder(), "s2");
    assertThat(given.sentOn("s2").get(0).getError().getMessage())
        .startsWith("Framework has been removed: " + id + " was removed at ")
        .contains(" by its own TEARDOWN. ", "frameworkId=" + id + " to /mezzo/frameworks/readmit");
  }

  /** Rule 42, and what is told of it. */
  @Test
  void whoIsRemovedIsToldWhyUnlessItMayNotSubscribeAnyway() {
    FrameworkInfo.Builder lost = Given.info("r").setFailoverTimeout(5).setPrincipal("p");
    String late = given.subscribed(lost);
    String stream = given.framework(late).streamId();
    given.run(tx -> Frameworks.disconnected(tx, late, stream)).expired();
    FrameworkInfo again = given.state().completed(late).orElseThrow().info();
    given.subscribe(again.toBuilder(), "s2");
    assertThat(given.sentOn("s2").get(0).getError().getMessage())
        .contains(late, given.now().toString(), "failover_timeout of 5.0 secs");
    given.subscribe(again.toBuilder().setPrincipal("other"), "s3");
    assertThat(given.sentOn("s3").get(0).getError().getMessage())
        .isEqualTo("Framework has been removed");

    String ended = given.subscribed("r");
    given.run(
        tx ->
            Frameworks.remove(
                tx, tx.framework(ended), Removal.byOperator(Optional.of("ops")), Turns::end));
    given.subscribe(given.state().completed(ended).orElseThrow().info().toBuilder(), "s4");
    assertThat(given.sentOn("s4").get(0).getError().getMessage())
        .contains("TEARDOWN of operator 'ops'");
  }

  @Test
  void whoIsReadmittedSubscribesAgainWithItsPastAndOnlyAsItself() {
    String agent = given.agentOn(1, "cpus:4");
    String id = given.subscribed(Given.info("r").setPrincipal("p"));
    given.running(id, agent, "t", "cpus:1");
    given.run(tx -> Frameworks.remove(tx, tx.framework(id)));
    FrameworkInfo info = given.state().completed(id).orElseThrow().info();

    given.run(tx -> assertThat(RemovedFrameworks.readmit(tx, "x", Optional.empty())).isFalse());
    given.run(tx -> assertThat(RemovedFrameworks.readmit(tx, id, Optional.of("ops"))).isTrue());
    given.subscribe(info.toBuilder().setPrincipal("other"), "s2");
    assertThat(given.sentOn("s2").get(0).getError().getMessage())
        .isEqualTo("Changing framework's principal is not allowed.");
    assertThat(given.state().isCompleted(id)).isTrue();

    given.later(Duration.ofHours(1)).subscribe(info.toBuilder(), "s3");
    assertThat(given.sentOn("s3").get(0).getSubscribed().getFrameworkId().getValue()).isEqualTo(id);
    Framework back = given.framework(id);
    assertThat(back.completedTasks()).extracting(Task::id).containsExactly("t");
    assertThat(back.tasks()).isEmpty();
    assertThat(back.registered()).isEqualTo(given.now());
    assertThat(back.unregistered()).isEmpty();
    assertThat(given.state().completedFrameworks()).isEmpty();

    given.run(tx -> Frameworks.remove(tx, tx.framework(id)));
    given.subscribe(info.toBuilder(), "s4");
    assertThat(given.sentOn("s4")).extracting(Event::getType).containsExactly(Event.Type.ERROR);
  }

  @Test
  void completedFrameworksAreRememberedUpToTheLimit() {
    for (int i = 0; i < 3; i++) {
      String id = given.subscribed("r");
      given.run(tx -> Frameworks.remove(tx, tx.framework(id)));
    }
    assertThat(given.state().completedFrameworks())
        .extracting(Framework::id)
        .containsExactly("m-0001", "m-0002");
  }
}
