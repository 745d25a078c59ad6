package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.coordination.Registry;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Machine;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.MachineInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Unavailability;
import org.mezzo.protocol.v1.maintenance.Schedule;
import org.mezzo.protocol.v1.maintenance.Window;
import org.mezzo.protocol.v1.scheduler.Event;

/** {@link Maintenances} and {@link MaintenanceOrder} (rules 239 to 244). */
class MaintenancesTest {
  private final Given given = new Given();
  private final Answers answers = new Answers();
  private final Map<String, byte[]> registry = new HashMap<>();
  private final String agent = given.agentOn(1, "cpus:4");
  private final String other = given.agentOn(2, "cpus:4");
  private final String framework = given.partitionAware("r");

  private static MachineID machine(int host) {
    return MachineID.newBuilder().setHostname("H" + host).setIp("10.0.0." + host).build();
  }

  private static Unavailability at(long seconds) {
    Unavailability.Builder unavailability = Unavailability.newBuilder();
    unavailability.getStartBuilder().setNanoseconds(seconds * 1_000_000_000);
    return unavailability.build();
  }

  private static Window window(long start, int... hosts) {
    Window.Builder window = Window.newBuilder().setUnavailability(at(start));
    for (int host : hosts) {
      window.addMachineIds(machine(host));
    }
    return window.build();
  }

  private static MaintenanceOrder plan(Window... windows) {
    return new MaintenanceOrder.Plan(Schedule.newBuilder().addAllWindows(List.of(windows)).build());
  }

  private static MaintenanceOrder down(int host) {
    return new MaintenanceOrder.TakeDown(List.of(machine(host)));
  }

  private static MaintenanceOrder up(int host) {
    return new MaintenanceOrder.BringUp(List.of(machine(host)));
  }

  private Given order(MaintenanceOrder order) {
    return given.run(tx -> Maintenances.order(tx, order, true, answers.outcome));
  }

  /** Goes on with the writes of the last step, which the next leader reads. */
  private Given stored() {
    for (Effect.Store store : given.effects(Effect.Store.class)) {
      for (Registry.Change change : store.changes()) {
        registry.put(change.key(), change.value());
      }
    }
    return given.stored();
  }

  private MasterState read() throws InvalidProtocolBufferException {
    return MaintenanceRegistry.recover(new Given().state(), registry);
  }

  private MachineInfo.Mode mode(int host) {
    return given.state().maintenance().mode(Machine.of(machine(host)));
  }

  /** Rules 241, 242. */
  @Test
  void offersOfAMachineThatIsPlannedForAreMadeAnewAndSaySo() throws Exception {
    given.offer(framework, agent, "cpus:1");
    given.offer(framework, other, "cpus:1");
    order(plan(window(5, 1)));
    assertThat(given.effects()).as("registry first").hasSize(1);
    assertThat(mode(1)).isEqualTo(MachineInfo.Mode.UP);
    stored();
    assertThat(answers.of(given)).containsExactly("200");
    assertThat(mode(1)).isEqualTo(MachineInfo.Mode.DRAINING);
    assertThat(given.agent(agent).unavailability()).contains(at(5));
    assertThat(given.typesTo(framework)).as("of that agent").containsExactly(Event.Type.RESCIND);
    assertThat(given.toldAllocator()).containsExactly("agentUpdated", "released");
    assertThat(given.only(Effect.Allocate.class).agentId()).contains(agent);
    assertThat(read().maintenance()).isEqualTo(given.state().maintenance());

    Offer later = given.offer(framework, agent, "cpus:1");
    assertThat(later.message().getUnavailability()).isEqualTo(at(5));
    assertThat(given.offer(framework, other, "cpus:1").message().hasUnavailability()).isFalse();

    order(plan(window(5, 1)));
    stored();
    assertThat(given.sentTo(framework)).as("nothing has changed").isEmpty();
    order(plan(window(6, 1)));
    stored();
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND);
    order(plan());
    stored();
    assertThat(mode(1)).isEqualTo(MachineInfo.Mode.UP);
    assertThat(given.agent(agent).unavailability()).isEmpty();
    assertThat(given.toldAllocator()).contains("agentUpdated");
  }

  @Test
  void whoRegistersLaterKnowsItToo() {
    order(plan(window(5, 3, 1)));
    stored();
    String third = given.agentOn(3, "cpus:4");
    assertThat(given.agent(third).unavailability()).contains(at(5));
    var back = given.reregistering(agent);
    given.unreachable(agent);
    given.reregister(back).stored();
    assertThat(given.agent(agent).unavailability()).contains(at(5));
  }

  /** Rules 243, 135, 136. */
  @Test
  void agentsOfAMachineThatIsTakenDownHaveToEnd() throws Exception {
    order(plan(window(5, 1)));
    stored();
    given.running(framework, agent, "t", "cpus:1");
    var back = given.reregistering(agent);
    order(down(1));
    assertThat(given.effects()).as("registry first").hasSize(1);
    stored();
    assertThat(mode(1)).isEqualTo(MachineInfo.Mode.DOWN);
    assertThat(read().maintenance()).isEqualTo(given.state().maintenance());
    assertThat(given.only(Effect.Store.class).changes())
        .singleElement()
        .matches(it -> it.key().equals("agents/" + agent) && it.value() == null);
    assertThat(answers.of(given)).as("its agents are there still").isEmpty();
    stored();
    assertThat(answers.of(given)).containsExactly("200");
    assertThat(given.toldAgent(agent))
        .singleElement()
        .matches(it -> it.getShutdown().getMessage().equals("Operator initiated 'Machine DOWN'"));
    assertThat(given.update(framework).getState()).isEqualTo(TaskState.TASK_LOST);
    assertThat(given.update(framework).getReason())
        .isEqualTo(TaskStatus.Reason.REASON_AGENT_REMOVED);
    assertThat(given.state().agents()).containsOnlyKeys(other);
    assertThat(given.state().undecided()).isEmpty();

    given.reregister(back);
    assertThat(given.only(Effect.ToLink.class).event().getShutdown().getMessage())
        .isEqualTo("Machine is `DOWN`");
    given.register(Given.registering(1, given.host(1, "cpus:4")));
    assertThat(given.only(Effect.ToLink.class).event().getShutdown().getMessage())
        .isEqualTo("Machine is `DOWN`");
    assertThat(given.effects(Effect.Store.class)).isEmpty();

    order(up(1));
    stored();
    assertThat(answers.of(given)).containsExactly("200");
    assertThat(given.state().maintenance().schedule()).isEqualTo(Schedule.getDefaultInstance());
    assertThat(read().maintenance()).isEqualTo(given.state().maintenance());
    String anew = given.agentOn(1, "cpus:4");
    assertThat(given.agent(anew).unavailability()).isEmpty();
  }

  /** A registration may be on its way into the registry when its machine is taken down. */
  @Test
  void whoIsBeingRegisteredMeanwhileHasToEndAfterIt() {
    order(plan(window(5, 3)));
    stored();
    given.register(Given.registering(3, given.host(3, "cpus:4")));
    final Step admitted = given.only(Effect.Store.class).then();
    order(down(3));
    stored();
    assertThat(answers.of(given)).containsExactly("200");
    given.run(admitted).next().stored();
    assertThat(given.state().agents()).containsOnlyKeys(agent, other);
    assertThat(given.effects(Effect.EndLink.class)).hasSize(1);
  }

  @Test
  void whoIsBeingChangedMeanwhileHasToEndAfterIt() {
    order(plan(window(5, 1)));
    stored();
    given.run(tx -> Standings.deactivate(tx, agent, Outcome.UNHEARD));
    final Step changed = given.only(Effect.Store.class).then();
    order(down(1));
    stored();
    assertThat(given.effects(Effect.Store.class)).isEmpty();
    given.run(changed).next().stored();
    assertThat(given.state().agents()).containsOnlyKeys(other);
  }

  /** Rule 244: machines that stay keep their window. */
  @Test
  void whatComesUpLeavesTheScheduleAndTheRestStays() {
    order(plan(window(5, 1, 3), window(6, 2)));
    stored();
    order(down(1));
    stored();
    order(up(1));
    stored();
    assertThat(given.state().maintenance().schedule().getWindowsList())
        .containsExactly(window(5, 3), window(6, 2));
  }

  @Test
  void aChangeWaitsForNoOther() {
    order(plan(window(5, 1)));
    final Step first = given.only(Effect.Store.class).then();
    order(plan());
    assertThat(answers.of(given).get(0)).startsWith("409 ").contains("try again");
    given.run(first);
    order(plan()).refused("full");
    assertThat(answers.of(given)).containsExactly("500 The registry refused the change: full");
    assertThat(mode(1)).isEqualTo(MachineInfo.Mode.DRAINING);
    order(plan());
    assertThat(given.effects(Effect.Store.class)).hasSize(1);
  }

  /** Rule 247. */
  @Test
  void anAgentThatIsPlannedForIsNotDrained() {
    order(plan(window(5, 1)));
    stored();
    given.run(
        tx -> Draining.begin(tx, agent, DrainConfig.getDefaultInstance(), false, answers.outcome));
    assertThat(answers.of(given).get(0)).startsWith("400 ").contains("maintenance schedule");
  }

  @Test
  void aFormOfLaterIsNotGuessedAt() throws Exception {
    byte[] value = MaintenanceRegistry.bytes(given.state().maintenance());
    assertThat(
            MaintenanceRegistry.recover(new Given().state(), Map.of(MaintenanceRegistry.KEY, value))
                .maintenance())
        .isEqualTo(given.state().maintenance());
    value[1]++;
    assertThatThrownBy(
            () ->
                MaintenanceRegistry.recover(
                    new Given().state(), Map.of(MaintenanceRegistry.KEY, value)))
        .isInstanceOf(InvalidProtocolBufferException.class)
        .hasMessageContaining("newer master");
  }

  /** Rule 240; machine h3 is planned for and h4 is down. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{}|List of machines in the maintenance window is empty",
        "{\"machine_ids\":[{}]}|Both 'hostname' and 'ip' for a machine are empty",
        "{\"machine_ids\":[{\"ip\":\"abc\"}]}|Failed to parse IPv4: abc",
        "{\"machine_ids\":[{\"ip\":\"1.2.3.256\"}]}|Failed to parse IPv4: 1.2.3.256",
        "{\"machine_ids\":[{\"ip\":\"1.2.3\"}]}|Failed to parse IPv4: 1.2.3",
        "{\"machine_ids\":[{\"hostname\":\"a\"},{\"hostname\":\"A\"}]}|Machine"
            + " '{\"hostname\":\"A\"}' appears more than once in the schedule",
        "{\"machine_ids\":[{\"hostname\":\"a\"}]}|Machine '{\"hostname\":\"H4\",\"ip\":"
            + "\"10.0.0.4\"}' is deactivated and cannot be removed from the schedule",
        "{\"machine_ids\":[{\"hostname\":\"a\"}],\"duration\":-1}|Unavailability 'duration' is"
            + " negative",
      })
  void badSchedulesAreRefused(String json, String text) throws Exception {
    order(plan(window(5, 3, 4)));
    stored();
    order(down(4));
    stored();
    boolean negative = json.contains("-1");
    Window.Builder bad =
        Json.decode(
            json.replace(",\"duration\":-1", "")
                .replaceFirst("\\{", "{\"unavailability\":{\"start\":{\"nanoseconds\":1}},")
                .replace(",}", "}")
                .getBytes(StandardCharsets.UTF_8),
            Window.getDefaultInstance())
            .toBuilder();
    if (negative) {
      bad.getUnavailabilityBuilder().getDurationBuilder().setNanoseconds(-1);
    }
    order(plan(bad.build()));
    assertThat(answers.of(given)).containsExactly("400 " + text);
    assertThat(given.effects(Effect.Store.class)).isEmpty();
  }

  /** Rules 243, 244: what is wrong with one machine is told before leave for the next is. */
  @Test
  void badOrdersAreRefused() {
    order(plan(window(5, 3, 4)));
    stored();
    order(down(4));
    stored();
    Map<MaintenanceOrder, String> wrong = new HashMap<>();
    String third = "Machine '{\"hostname\":\"H3\",\"ip\":\"10.0.0.3\"}'";
    String fourth = "Machine '{\"hostname\":\"H4\",\"ip\":\"10.0.0.4\"}'";
    wrong.put(new MaintenanceOrder.TakeDown(List.of()), "List of machines is empty");
    wrong.put(new MaintenanceOrder.BringUp(List.of()), "List of machines is empty");
    wrong.put(
        new MaintenanceOrder.TakeDown(List.of(machine(3), machine(3))),
        third + " appears more than once in the list");
    wrong.put(
        down(9),
        "Machine '{\"hostname\":\"H9\",\"ip\":\"10.0.0.9\"}' is not part of a maintenance"
            + " schedule");
    wrong.put(down(4), fourth + " is not in DRAINING mode and cannot be brought down");
    wrong.put(
        down(1),
        "Machine '{\"hostname\":\"H1\",\"ip\":\"10.0.0.1\"}' is not in DRAINING mode and cannot be"
            + " brought down");
    wrong.put(up(3), third + " is not in DOWN mode and cannot be brought up");
    wrong.forEach(
        (order, text) -> {
          order(order);
          assertThat(answers.of(given)).containsExactly("400 " + text);
        });
    given.run(
        tx ->
            Maintenances.order(
                tx,
                new MaintenanceOrder.TakeDown(List.of(machine(3), machine(9))),
                false,
                answers.outcome));
    assertThat(answers.of(given)).containsExactly("403 403 Forbidden.");
    given.run(tx -> Maintenances.order(tx, down(9), false, answers.outcome));
    assertThat(answers.of(given).get(0)).startsWith("400 ");
    assertThat(given.state().undecided()).isEmpty();
  }
}
