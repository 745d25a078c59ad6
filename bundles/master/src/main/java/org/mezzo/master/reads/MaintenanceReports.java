package org.mezzo.master.reads;

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
    for (Window window : maintenance.schedule().getWindowsList()) {
      for (MachineID id : window.getMachineIdsList()) {
        if (maintenance.mode(Machine.of(id)) == MachineInfo.Mode.DOWN) {
          status.addDownMachines(id);
        } else {
          status.addDrainingMachinesBuilder().setId(id);
        }
      }
    }
    return status.build();
  }
}
