package org.mezzo.master.endpoints;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.endpoints.CommonEndpoints;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.state.Machine;
import org.mezzo.master.state.Maintenance;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Standing;
import org.mezzo.master.transitions.MinimumCapabilities;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.MachineInfo;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.TimeInfo;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * {@code /registrar(1)/registry}: what the registry holds, by the state that the master has written
 * to it.
 */
final class RegistryEndpoint extends ReadingEndpoint {

  RegistryEndpoint(StateAnswers answers, LeaderGate gate) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/registrar(1)/registry",
            Access.READONLY,
            Permission.perObject(Action.VIEW_ROLE, Action.GET_MAINTENANCE_SCHEDULE),
            Help.of(
                    "What the registry holds.",
                    "The leading master, the agents that it admitted or found there, those that are"
                        + " unreachable or gone, with the time since when, and the machines that"
                        + " are to be maintained.")
                .with("jsonp", CommonEndpoints.JSONP)));
  }

  @Override
  void write(View view, JsonOut json) {
    MasterState state = view.state();
    json.object(
        () -> {
          json.object("master", () -> json.message("info", state.self()));
          List<AgentInfo> admitted = new ArrayList<>();
          state.agents().values().forEach(agent -> admitted.add(agent.info()));
          state.recoveredAgents().values().forEach(agent -> admitted.add(agent.info()));
          section(
              json,
              "slaves",
              admitted,
              info -> {
                json.message("info", inOldForm(view.visibility().agent(info)));
                standing(json, state.standing(info.getId().getValue()));
              });
          section(
              json,
              "unreachable",
              state.unreachableAgents().values(),
              agent -> {
                lost(json, agent.id(), agent.since());
                standing(json, agent.standing());
              });
          section(
              json,
              "gone",
              state.goneAgents().entrySet(),
              (Map.Entry<String, Instant> agent) -> lost(json, agent.getKey(), agent.getValue()));
          if (view.visibility().schedule()) {
            maintenance(json, state.maintenance());
          }
          Set<MasterInfo.Capability.Type> needed = MinimumCapabilities.needed(state);
          if (!needed.isEmpty()) {
            json.array(
                "minimum_capabilities",
                needed,
                type -> json.object(() -> json.field("capability", type.name())));
          }
        });
  }

  /** The machines that stand in the schedule, and the schedule; where there is one. */
  private static void maintenance(JsonOut json, Maintenance maintenance) {
    if (maintenance.planned().isEmpty()) {
      return;
    }
    json.object(
        "machines",
        () ->
            json.array(
                "machines",
                () ->
                    maintenance
                        .schedule()
                        .getWindowsList()
                        .forEach(
                            window ->
                                window
                                    .getMachineIdsList()
                                    .forEach(id -> machine(json, maintenance, id)))));
    json.array("schedules", List.of(maintenance.schedule()), json::message);
  }

  private static void machine(JsonOut json, Maintenance maintenance, MachineID id) {
    Machine machine = Machine.of(id);
    MachineInfo.Builder info =
        MachineInfo.newBuilder().setId(id).setMode(maintenance.mode(machine));
    maintenance.unavailability(machine).ifPresent(info::setUnavailability);
    json.object(() -> json.message("info", info.build()));
  }

  /** Agents of one fate, where there are any. */
  private static <T> void section(
      JsonOut json, String name, Collection<T> agents, Consumer<T> fields) {
    if (!agents.isEmpty()) {
      json.object(
          name,
          () -> json.array("slaves", agents, agent -> json.object(() -> fields.accept(agent))));
    }
  }

  private static void standing(JsonOut json, Standing standing) {
    standing.draining().ifPresent(it -> json.message("drain_info", it.info()));
    json.field("deactivated", standing.deactivated());
  }

  /** The registry of Mesos has resources in the form that was there before refined reservations. */
  private static AgentInfo inOldForm(AgentInfo info) {
    try {
      return info.toBuilder()
          .clearResources()
          .addAllResources(
              Resources.of(info.getResourcesList()).toMessages(Resources.Format.PRE_REFINEMENT))
          .build();
    } catch (ResourceFormatException e) {
      return info;
    }
  }

  private static void lost(JsonOut json, String id, Instant since) {
    json.message("id", AgentID.newBuilder().setValue(id).build());
    json.message(
        "timestamp",
        TimeInfo.newBuilder()
            .setNanoseconds(since.getEpochSecond() * 1_000_000_000L + since.getNano())
            .build());
  }
}
