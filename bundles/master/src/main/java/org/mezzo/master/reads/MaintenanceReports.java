package org.mezzo.master.reads;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.mezzo.master.state.Machine;
import org.mezzo.master.state.Maintenance;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.MachineInfo;
import org.mezzo.protocol.v1.maintenance.ClusterStatus;
import org.mezzo.protocol.v1.maintenance.Schedule;
import org.mezzo.protocol.v1.maintenance.Window;

/** The maintenance of a cluster in messages (rules 240, 245). Stateless. */
public final class MaintenanceReports {
  private MaintenanceReports() {}

  /** What is planned; nothing where that may not be seen. */
  public static Schedule schedule(MasterState state, Visibility visibility) {
    return visibility.schedule() ? state.maintenance().schedule() : Schedule.getDefaultInstance();
  }

  /** How the machines stand that are planned for; nothing where that may not be seen. */
  public static ClusterStatus status(MasterState state, Visibility visibility) {
    ClusterStatus.Builder status = ClusterStatus.newBuilder();
    if (!visibility.maintenance()) {
      return status.build();
    }
    Maintenance maintenance = state.maintenance();
    Map<Machine, Set<String>> answered = new HashMap<>();
    for (String agentId : state.inverseOffers().answers().keySet()) {
      state
          .agent(agentId)
          .ifPresent(
              agent ->
                  answered
                      .computeIfAbsent(agent.machine(), unused -> new TreeSet<>())
                      .add(agentId));
    }
    for (Window window : maintenance.schedule().getWindowsList()) {
      for (MachineID id : window.getMachineIdsList()) {
        if (maintenance.mode(Machine.of(id)) == MachineInfo.Mode.DOWN) {
          status.addDownMachines(id);
        } else {
          ClusterStatus.DrainingMachine.Builder machine =
              status.addDrainingMachinesBuilder().setId(id);
          for (String agentId : answered.getOrDefault(Machine.of(id), new TreeSet<>())) {
            state.inverseOffers().statuses(agentId).forEach(machine::addStatuses);
          }
        }
      }
    }
    return status.build();
  }
}
