package org.mezzo.master.transitions;

import static org.mezzo.master.transitions.TaskValidation.command;
import static org.mezzo.master.transitions.TaskValidation.container;
import static org.mezzo.master.transitions.TaskValidation.prefix;
import static org.mezzo.master.transitions.TaskValidation.resources;

import java.util.Optional;
import org.mezzo.master.state.Identifiers;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Resource;

/** What can be wrong with an executor without looking at any state (rule 85). */
final class ExecutorValidation {
  private ExecutorValidation() {}

  /** What is wrong with the executor of a task of a LAUNCH. */
  static Optional<String> ofTask(ExecutorInfo executor, String frameworkId) {
    if (executor.hasType()
        && executor.getType() != ExecutorInfo.Type.CUSTOM
        && executor.getType() != ExecutorInfo.Type.UNKNOWN) {
      return Optional.of("'ExecutorInfo.type' must be 'CUSTOM' or unset for a LAUNCH");
    }
    if (!executor.hasCommand()) {
      return Optional.of("'ExecutorInfo.command' must be set");
    }
    return general(executor, frameworkId).or(() -> shareCgroups(executor));
  }

  /** What every executor is looked at for. */
  static Optional<String> general(ExecutorInfo executor, String frameworkId) {
    return type(executor)
        .or(() -> Identifiers.problem(executor.getExecutorId().getValue()))
        .or(
            () ->
                executor.getShutdownGracePeriod().getNanoseconds() < 0
                    ? Optional.of("ExecutorInfo's 'shutdown_grace_period' must be non-negative")
                    : Optional.empty())
        .or(() -> prefix("Executor's `CommandInfo` is invalid: ", command(executor.getCommand())))
        .or(
            () ->
                executor.hasContainer()
                    ? prefix(
                        "Executor's `ContainerInfo` is invalid: ",
                        container(executor.getContainer()))
                    : Optional.empty())
        .or(() -> frameworkId(executor, frameworkId))
        .or(
            () ->
                prefix("Executor uses invalid resources: ", resources(executor.getResourcesList())))
        .or(
            () ->
                executor.getResourcesList().stream().anyMatch(Resource::hasShared)
                    ? Optional.of("Executor uses shared resources, which only tasks may")
                    : Optional.empty());
  }

  private static Optional<String> type(ExecutorInfo executor) {
    if (!executor.hasType()) {
      return Optional.empty();
    }
    return switch (executor.getType()) {
      case DEFAULT -> ofDefault(executor);
      case CUSTOM ->
          executor.hasCommand()
              ? Optional.empty()
              : Optional.of("'ExecutorInfo.command' must be set for 'CUSTOM' executor");
      case UNKNOWN -> Optional.empty();
    };
  }

  private static Optional<String> ofDefault(ExecutorInfo executor) {
    String problem = null;
    if (executor.hasCommand()) {
      problem = "'ExecutorInfo.command' must not be set for 'DEFAULT' executor";
    } else if (executor.hasContainer()
        && executor.getContainer().getType() != ContainerInfo.Type.MESOS) {
      problem = "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor";
    } else if (executor.getContainer().getMesos().hasImage()) {
      problem = "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor";
    }
    return Optional.ofNullable(problem);
  }

  private static Optional<String> frameworkId(ExecutorInfo executor, String expected) {
    if (!executor.hasFrameworkId()) {
      return Optional.of("'ExecutorInfo.framework_id' must be set");
    }
    return executor.getFrameworkId().getValue().equals(expected)
        ? Optional.empty()
        : Optional.of(
            "ExecutorInfo has an invalid FrameworkID (Actual: "
                + executor.getFrameworkId().getValue()
                + " vs Expected: "
                + expected
                + ")");
  }

  /** Only a task's container has anything to share with its executor's. */
  static Optional<String> shareCgroups(ExecutorInfo executor) {
    return executor.getContainer().getLinuxInfo().hasShareCgroups()
            && executor.getContainer().getLinuxInfo().getShareCgroups()
        ? Optional.of("'share_cgroups' cannot be set to 'true' on executors")
        : Optional.empty();
  }
}
