package org.mezzo.testing.contract;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Random;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * Messages as masters and agents send them, from the barest to odd ones that are valid all the
 * same.
 */
final class Samples {
  private static final String[] TEXTS = {
    "", "plain", "with blanks ", "a=b", "été", "'\"\\\n", "..", "x".repeat(3000), "${HOME}", "%s"
  };

  private Samples() {}

  static String text(Random random) {
    return TEXTS[random.nextInt(TEXTS.length)];
  }

  private static String id(Random random, String prefix) {
    return prefix + "-" + random.nextInt(1000);
  }

  static Resources resources(String text) {
    try {
      return Resources.parse(text, "*");
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  static List<Resource> messages(String text) {
    return resources(text).toMessages(Resources.Format.POST_REFINEMENT);
  }

  static FrameworkInfo framework(Random random) {
    FrameworkInfo.Builder framework =
        FrameworkInfo.newBuilder()
            .setUser("user")
            .setName(text(random))
            .setId(FrameworkID.newBuilder().setValue(id(random, "framework")));
    if (random.nextBoolean()) {
      framework.addRoles("a/b").setPrincipal(text(random)).setLabels(labels(random));
    }
    return framework.build();
  }

  static AgentInfo agent(Random random) {
    AgentInfo.Builder agent =
        AgentInfo.newBuilder()
            .setHostname("host-" + random.nextInt(10))
            .addAllResources(messages("cpus:8;mem:4096;disk:10000;ports:[31000-32000]"));
    if (random.nextBoolean()) {
      agent
          .setId(AgentID.newBuilder().setValue(id(random, "agent")))
          .addAttributes(
              Attribute.newBuilder()
                  .setName("rack")
                  .setType(Value.Type.TEXT)
                  .setText(Value.Text.newBuilder().setValue(text(random))));
    }
    return agent.build();
  }

  static Labels labels(Random random) {
    Labels.Builder labels = Labels.newBuilder();
    for (int i = random.nextInt(4); i > 0; i--) {
      Label.Builder label = Label.newBuilder().setKey(text(random));
      if (random.nextBoolean()) {
        label.setValue(text(random));
      }
      labels.addLabels(label);
    }
    return labels.build();
  }

  static CommandInfo command(Random random) {
    CommandInfo.Builder command = CommandInfo.newBuilder().setValue(text(random));
    if (random.nextBoolean()) {
      command.setEnvironment(
          Environment.newBuilder()
              .addVariables(Environment.Variable.newBuilder().setName("A").setValue(text(random))));
    }
    return command.build();
  }

  static ExecutorInfo executor(Random random, FrameworkInfo framework) {
    ExecutorInfo.Builder executor =
        ExecutorInfo.newBuilder()
            .setExecutorId(ExecutorID.newBuilder().setValue(id(random, "executor")))
            .setFrameworkId(framework.getId())
            .setCommand(command(random));
    if (random.nextBoolean()) {
      executor.addAllResources(messages("cpus:0.1;mem:32"));
    }
    return executor.build();
  }

  static TaskInfo task(Random random) {
    TaskInfo.Builder task =
        TaskInfo.newBuilder()
            .setName(text(random))
            .setTaskId(TaskID.newBuilder().setValue(id(random, "task")))
            .setAgentId(AgentID.newBuilder().setValue(id(random, "agent")));
    switch (random.nextInt(4)) {
      case 0 -> task.setCommand(command(random));
      case 1 ->
          task.setCommand(command(random)).setLabels(labels(random)).addAllResources(some(random));
      case 2 -> task.setExecutor(executor(random, framework(random))).addAllResources(some(random));
      default -> task.setLabels(labels(random));
    }
    if (random.nextInt(4) == 0) {
      task.setData(ByteString.copyFrom(new byte[] {0, -1, 7}));
    }
    return task.build();
  }

  private static List<Resource> some(Random random) {
    return messages(
        random.nextBoolean() ? "cpus:0.5;mem:64" : "cpus:2;mem:128;disk:10;ports:[31000-31001]");
  }

  static TaskStatus status(Random random) {
    TaskState[] states = TaskState.values();
    TaskStatus.Builder status =
        TaskStatus.newBuilder()
            .setTaskId(TaskID.newBuilder().setValue(id(random, "task")))
            .setState(states[random.nextInt(states.length)]);
    if (random.nextBoolean()) {
      status
          .setUuid(ByteString.copyFrom(new byte[16]))
          .setMessage(text(random))
          .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
          .setTimestamp(1.7e9)
          .setLabels(labels(random))
          .setAgentId(AgentID.newBuilder().setValue(id(random, "agent")));
    }
    return status.build();
  }

  static ContainerID container(Random random) {
    ContainerID outer = ContainerID.newBuilder().setValue(id(random, "container")).build();
    return random.nextBoolean()
        ? outer
        : ContainerID.newBuilder().setValue(id(random, "nested")).setParent(outer).build();
  }

  /** From an agent on which nothing runs to one with many executors, some without statistics. */
  static ResourceUsage usage(Random random) {
    ResourceUsage.Builder usage =
        ResourceUsage.newBuilder()
            .addAllTotal(messages("cpus:64;mem:65536;disk:100000;ports:[31000-32000]"));
    for (int i = random.nextInt(20); i > 0; i--) {
      boolean lent = random.nextBoolean();
      ResourceUsage.Executor.Builder executor =
          ResourceUsage.Executor.newBuilder()
              .setExecutorInfo(
                  ExecutorInfo.newBuilder()
                      .setExecutorId(ExecutorID.newBuilder().setValue("executor-" + i))
                      .setFrameworkId(
                          FrameworkID.newBuilder().setValue("framework-" + random.nextInt(3))))
              .setContainerId(ContainerID.newBuilder().setValue("container-" + i));
      for (Resource each : messages("cpus:0.5;mem:64")) {
        Resource.Builder held =
            each.toBuilder().setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole("a"));
        if (lent) {
          held.setRevocable(Resource.RevocableInfo.getDefaultInstance());
        }
        executor.addAllocated(held);
      }
      if (random.nextInt(3) > 0) {
        executor.setStatistics(
            ResourceStatistics.newBuilder()
                .setTimestamp(1.7e9)
                .setCpusUserTimeSecs(random.nextInt(100))
                .setMemRssBytes(random.nextInt(1 << 26)));
      }
      usage.addExecutors(executor);
    }
    return usage.build();
  }
}
