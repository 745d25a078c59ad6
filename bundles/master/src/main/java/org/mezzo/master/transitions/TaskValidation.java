package org.mezzo.master.transitions;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.Parameter;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.ResourceChecks;

/** What can be wrong with a task without looking at any state (rules 77 to 84 and 87). */
final class TaskValidation {
  private TaskValidation() {}

  /** The first thing that is wrong with a task of a LAUNCH after id and agent were looked at. */
  static Optional<String> problem(TaskInfo task, String frameworkId) {
    return general(task)
        .or(
            () ->
                task.hasCommand() == task.hasExecutor()
                    ? Optional.of(
                        "Task should have at least one (but not both) of CommandInfo or"
                            + " ExecutorInfo present")
                    : none())
        .or(
            () ->
                task.hasExecutor()
                    ? ExecutorValidation.ofTask(task.getExecutor(), frameworkId)
                    : none())
        .or(() -> shareCgroups(task));
  }

  /** What every task is looked at for, alone or in a group (rules 77 to 83). */
  static Optional<String> general(TaskInfo task) {
    return grace(task)
        .or(() -> completionTime(task))
        .or(
            () ->
                task.hasCheck()
                    ? prefix("Task uses invalid check: ", check(task.getCheck()))
                    : none())
        .or(
            () ->
                task.hasHealthCheck()
                    ? prefix("Task uses invalid health check: ", health(task.getHealthCheck()))
                    : none())
        .or(() -> resources(task))
        .or(
            () ->
                task.hasCommand()
                    ? prefix("Task's `CommandInfo` is invalid: ", command(task.getCommand()))
                    : none())
        .or(
            () ->
                task.hasContainer()
                    ? prefix("Task's `ContainerInfo` is invalid: ", container(task.getContainer()))
                    : none())
        .or(() -> limits(task));
  }

  private static Optional<String> none() {
    return Optional.empty();
  }

  static Optional<String> prefix(String prefix, Optional<String> problem) {
    return problem.map(text -> prefix + text);
  }

  private static Optional<String> grace(TaskInfo task) {
    return task.getKillPolicy().getGracePeriod().getNanoseconds() < 0
        ? Optional.of("Task's 'kill_policy.grace_period' must be non-negative")
        : none();
  }

  private static Optional<String> completionTime(TaskInfo task) {
    return task.getMaxCompletionTime().getNanoseconds() < 0
        ? Optional.of("Task's `max_completion_time` must be non-negative")
        : none();
  }

  private static Optional<String> notSet(String field, String what) {
    return Optional.of("Expecting '" + field + "' to be set for " + what);
  }

  private static Optional<String> negative(String field, double seconds) {
    return seconds >= 0 ? none() : Optional.of("Expecting '" + field + "' to be non-negative");
  }

  private static Optional<String> runnable(CommandInfo command, String what) {
    if (!command.hasValue()) {
      return Optional.of(
          what + " must contain " + (command.getShell() ? "'shell command'" : "'executable path'"));
    }
    return prefix("the command is invalid: ", command(command));
  }

  private static Optional<String> path(boolean present, String path, String what) {
    return present && !path.startsWith("/")
        ? Optional.of("The path '" + path + "' of HTTP " + what + " must start with '/'")
        : none();
  }

  private static Optional<String> check(CheckInfo check) {
    if (!check.hasType()) {
      return Optional.of("CheckInfo must specify 'type'");
    }
    Optional<String> problem =
        switch (check.getType()) {
          case COMMAND ->
              check.hasCommand()
                  ? runnable(check.getCommand().getCommand(), "Command check")
                  : notSet("command", "COMMAND check");
          case HTTP ->
              check.hasHttp()
                  ? path(check.getHttp().hasPath(), check.getHttp().getPath(), "check")
                  : notSet("http", "HTTP check");
          case TCP -> check.hasTcp() ? none() : notSet("tcp", "TCP check");
          case UNKNOWN -> Optional.of("'UNKNOWN' is not a valid check type");
        };
    return problem
        .or(() -> negative("delay_seconds", check.getDelaySeconds()))
        .or(() -> negative("interval_seconds", check.getIntervalSeconds()))
        .or(() -> negative("timeout_seconds", check.getTimeoutSeconds()));
  }

  private static Optional<String> health(HealthCheck check) {
    if (!check.hasType()) {
      return Optional.of("HealthCheck must specify 'type'");
    }
    Optional<String> problem =
        switch (check.getType()) {
          case COMMAND ->
              check.hasCommand()
                  ? runnable(check.getCommand(), "Command health check")
                  : notSet("command", "COMMAND health check");
          case HTTP ->
              check.hasHttp() ? http(check.getHttp()) : notSet("http", "HTTP health check");
          case TCP -> check.hasTcp() ? none() : notSet("tcp", "TCP health check");
          case UNKNOWN -> Optional.of("'UNKNOWN' is not a valid health check type");
        };
    return problem
        .or(() -> negative("delay_seconds", check.getDelaySeconds()))
        .or(() -> negative("grace_period_seconds", check.getGracePeriodSeconds()))
        .or(() -> negative("interval_seconds", check.getIntervalSeconds()))
        .or(() -> negative("timeout_seconds", check.getTimeoutSeconds()));
  }

  private static Optional<String> http(HealthCheck.HTTPCheckInfo http) {
    if (http.hasScheme() && !Set.of("http", "https").contains(http.getScheme())) {
      return Optional.of("Unsupported HTTP health check scheme: '" + http.getScheme() + "'");
    }
    return path(http.hasPath(), http.getPath(), "health check");
  }

  private static Optional<String> resources(TaskInfo task) {
    if (task.getResourcesCount() == 0) {
      return Optional.of("Task uses no resources");
    }
    return prefix("Task uses invalid resources: ", resources(task.getResourcesList()))
        .or(
            () ->
                prefix(
                    "Task uses duplicate persistence ID: ",
                    duplicateVolume(task.getResourcesList())));
  }

  static Optional<String> resources(List<Resource> resources) {
    for (Resource resource : resources) {
      Optional<String> problem =
          ResourceChecks.checkGpus(resource).or(() -> ResourceChecks.checkVolume(resource));
      if (problem.isPresent()) {
        return problem;
      }
      if (resource.hasRevocable() && resource.hasReservation()) {
        return Optional.of("Dynamically reserved resources cannot be revocable");
      }
    }
    return ResourceChecks.checkAllocationRoles(resources)
        .or(() -> ResourceChecks.checkRevocableMix(resources));
  }

  /** The persistence id that is there twice in one role. */
  static Optional<String> duplicateVolume(List<Resource> resources) {
    Set<String> seen = new HashSet<>();
    for (Resource resource : resources) {
      if (resource.getDisk().hasPersistence() && !resource.hasShared()) {
        String id = resource.getDisk().getPersistence().getId();
        String role =
            resource.getReservationsCount() > 0
                ? resource.getReservations(resource.getReservationsCount() - 1).getRole()
                : resource.getRole();
        if (!seen.add(role + ' ' + id)) {
          return Optional.of(id);
        }
      }
    }
    return none();
  }

  static Optional<String> command(CommandInfo command) {
    for (Environment.Variable variable : command.getEnvironment().getVariablesList()) {
      String prefix =
          "Environment variable '" + variable.getName() + "' of type '" + variable.getType() + "' ";
      switch (variable.getType()) {
        case SECRET -> {
          if (!variable.hasSecret()) {
            return Optional.of(prefix + "must have a secret set");
          }
          if (variable.hasValue()) {
            return Optional.of(prefix + "must not have a value set");
          }
          if (variable.getSecret().getValue().getData().toStringUtf8().indexOf('\0') >= 0) {
            return Optional.of(prefix + "must not have a secret with a NUL byte");
          }
        }
        case VALUE -> {
          if (!variable.hasValue()) {
            return Optional.of(prefix + "must have a value set");
          }
          if (variable.hasSecret()) {
            return Optional.of(prefix + "must not have a secret set");
          }
        }
        case UNKNOWN -> {
          return Optional.of("Environment variable of type 'UNKNOWN' is not allowed");
        }
      }
    }
    return none();
  }

  static Optional<String> container(ContainerInfo container) {
    for (Volume volume : container.getVolumesList()) {
      int sources =
          (volume.hasHostPath() ? 1 : 0)
              + (volume.hasImage() ? 1 : 0)
              + (volume.hasSource() ? 1 : 0);
      if (sources > 1) {
        return Optional.of(
            "Invalid volume: Only one of them should be set: 'host_path', 'image' and 'source'");
      }
      if (sources == 0) {
        return Optional.of("Invalid volume: One of 'host_path', 'image' and 'source' must be set");
      }
    }
    if (container.getType() == ContainerInfo.Type.DOCKER) {
      if (!container.hasDocker()) {
        return Optional.of("DockerInfo 'docker' is not set for DOCKER typed ContainerInfo");
      }
      for (Parameter parameter : container.getDocker().getParametersList()) {
        if (parameter.getKey().equals("name")) {
          return Optional.of("Parameter in DockerInfo must not be 'name'");
        }
      }
    }
    return none();
  }

  private static Optional<String> limits(TaskInfo task) {
    for (Map.Entry<String, Value.Scalar> limit : task.getLimitsMap().entrySet()) {
      String name = limit.getKey();
      if (!name.equals("cpus") && !name.equals("mem")) {
        return Optional.of("Only cpu and memory limits are supported, but found '" + name + "'");
      }
      String what = name.equals("cpus") ? "cpu" : "memory";
      double request = 0;
      boolean requested = false;
      for (Resource resource : task.getResourcesList()) {
        if (resource.getName().equals(name)) {
          requested = true;
          request += resource.getScalar().getValue();
        }
      }
      if (!requested) {
        return Optional.of("A " + what + " limit needs a " + what + " request");
      }
      if (!(limit.getValue().getValue() >= request)) {
        return Optional.of(
            "The " + what + " limit must be greater than or equal to the " + what + " request");
      }
    }
    return none();
  }

  private static Optional<String> shareCgroups(TaskInfo task) {
    return task.getContainer().getLinuxInfo().hasShareCgroups()
            && !task.getContainer().getLinuxInfo().getShareCgroups()
        ? Optional.of("Only tasks in a task group may have 'share_cgroups' set to 'false'")
        : none();
  }
}
