package org.mezzo.containerizer.processes;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.mezzo.containerizer.processes.Lifecycle.Effect;
import org.mezzo.containerizer.processes.Lifecycle.Event;
import org.mezzo.containerizer.processes.Lifecycle.State;

/** Every state of a container and everything that may happen in it. */
class LifecycleTest {
  private static final List<Event> LAUNCH =
      List.of(
          Event.LAUNCH,
          Event.PROVISIONED,
          Event.FETCHED,
          Event.PLANNED,
          Event.SPAWNED,
          Event.STARTED);

  private static Lifecycle after(boolean kept, boolean held, Event... events) {
    Lifecycle life = new Lifecycle(kept);
    life.hold(held);
    for (Event event : events) {
      life.apply(event);
    }
    return life;
  }

  /** A launch in its order, as far as that event, and what comes then. */
  private static Lifecycle launched(boolean kept, boolean held, Event last, Event... then) {
    List<Event> all = new ArrayList<>(LAUNCH.subList(0, LAUNCH.indexOf(last) + 1));
    all.addAll(List.of(then));
    return after(kept, held, all.toArray(new Event[0]));
  }

  private static Lifecycle running(Event... events) {
    return launched(true, false, Event.STARTED, events);
  }

  private static Lifecycle parent(Event... events) {
    Lifecycle life = running();
    life.parent();
    for (Event event : events) {
      life.apply(event);
    }
    return life;
  }

  /** By what a state is called in the table; DESTROYING has several ways of being. */
  private static Map<String, Supplier<Lifecycle>> states() {
    Map<String, Supplier<Lifecycle>> all = new LinkedHashMap<>();
    all.put("NEW", () -> after(false, true));
    all.put("PROVISIONING", () -> launched(false, true, Event.LAUNCH));
    all.put("FETCHING", () -> launched(false, true, Event.PROVISIONED));
    all.put("PREPARED", () -> launched(false, true, Event.FETCHED));
    all.put("CREATED unasked", () -> launched(false, true, Event.PLANNED));
    all.put("CREATED held", () -> launched(false, true, Event.SPAWNED));
    all.put("CREATED free", () -> launched(false, false, Event.SPAWNED));
    all.put("ISOLATING", () -> launched(false, true, Event.STARTED));
    all.put("RUNNING", LifecycleTest::running);
    all.put("RUNNING parent", LifecycleTest::parent);
    all.put("DESTROYING step", () -> launched(false, true, Event.PROVISIONED, Event.DESTROY));
    all.put("DESTROYING unasked", () -> launched(false, true, Event.PLANNED, Event.DESTROY));
    all.put("DESTROYING children", () -> parent(Event.DESTROY));
    all.put("DESTROYING processes", () -> running(Event.DESTROY));
    all.put("DESTROYING both", () -> launched(false, true, Event.STARTED, Event.DESTROY));
    all.put("DESTROYING cleaning", () -> running(Event.DESTROY, Event.EMPTY));
    all.put("DESTROYING cleaned", () -> running(Event.DESTROY, Event.EMPTY, Event.CLEANED));
    all.put("EXITED", () -> running(Event.ENDED, Event.EMPTY, Event.CLEANED, Event.DELETED));
    all.put(
        "REMOVED",
        () -> running(Event.ENDED, Event.EMPTY, Event.CLEANED, Event.DELETED, Event.DISCARD));
    return all;
  }

  /** What changes something; all else changes nothing and has nothing done. */
  private static final String TABLE =
      """
      NEW / LAUNCH -> PROVISIONING [PROVISION]
      NEW / FAILED -> DESTROYING [CLEAN]
      NEW / DESTROY -> DESTROYING [CLEAN]
      PROVISIONING / PROVISIONED -> FETCHING [FETCH]
      PROVISIONING / FAILED -> DESTROYING [CLEAN]
      PROVISIONING / ENDED -> DESTROYING [CANCEL]
      PROVISIONING / DESTROY -> DESTROYING [CANCEL]
      FETCHING / FETCHED -> PREPARED [PREPARE]
      FETCHING / FAILED -> DESTROYING [CLEAN]
      FETCHING / ENDED -> DESTROYING [CANCEL]
      FETCHING / DESTROY -> DESTROYING [CANCEL]
      PREPARED / PLANNED -> CREATED [SPAWN]
      PREPARED / FAILED -> DESTROYING [CLEAN]
      PREPARED / ENDED -> DESTROYING [CANCEL]
      PREPARED / DESTROY -> DESTROYING [CANCEL]
      CREATED unasked / STARTED -> ISOLATING [ISOLATE]
      CREATED unasked / FAILED -> DESTROYING [CLEAN]
      CREATED unasked / ENDED -> DESTROYING [CANCEL]
      CREATED unasked / DESTROY -> DESTROYING [CANCEL]
      CREATED held / STARTED -> ISOLATING [ISOLATE]
      CREATED held / FAILED -> DESTROYING [CLEAN]
      CREATED held / ENDED -> DESTROYING [KILL]
      CREATED held / DESTROY -> DESTROYING [KILL]
      CREATED free / STARTED -> RUNNING [ANNOUNCE]
      CREATED free / FAILED -> DESTROYING [CLEAN]
      CREATED free / ENDED -> DESTROYING [KILL]
      CREATED free / DESTROY -> DESTROYING [KILL]
      ISOLATING / ISOLATED -> RUNNING [ANNOUNCE, RELEASE]
      ISOLATING / FAILED -> DESTROYING [KILL]
      ISOLATING / ENDED -> DESTROYING [CANCEL, KILL]
      ISOLATING / DESTROY -> DESTROYING [CANCEL, KILL]
      RUNNING / ENDED -> DESTROYING [REPORT, KILL]
      RUNNING / DESTROY -> DESTROYING [KILL]
      RUNNING parent / ENDED -> DESTROYING [REPORT, DESTROY_CHILDREN]
      RUNNING parent / DESTROY -> DESTROYING [DESTROY_CHILDREN]
      DESTROYING step / PROVISIONED -> DESTROYING [CLEAN]
      DESTROYING step / FETCHED -> DESTROYING [CLEAN]
      DESTROYING step / PLANNED -> DESTROYING [CLEAN]
      DESTROYING step / SPAWNED -> DESTROYING [KILL]
      DESTROYING step / ISOLATED -> DESTROYING [CLEAN]
      DESTROYING step / FAILED -> DESTROYING [CLEAN]
      DESTROYING unasked / PROVISIONED -> DESTROYING [CLEAN]
      DESTROYING unasked / FETCHED -> DESTROYING [CLEAN]
      DESTROYING unasked / PLANNED -> DESTROYING [CLEAN]
      DESTROYING unasked / SPAWNED -> DESTROYING [KILL]
      DESTROYING unasked / ISOLATED -> DESTROYING [CLEAN]
      DESTROYING unasked / FAILED -> DESTROYING [CLEAN]
      DESTROYING children / CHILDREN_GONE -> DESTROYING [KILL]
      DESTROYING processes / SPAWNED -> DESTROYING [KILL]
      DESTROYING processes / CHILDREN_GONE -> DESTROYING [KILL]
      DESTROYING processes / EMPTY -> DESTROYING [CLEAN]
      DESTROYING both / SPAWNED -> DESTROYING [KILL]
      DESTROYING both / CHILDREN_GONE -> DESTROYING [KILL]
      DESTROYING cleaning / CLEANED -> DESTROYING [REPORT, DELETE]
      DESTROYING cleaned / DELETED -> EXITED [FINISH]
      EXITED / DISCARD -> REMOVED [FORGET]
      """;

  @Test
  void everyStateTimesEveryEvent() {
    List<String> table = new ArrayList<>();
    states()
        .forEach(
            (name, state) -> {
              for (Event event : Event.values()) {
                Lifecycle life = state.get();
                State before = life.state();
                assertThat(name).startsWith(before.name());
                List<Effect> effects = life.apply(event);
                if (life.state() != before || !effects.isEmpty()) {
                  table.add(name + " / " + event + " -> " + life.state() + " " + effects);
                }
              }
            });
    assertThat(String.join("\n", table) + "\n").isEqualTo(TABLE);
  }

  @Test
  void isolatorsCleanUpOnlyOnceTheirStepIsOverAndNothingRuns() {
    Lifecycle life = states().get("DESTROYING both").get();
    assertThat(life.apply(Event.EMPTY)).isEmpty();
    assertThat(life.apply(Event.ISOLATED)).containsExactly(Effect.CLEAN);
    life = states().get("DESTROYING both").get();
    assertThat(life.apply(Event.FAILED)).isEmpty();
    assertThat(life.apply(Event.EMPTY)).containsExactly(Effect.CLEAN);
  }

  @Test
  void onlyHowAContainerThatRanEndedIsKept() {
    Lifecycle life = after(true, false, Event.LAUNCH, Event.FAILED, Event.CLEANED);
    assertThat(life.apply(Event.DELETED)).containsExactly(Effect.FORGET, Effect.FINISH);
    assertThat(life.state()).isEqualTo(State.REMOVED);
    life = running(Event.ENDED, Event.EMPTY, Event.CLEANED);
    assertThat(life.apply(Event.DELETED)).containsExactly(Effect.FINISH);
    assertThat(life.state()).isEqualTo(State.EXITED);
  }

  @Test
  void recoveryEntersInTheMiddle() {
    Lifecycle held = Lifecycle.recovered(State.CREATED, false, false);
    held.hold(true);
    assertThat(held.apply(Event.STARTED)).containsExactly(Effect.ISOLATE);
    assertThat(Lifecycle.recovered(State.RUNNING, false, true).apply(Event.ENDED))
        .containsExactly(Effect.REPORT, Effect.KILL);
    assertThat(Lifecycle.recovered(State.PREPARED, false, false).apply(Event.DESTROY))
        .containsExactly(Effect.CLEAN);
    assertThat(Lifecycle.recovered(State.DESTROYING, true, true).apply(Event.CLEANED))
        .containsExactly(Effect.REPORT, Effect.DELETE);
    assertThat(Lifecycle.recovered(State.EXITED, true, true).apply(Event.DISCARD))
        .containsExactly(Effect.FORGET);
  }
}
