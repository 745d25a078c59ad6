package org.mezzo.master.transitions;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.resources.Resources;

/** What can be wrong with a task group without looking at any state (rules 88, 90 and 91). */
final class GroupValidation {
  /** Whether control groups are shared is one thing for all that an executor runs. */
  static final String DIFFERENT_SHARING =
      "If set, the value of 'share_cgroups' must be the same for all tasks in each task group and"
          + " under a single executor";

  /** Processors that an executor needs. */
  private static final double LEAST_CPUS = 0.01;

  /** Megabytes that an executor needs. */
  private static final double LEAST_MEMORY = 32;

  private static final double KILO = 1024;

  private GroupValidation() {}

  /** The first thing that is wrong with one task after id and agent were looked at. */
  static Optional<String> ofTask(TaskInfo task) {
    return TaskValidation.general(task)
        .or(() -> network(task))
        .or(
            () ->
                task.hasContainer() && task.getContainer().getType() == ContainerInfo.Type.DOCKER
                    ? Optional.of("Docker ContainerInfo is not supported on the task")
                    : Optional.empty())
        .or(
            () ->
                task.getLimitsCount() > 0 && sharesCgroups(task.getContainer())
                    ? Optional.of(
                        "Resource limits may only be set for tasks within a task group when the"
                            + " 'share_cgroups' field is set to 'false'.")
                    : Optional.empty());
  }

  private static Optional<String> network(TaskInfo task) {
    boolean over =
        task.hasHealthCheck()
            && (task.getHealthCheck().getType() == HealthCheck.Type.HTTP
                || task.getHealthCheck().getType() == HealthCheck.Type.TCP);
    return over && task.getContainer().getNetworkInfosCount() > 0
        ? Optional.of(
            "HTTP and TCP health checks are not supported for nested containers not joining"
                + " parent's network")
        : Optional.empty();
  }

  /** Whether a task's container has the control groups of its executor's, as it has by default. */
  static boolean sharesCgroups(ContainerInfo container) {
    return !container.getLinuxInfo().hasShareCgroups()
        || container.getLinuxInfo().getShareCgroups();
  }

  /**
   * The first thing that is wrong with executor and group, after the executor itself and those that
   * run were looked at.
   *
   * @param parts what each task and the executor want
   */
  static Optional<String> problem(
      ExecutorInfo executor, List<TaskInfo> tasks, List<Resources> parts) {
    String name = "Executor '" + executor.getExecutorId().getValue() + "'";
    if (!executor.hasType()) {
      return Optional.of("'ExecutorInfo.type' must be set");
    }
    if (executor.getType() == ExecutorInfo.Type.UNKNOWN) {
      return Optional.of("Unknown executor type");
    }
    if (executor.hasContainer() && executor.getContainer().getType() == ContainerInfo.Type.DOCKER) {
      return Optional.of("Docker ContainerInfo is not supported on the executor");
    }
    for (TaskInfo task : tasks) {
      if (task.hasExecutor() && !task.getExecutor().equals(executor)) {
        return Optional.of(
            "The `ExecutorInfo` of task '"
                + task.getTaskId().getValue()
                + "' is different from executor '"
                + executor.getExecutorId().getValue()
                + "'");
      }
    }
    OptionalDouble cpus = scalar(executor, "cpus");
    if (cpus.isEmpty() || cpus.getAsDouble() < LEAST_CPUS) {
      return Optional.of(
          name
              + " uses less CPUs ("
              + (cpus.isEmpty() ? "None" : plain(cpus.getAsDouble()))
              + ") than the minimum required (0.01)");
    }
    OptionalDouble memory = scalar(executor, "mem");
    if (memory.isEmpty() || memory.getAsDouble() < LEAST_MEMORY) {
      return Optional.of(
          name
              + " uses less memory ("
              + (memory.isEmpty() ? "None" : bytes(memory.getAsDouble()))
              + ") than the minimum required (32MB)");
    }
    if (scalar(executor, "disk").isEmpty()) {
      return Optional.of(name + " uses no disk");
    }
    List<Resource> all = new ArrayList<>(executor.getResourcesList());
    tasks.forEach(task -> all.addAll(task.getResourcesList()));
    return CombinedResources.problem("Task group and executor", all, parts);
  }

  /** What is wrong with sharing of control groups within the group. */
  static Optional<String> shareCgroups(ExecutorInfo executor, List<TaskInfo> tasks) {
    return ExecutorValidation.shareCgroups(executor)
        .or(
            () ->
                tasks.stream().map(task -> sharesCgroups(task.getContainer())).distinct().count()
                        > 1
                    ? Optional.of(DIFFERENT_SHARING)
                    : Optional.empty());
  }

  private static OptionalDouble scalar(ExecutorInfo executor, String name) {
    return executor.getResourcesList().stream()
        .filter(resource -> resource.getName().equals(name) && resource.hasScalar())
        .mapToDouble(resource -> resource.getScalar().getValue())
        .reduce(Double::sum);
  }

  private static String plain(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }

  /** Megabytes in the largest unit of which it is a whole number. */
  private static String bytes(double megabytes) {
    if (megabytes == Math.rint(megabytes)) {
      return plain(megabytes) + "MB";
    }
    double kilobytes = megabytes * KILO;
    return kilobytes == Math.rint(kilobytes)
        ? plain(kilobytes) + "KB"
        : Math.round(kilobytes * KILO) + "B";
  }
}
