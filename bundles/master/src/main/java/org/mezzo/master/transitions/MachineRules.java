package org.mezzo.master.transitions;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.master.state.Machine;
import org.mezzo.master.state.Maintenance;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.MachineInfo;
import org.mezzo.protocol.v1.Unavailability;
import org.mezzo.protocol.v1.maintenance.Schedule;
import org.mezzo.protocol.v1.maintenance.Window;

/** What is wrong with schedules and lists of machines (rules 240, 243), in the words of Mesos. */
final class MachineRules {
  private MachineRules() {}

  /** Of a schedule that is to replace the present one. */
  static Optional<String> problem(Schedule schedule, Maintenance present) {
    Set<Machine> scheduled = new HashSet<>();
    for (Window window : schedule.getWindowsList()) {
      if (window.getMachineIdsCount() == 0) {
        return Optional.of("List of machines in the maintenance window is empty");
      }
      Unavailability unavailability = window.getUnavailability();
      if (unavailability.hasDuration() && unavailability.getDuration().getNanoseconds() < 0) {
        return Optional.of("Unavailability 'duration' is negative");
      }
      for (MachineID id : window.getMachineIdsList()) {
        Optional<String> problem = problem(id);
        if (problem.isPresent()) {
          return problem;
        }
        if (!scheduled.add(Machine.of(id))) {
          return Optional.of(named(id) + " appears more than once in the schedule");
        }
      }
    }
    for (Window window : present.schedule().getWindowsList()) {
      for (MachineID id : window.getMachineIdsList()) {
        Machine machine = Machine.of(id);
        if (present.mode(machine) == MachineInfo.Mode.DOWN && !scheduled.contains(machine)) {
          return Optional.of(named(id) + " is deactivated and cannot be removed from the schedule");
        }
      }
    }
    return Optional.empty();
  }

  /** Of the machines that a call names. */
  static Optional<String> problem(List<MachineID> ids) {
    if (ids.isEmpty()) {
      return Optional.of("List of machines is empty");
    }
    Set<Machine> unique = new HashSet<>();
    for (MachineID id : ids) {
      Optional<String> problem = problem(id);
      if (problem.isPresent()) {
        return problem;
      }
      if (!unique.add(Machine.of(id))) {
        return Optional.of(named(id) + " appears more than once in the list");
      }
    }
    return Optional.empty();
  }

  private static Optional<String> problem(MachineID id) {
    if (id.getHostname().isEmpty() && id.getIp().isEmpty()) {
      return Optional.of("Both 'hostname' and 'ip' for a machine are empty");
    }
    return id.getIp().isEmpty() || address(id.getIp())
        ? Optional.empty()
        : Optional.of("Failed to parse IPv4: " + id.getIp());
  }

  /** How texts call a machine. */
  static String named(MachineID id) {
    return "Machine '" + new String(Json.encode(id), StandardCharsets.UTF_8) + "'";
  }

  private static boolean address(String ip) {
    String[] parts = ip.split("\\.", -1);
    if (parts.length != 4) {
      return false;
    }
    for (String part : parts) {
      if (part.isEmpty()
          || part.length() > 3
          || !part.chars().allMatch(it -> it >= '0' && it <= '9')
          || Integer.parseInt(part) > 255) {
        return false;
      }
    }
    return true;
  }
}
