package org.mezzo.master.transitions;

import java.util.List;
import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.master.state.Maintenance;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.MachineInfo;
import org.mezzo.protocol.v1.maintenance.Schedule;

/**
 * What an operator wants of machines (rules 240 to 244): judged by what stands, stored as a whole,
 * and in force once that is durable. Immutable.
 */
public sealed interface MaintenanceOrder {
  /** Whose leave it needs. */
  Action action();

  /** What is wrong with it, or not allowed, in the order of the rules. */
  Optional<Refusal> refusal(MasterState state, boolean allowed);

  /** How machines stand after it. */
  Maintenance applied(Maintenance before);

  /** Another schedule (rules 240 to 242). */
  record Plan(Schedule schedule) implements MaintenanceOrder {
    @Override
    public Action action() {
      return Action.UPDATE_MAINTENANCE_SCHEDULE;
    }

    @Override
    public Optional<Refusal> refusal(MasterState state, boolean allowed) {
      return MachineRules.problem(schedule, state.maintenance())
          .map(Refusal::badRequest)
          .or(() -> allowed ? Optional.empty() : Optional.of(Refusal.FORBIDDEN));
    }

    @Override
    public Maintenance applied(Maintenance before) {
      return before.with(schedule);
    }
  }

  /** The begin of maintenance: these machines are down (rule 243). */
  record TakeDown(List<MachineID> ids) implements MaintenanceOrder {
    public TakeDown {
      ids = List.copyOf(ids);
    }

    @Override
    public Action action() {
      return Action.START_MAINTENANCE;
    }

    @Override
    public Optional<Refusal> refusal(MasterState state, boolean allowed) {
      return Maintenances.refusal(
          state,
          ids,
          allowed,
          MachineInfo.Mode.DRAINING,
          " is not in DRAINING mode and cannot be brought down");
    }

    @Override
    public Maintenance applied(Maintenance before) {
      return before.takenDown(Maintenances.machines(ids));
    }
  }

  /** The end of maintenance: these machines are up again (rule 244). */
  record BringUp(List<MachineID> ids) implements MaintenanceOrder {
    public BringUp {
      ids = List.copyOf(ids);
    }

    @Override
    public Action action() {
      return Action.STOP_MAINTENANCE;
    }

    @Override
    public Optional<Refusal> refusal(MasterState state, boolean allowed) {
      return Maintenances.refusal(
          state,
          ids,
          allowed,
          MachineInfo.Mode.DOWN,
          " is not in DOWN mode and cannot be brought up");
    }

    @Override
    public Maintenance applied(Maintenance before) {
      return before.broughtUp(Maintenances.machines(ids));
    }
  }
}
