package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.Parameter;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resources;

/** What can be judged of a task without any state (rules 77 to 87), each case with its message. */
class TaskValidationTest {
  private final Given given = new Given();
  private final List<DynamicTest> cases = new ArrayList<>();

  private TaskInfo.Builder task() {
    return given.command("t", "a", "cpus:1;mem:32");
  }

  private void bad(String message, Consumer<TaskInfo.Builder> change) {
    cases.add(
        DynamicTest.dynamicTest(
            message,
            () -> {
              TaskInfo.Builder task = task();
              change.accept(task);
              assertThat(TaskValidation.problem(task.buildPartial(), "f").orElse("nothing"))
                  .contains(message);
            }));
  }

  private static List<Resource> resources(String text) {
    return Given.resources(text).toMessages(Resources.Format.POST_REFINEMENT);
  }

  private static ExecutorInfo.Builder executor() {
    return ExecutorInfo.newBuilder()
        .setExecutorId(ExecutorID.newBuilder().setValue("e"))
        .setFrameworkId(FrameworkID.newBuilder().setValue("f"))
        .setCommand(CommandInfo.newBuilder().setValue("run"));
  }

  private static Environment.Variable.Builder variable(Environment.Variable.Type type) {
    return Environment.Variable.newBuilder().setName("V").setType(type);
  }

  private static Value.Scalar scalar(double value) {
    return Value.Scalar.newBuilder().setValue(value).build();
  }

  @Test
  void aPlainTaskIsFine() {
    assertThat(TaskValidation.problem(task().build(), "f")).isEmpty();
    TaskInfo custom = task().clearCommand().setExecutor(executor()).build();
    assertThat(TaskValidation.problem(custom, "f")).isEmpty();
  }

  @TestFactory
  List<DynamicTest> rules77To79() {
    bad(
        "kill_policy.grace_period",
        it -> it.getKillPolicyBuilder().getGracePeriodBuilder().setNanoseconds(-1));
    bad("max_completion_time", it -> it.getMaxCompletionTimeBuilder().setNanoseconds(-1));
    bad("CheckInfo must specify 'type'", it -> it.getCheckBuilder());
    bad(
        "Expecting 'command' to be set for COMMAND check",
        it -> it.getCheckBuilder().setType(CheckInfo.Type.COMMAND));
    bad(
        "Command check must contain 'shell command'",
        it ->
            it.getCheckBuilder()
                .setType(CheckInfo.Type.COMMAND)
                .getCommandBuilder()
                .getCommandBuilder());
    bad(
        "The path 'x' of HTTP check must start with '/'",
        it -> it.getCheckBuilder().setType(CheckInfo.Type.HTTP).getHttpBuilder().setPath("x"));
    bad(
        "Expecting 'tcp' to be set for TCP check",
        it -> it.getCheckBuilder().setType(CheckInfo.Type.TCP));
    bad(
        "Expecting 'delay_seconds' to be non-negative",
        it -> it.getCheckBuilder().setType(CheckInfo.Type.TCP).setDelaySeconds(-1).getTcpBuilder());
    bad("HealthCheck must specify 'type'", it -> it.getHealthCheckBuilder());
    bad(
        "Unsupported HTTP health check scheme: 'ftp'",
        it ->
            it.getHealthCheckBuilder()
                .setType(HealthCheck.Type.HTTP)
                .getHttpBuilder()
                .setScheme("ftp"));
    bad(
        "Expecting 'grace_period_seconds' to be non-negative",
        it ->
            it.getHealthCheckBuilder()
                .setType(HealthCheck.Type.TCP)
                .setGracePeriodSeconds(Double.NaN)
                .getTcpBuilder());
    return cases;
  }

  @TestFactory
  List<DynamicTest> rules80And81() {
    bad("Task uses no resources", TaskInfo.Builder::clearResources);
    bad(
        "must be an unsigned integer",
        it -> it.addResources(resources("cpus:0.5").get(0).toBuilder().setName("gpus")));
    bad(
        "multiple allocation roles ('a' and 'b') but only one",
        it -> {
          for (String role : List.of("a", "b")) {
            it.addAllResources(
                Given.resources("disk:1")
                    .allocatedTo(role)
                    .toMessages(Resources.Format.POST_REFINEMENT));
          }
        });
    bad(
        "Cannot use both revocable and non-revocable 'cpus'",
        it ->
            it.addResources(
                resources("cpus:1").get(0).toBuilder()
                    .setRevocable(Resource.RevocableInfo.getDefaultInstance())));
    bad(
        "DiskInfo is set but empty",
        it ->
            it.addResources(
                resources("disk:1").get(0).toBuilder()
                    .setDisk(Resource.DiskInfo.getDefaultInstance())));
    bad(
        "must have a value set",
        it ->
            it.getCommandBuilder()
                .getEnvironmentBuilder()
                .addVariables(variable(Environment.Variable.Type.VALUE)));
    bad(
        "must have a secret set",
        it ->
            it.getCommandBuilder()
                .getEnvironmentBuilder()
                .addVariables(variable(Environment.Variable.Type.SECRET)));
    bad(
        "type 'UNKNOWN' is not allowed",
        it ->
            it.getCommandBuilder()
                .getEnvironmentBuilder()
                .addVariables(variable(Environment.Variable.Type.UNKNOWN).setValue("v")));
    return cases;
  }

  @TestFactory
  List<DynamicTest> rules82To84() {
    bad(
        "Only one of them should be set",
        it ->
            it.getContainerBuilder()
                .setType(ContainerInfo.Type.MESOS)
                .addVolumes(
                    Volume.newBuilder()
                        .setContainerPath("p")
                        .setMode(Volume.Mode.RW)
                        .setHostPath("h")
                        .setSource(Volume.Source.getDefaultInstance())));
    bad(
        "must be set",
        it ->
            it.getContainerBuilder()
                .setType(ContainerInfo.Type.MESOS)
                .addVolumes(Volume.newBuilder().setContainerPath("p").setMode(Volume.Mode.RW)));
    bad(
        "DockerInfo 'docker' is not set",
        it -> it.getContainerBuilder().setType(ContainerInfo.Type.DOCKER));
    bad(
        "must not be 'name'",
        it ->
            it.getContainerBuilder()
                .setType(ContainerInfo.Type.DOCKER)
                .getDockerBuilder()
                .addParameters(Parameter.newBuilder().setKey("name").setValue("x")));
    bad(
        "Only cpu and memory limits are supported, but found 'disk'",
        it -> it.putLimits("disk", scalar(1)));
    bad("cpu limit must be greater than or equal", it -> it.putLimits("cpus", scalar(0.5)));
    bad(
        "memory limit must be greater than or equal",
        it -> it.putLimits("mem", scalar(Double.NaN)));
    bad(
        "at least one (but not both) of CommandInfo or ExecutorInfo",
        it -> it.setExecutor(executor()));
    bad(
        "at least one (but not both) of CommandInfo or ExecutorInfo",
        TaskInfo.Builder::clearCommand);
    return cases;
  }

  @Test
  void aLimitMayBeInfinite() {
    TaskInfo task = task().putLimits("cpus", scalar(Double.POSITIVE_INFINITY)).build();
    assertThat(TaskValidation.problem(task, "f")).isEmpty();
  }

  @TestFactory
  List<DynamicTest> rules85And87() {
    bad(
        "'ExecutorInfo.type' must be 'CUSTOM' or unset",
        it -> it.clearCommand().setExecutor(executor().setType(ExecutorInfo.Type.DEFAULT)));
    bad(
        "'ExecutorInfo.command' must be set",
        it -> it.clearCommand().setExecutor(executor().clearCommand()));
    bad(
        "'..' is disallowed",
        it ->
            it.clearCommand()
                .setExecutor(executor().setExecutorId(ExecutorID.newBuilder().setValue(".."))));
    bad(
        "'shutdown_grace_period' must be non-negative",
        it ->
            it.clearCommand()
                .setExecutor(executor())
                .getExecutorBuilder()
                .getShutdownGracePeriodBuilder()
                .setNanoseconds(-1));
    bad(
        "invalid FrameworkID (Actual: g vs Expected: f)",
        it ->
            it.clearCommand()
                .setExecutor(executor().setFrameworkId(FrameworkID.newBuilder().setValue("g"))));
    bad(
        "shared resources, which only tasks may",
        it ->
            it.clearCommand()
                .setExecutor(
                    executor()
                        .addResources(
                            resources("disk:1").get(0).toBuilder()
                                .setShared(Resource.SharedInfo.getDefaultInstance()))));
    bad(
        "Only tasks in a task group",
        it ->
            it.getContainerBuilder()
                .setType(ContainerInfo.Type.MESOS)
                .getLinuxInfoBuilder()
                .setShareCgroups(false));
    return cases;
  }
}
