package org.mezzo.agent.tasks;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mezzo.containerizer.ContainerVolume;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.LinuxInfo;
import org.mezzo.protocol.v1.MountPropagation;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.protocol.v1.SeccompInfo;
import org.mezzo.protocol.v1.TTYInfo;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.Volume;

/**
 * What a task, or a container of an operator's, may ask of this agent. Every field of the messages
 * that say what runs and in what is either taken (the agent does what it says, or it says nothing
 * that a command would notice), looked into, or refused; so is one that is not known here. Nothing
 * that was asked for is left out in silence.
 */
public final class TaskDemands {
  /** Messages whose fields are looked at one by one. */
  static final List<Descriptor> LOOKED_INTO =
      List.of(
          TaskInfo.getDescriptor(),
          ExecutorInfo.getDescriptor(),
          CommandInfo.getDescriptor(),
          CommandInfo.URI.getDescriptor(),
          Environment.getDescriptor(),
          Environment.Variable.getDescriptor(),
          ContainerInfo.getDescriptor(),
          ContainerInfo.MesosInfo.getDescriptor(),
          Volume.getDescriptor(),
          Volume.Source.getDescriptor(),
          Volume.Source.SandboxPath.getDescriptor(),
          Volume.Source.HostPath.getDescriptor(),
          MountPropagation.getDescriptor(),
          NetworkInfo.getDescriptor(),
          NetworkInfo.IPAddress.getDescriptor(),
          LinuxInfo.getDescriptor(),
          SeccompInfo.getDescriptor(),
          HealthCheck.getDescriptor(),
          HealthCheck.HTTPCheckInfo.getDescriptor(),
          HealthCheck.TCPCheckInfo.getDescriptor(),
          CheckInfo.getDescriptor(),
          CheckInfo.Command.getDescriptor(),
          CheckInfo.Http.getDescriptor(),
          CheckInfo.Tcp.getDescriptor());

  /**
   * Fields that say nothing this agent would not do. {@code cache} is about how a file is fetched,
   * {@code data} is for executors, labels and discovery are for those who read them; {@code
   * statuses} of a health check mean nothing in Mesos either. A custom executor is looked at by
   * itself, and so are volumes of sandboxes and of the host ({@link ContainerVolume}).
   */
  static final Set<String> TAKEN =
      Set.of(
          "TaskInfo.name",
          "TaskInfo.task_id",
          "TaskInfo.agent_id",
          "TaskInfo.resources",
          "TaskInfo.kill_policy",
          "TaskInfo.data",
          "TaskInfo.labels",
          "TaskInfo.discovery",
          "TaskInfo.max_completion_time",
          "TaskInfo.limits",
          "ExecutorInfo.type",
          "ExecutorInfo.executor_id",
          "ExecutorInfo.framework_id",
          "ExecutorInfo.resources",
          "ExecutorInfo.name",
          "ExecutorInfo.source",
          "ExecutorInfo.data",
          "ExecutorInfo.discovery",
          "ExecutorInfo.shutdown_grace_period",
          "ExecutorInfo.labels",
          "ContainerInfo.rlimit_info",
          "CommandInfo.shell",
          "CommandInfo.value",
          "CommandInfo.arguments",
          "CommandInfo.user",
          "CommandInfo.URI.value",
          "CommandInfo.URI.executable",
          "CommandInfo.URI.extract",
          "CommandInfo.URI.cache",
          "CommandInfo.URI.output_file",
          "Environment.Variable.name",
          "Environment.Variable.value",
          "Environment.Variable.secret",
          "Volume.mode",
          "Volume.container_path",
          "Volume.host_path",
          "Volume.Source.HostPath.path",
          "Volume.Source.SandboxPath.type",
          "Volume.Source.SandboxPath.path",
          "NetworkInfo.labels",
          "NetworkInfo.IPAddress.protocol",
          "HealthCheck.type",
          "HealthCheck.delay_seconds",
          "HealthCheck.interval_seconds",
          "HealthCheck.timeout_seconds",
          "HealthCheck.consecutive_failures",
          "HealthCheck.grace_period_seconds",
          "HealthCheck.HTTPCheckInfo.protocol",
          "HealthCheck.HTTPCheckInfo.scheme",
          "HealthCheck.HTTPCheckInfo.port",
          "HealthCheck.HTTPCheckInfo.path",
          "HealthCheck.HTTPCheckInfo.statuses",
          "HealthCheck.TCPCheckInfo.protocol",
          "HealthCheck.TCPCheckInfo.port",
          "CheckInfo.type",
          "CheckInfo.delay_seconds",
          "CheckInfo.interval_seconds",
          "CheckInfo.timeout_seconds",
          "CheckInfo.Http.port",
          "CheckInfo.Http.path",
          "CheckInfo.Tcp.port");

  /** Fields that are refused where their value asks for something. */
  static final Map<String, Predicate<Object>> REFUSED =
      Map.ofEntries(
          Map.entry("Environment.Variable.type", is("UNKNOWN")),
          Map.entry("ContainerInfo.type", is("MESOS").negate()),
          Map.entry("Volume.image", value -> true),
          Map.entry("Volume.Source.type", TaskDemands::isOtherSource),
          Map.entry("Volume.Source.docker_volume", value -> true),
          // What a container mounts reaches nobody else.
          Map.entry("MountPropagation.mode", is("BIDIRECTIONAL")),
          Map.entry("Volume.Source.secret", value -> true),
          Map.entry("Volume.Source.csi_volume", value -> true),
          Map.entry("ContainerInfo.hostname", value -> true),
          Map.entry("ContainerInfo.docker", value -> true),
          Map.entry("ContainerInfo.tty_info", TaskDemands::isNoWindow),
          Map.entry("ContainerInfo.MesosInfo.image", value -> true),
          Map.entry("NetworkInfo.name", value -> true),
          Map.entry("NetworkInfo.groups", value -> true),
          Map.entry("NetworkInfo.port_mappings", value -> true),
          Map.entry("NetworkInfo.IPAddress.ip_address", value -> true),
          Map.entry("LinuxInfo.capability_info", value -> true),
          Map.entry("LinuxInfo.bounding_capabilities", value -> true),
          Map.entry("LinuxInfo.effective_capabilities", value -> true),
          // Tasks share the namespaces of the agent and have no seccomp profile, which is all that
          // may be asked for. A group of its own is what every container has.
          Map.entry("LinuxInfo.share_pid_namespace", Boolean.FALSE::equals),
          Map.entry("LinuxInfo.ipc_mode", is("PRIVATE")),
          Map.entry("LinuxInfo.shm_size", value -> true),
          Map.entry("LinuxInfo.share_cgroups", value -> false),
          Map.entry("SeccompInfo.profile_name", value -> true),
          Map.entry("SeccompInfo.unconfined", Boolean.FALSE::equals));

  private static final Map<FieldDescriptor, String> NAMES =
      LOOKED_INTO.stream()
          .flatMap(message -> message.getFields().stream())
          .collect(Collectors.toUnmodifiableMap(field -> field, TaskDemands::name));

  private TaskDemands() {}

  private static Predicate<Object> is(String name) {
    return value -> value.toString().equals(name);
  }

  private static boolean isOtherSource(Object type) {
    return is("SANDBOX_PATH").or(is("HOST_PATH")).negate().test(type);
  }

  /** No terminal can be larger. */
  private static boolean isNoWindow(Object value) {
    TTYInfo.WindowSize size = ((TTYInfo) value).getWindowSize();
    return Integer.compareUnsigned(size.getRows(), 0xffff) > 0
        || Integer.compareUnsigned(size.getColumns(), 0xffff) > 0;
  }

  /** Says what this agent cannot give a task and which field asks for it; empty: nothing. */
  static Optional<String> refusal(TaskInfo task) {
    return refusal(task, "")
        .or(() -> files(task.getHealthCheck().getCommand(), "health_check.command"))
        .or(() -> files(task.getCheck().getCommand().getCommand(), "check.command.command"));
  }

  /** What a check needs has to be in the task's sandbox. */
  private static Optional<String> files(CommandInfo check, String path) {
    return check.getUrisCount() == 0
        ? Optional.empty()
        : Optional.of(
            "This agent does not provide `"
                + path
                + ".uris`; let the task's own command fetch what its check needs");
  }

  /**
   * The same of an executor that a framework gives. What its tasks ask for beside resources is
   * between them.
   */
  static Optional<String> refusal(ExecutorInfo executor) {
    return refusal(executor, "executor");
  }

  /** The same of the command and the description of a container that an operator launches. */
  public static Optional<String> refusal(CommandInfo command, ContainerInfo container) {
    return refusal(command, "command").or(() -> refusal(container, "container"));
  }

  /**
   * The same of the volumes of the containers that are made for a task: its own, that of an
   * executor which it brings along, or both.
   *
   * @param played whether the agent plays the executor, and so nests the task's container in its
   * @param mounts whether containers have mounts
   */
  static Optional<String> volumes(TaskInfo task, boolean played, boolean mounts) {
    ExecutorInfo executor = task.getExecutor();
    if (played && executor.getContainer().getVolumesCount() > 0) {
      return Optional.of(
          "A default executor has no process that could use `executor.container.volumes`; give"
              + " them to its tasks, with type PARENT where they are to share one");
    }
    try {
      ContainerVolume.of(executor.getContainer(), false, mounts);
      if (played || !task.hasExecutor()) {
        ContainerVolume.of(task.getContainer(), played, mounts);
      }
      return Optional.empty();
    } catch (LaunchException e) {
      return Optional.of(e.getMessage());
    }
  }

  private static Optional<String> refusal(Message message, String path) {
    for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
      FieldDescriptor descriptor = field.getKey();
      String name = NAMES.get(descriptor);
      if (TAKEN.contains(name)) {
        continue;
      }
      String at = path + (path.isEmpty() ? "" : ".") + descriptor.getName();
      Optional<String> found = Optional.empty();
      if (REFUSED.containsKey(name)) {
        if (REFUSED.get(name).test(field.getValue())) {
          found = Optional.of(words(message, at));
        }
      } else if (lookedInto(descriptor)) {
        found =
            (descriptor.isRepeated()
                    ? ((List<?>) field.getValue()).stream()
                    : Stream.of(field.getValue()))
                .flatMap(value -> refusal((Message) value, at).stream())
                .findFirst();
      } else {
        found = Optional.of(words(message, at));
      }
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static String words(Message message, String path) {
    if (message instanceof ContainerInfo && path.endsWith(".tty_info")) {
      return "A terminal has at most 65535 rows and columns; change `" + path + ".window_size`";
    }
    return message instanceof Environment.Variable variable
        ? "The variable '"
            + variable.getName()
            + "' of the command must be of type VALUE and have a `value`, or of type SECRET and"
            + " have a `secret`"
        : "This agent does not provide `" + path + "` yet; leave it out";
  }

  static boolean lookedInto(FieldDescriptor field) {
    return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
        && LOOKED_INTO.contains(field.getMessageType());
  }

  /** A field's name behind that of its message, without the package. */
  static String name(FieldDescriptor field) {
    return field.getFullName().substring(field.getFile().getPackage().length() + 1);
  }
}
