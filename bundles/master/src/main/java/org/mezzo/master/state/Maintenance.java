package org.mezzo.master.state;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.MachineInfo;
import org.mezzo.protocol.v1.Unavailability;
import org.mezzo.protocol.v1.maintenance.Schedule;
import org.mezzo.protocol.v1.maintenance.Window;
import org.pcollections.HashTreePMap;
import org.pcollections.HashTreePSet;
import org.pcollections.PMap;
import org.pcollections.PSet;

/**
 * Which machines are to be maintained when, and which are just now (rules 239 to 246). Kept by the
 * registry.
 *
 * @param schedule as operators wrote it
 * @param down machines that were taken down; all of them stand in the schedule
 * @param planned when each machine of the schedule is not to be counted on
 */
public record Maintenance(
    Schedule schedule, PSet<Machine> down, PMap<Machine, Unavailability> planned) {

  /** Nothing is planned. */
  public static final Maintenance NONE =
      of(Schedule.getDefaultInstance(), HashTreePSet.<Machine>empty());

  /** What follows from a schedule and the machines that are down. */
  public static Maintenance of(Schedule schedule, PSet<Machine> down) {
    Map<Machine, Unavailability> planned = new HashMap<>();
    for (Window window : schedule.getWindowsList()) {
      for (MachineID id : window.getMachineIdsList()) {
        planned.put(Machine.of(id), window.getUnavailability());
      }
    }
    return new Maintenance(schedule, down, HashTreePMap.from(planned));
  }

  /** How a machine stands. */
  public MachineInfo.Mode mode(Machine machine) {
    return down.contains(machine)
        ? MachineInfo.Mode.DOWN
        : planned.containsKey(machine) ? MachineInfo.Mode.DRAINING : MachineInfo.Mode.UP;
  }

  /** When a machine is not to be counted on, if that is planned. */
  public Optional<Unavailability> unavailability(Machine machine) {
    return Optional.ofNullable(planned.get(machine));
  }

  /** With another schedule. */
  public Maintenance with(Schedule next) {
    return of(next, down);
  }

  /** With these machines down, too. */
  public Maintenance takenDown(Collection<Machine> machines) {
    return new Maintenance(schedule, down.plusAll(machines), planned);
  }

  /** With these machines up, which leave the schedule; a window without machines goes with them. */
  public Maintenance broughtUp(Collection<Machine> machines) {
    Schedule.Builder left = Schedule.newBuilder();
    for (Window window : schedule.getWindowsList()) {
      Window.Builder kept = window.toBuilder().clearMachineIds();
      window.getMachineIdsList().stream()
          .filter(id -> !machines.contains(Machine.of(id)))
          .forEach(kept::addMachineIds);
      if (kept.getMachineIdsCount() > 0) {
        left.addWindows(kept);
      }
    }
    return of(left.build(), down.minusAll(machines));
  }
}
