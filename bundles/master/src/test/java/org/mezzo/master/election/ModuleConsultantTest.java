package org.mezzo.master.election;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.master.transitions.Consultation;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.Value;

@Timeout(60)
class ModuleConsultantTest {
  private static final DaemonContext MASTER =
      LocalModules.daemon("master", DaemonContext.Role.MASTER, Path.of("/nowhere"));

  private final LocalModules modules = new LocalModules();

  @AfterEach
  void close() {
    modules.close();
  }

  private static TaskInfo task(String id) {
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("s"))
        .build();
  }

  /** Adds a label, but not to that task. */
  private void hook(String name, String except) {
    modules.register(
        Kinds.HOOK,
        name,
        new Hook() {
          @Override
          public Labels masterLaunchTaskLabels(
              TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
            if (task.getTaskId().getValue().equals(except)) {
              throw new IllegalStateException("not this one");
            }
            return task.getLabels().toBuilder().addLabels(Label.newBuilder().setKey(name)).build();
          }
        });
  }

  @Test
  void aHookThatFailsWithOneTaskDecoratesTheOthersOfTheLaunch() throws Exception {
    hook("a", "t7");
    hook("b", "");
    List<TaskInfo> tasks = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      tasks.add(task("t" + i));
    }
    try (ModuleConsultant consultant =
        new ModuleConsultant(
            List.of("a", "b"), modules.of(MASTER), Authorization.none(), Runnable::run)) {
      modules.awaitHolders();
      Consultation.Answer answer =
          consultant
              .ask(
                  new Consultation(
                      FrameworkInfo.newBuilder().setUser("u").setName("n").build(),
                      AgentInfo.newBuilder().setHostname("h").build(),
                      tasks,
                      List.of(),
                      (tx, unused) -> {}))
              .toCompletableFuture()
              .get();
      assertThat(answer.labels()).hasSize(100);
      for (TaskInfo task : tasks) {
        String id = task.getTaskId().getValue();
        assertThat(answer.labels().get(id).getLabelsList())
            .extracting(Label::getKey)
            .isEqualTo(id.equals("t7") ? List.of("b") : List.of("a", "b"));
      }
    }
  }

  /** A hook that gives other resources than it was shown. */
  private void giving(String name, UnaryOperator<List<Resource>> resources) {
    modules.register(
        Kinds.HOOK,
        name,
        new Hook() {
          @Override
          public List<Resource> masterLaunchTaskResources(
              TaskInfo task, FrameworkInfo framework, AgentInfo agent) {
            return resources.apply(task.getResourcesList());
          }
        });
  }

  private static Resource.Builder scalar(String name, double amount) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(amount));
  }

  @Test
  void eachHookGivesResourcesInPlaceOfThoseOfTheOneBefore() throws Exception {
    giving("doubles", were -> List.of(scalar("cpus", 2 * cpus(were)).build()));
    giving("unreadable", were -> List.of(scalar("cpus", 1).clearScalar().build()));
    giving("null", were -> null);
    giving("adds", were -> List.of(were.get(0), scalar("mem", 32).build()));
    giving("leaves", were -> were);
    TaskInfo small = task("small").toBuilder().addResources(scalar("cpus", 1)).build();
    Consultation.Answer answer =
        ask(List.of("doubles", "unreadable", "null", "adds", "leaves"), small);
    assertThat(answer.resources())
        .containsOnly(
            Map.entry("small", List.of(scalar("cpus", 2).build(), scalar("mem", 32).build())));
    assertThat(answer.labels()).isEmpty();
    assertThat(ask(List.of("leaves"), small).resources()).isEmpty();
  }

  private static double cpus(List<Resource> resources) {
    return resources.get(0).getScalar().getValue();
  }

  private Consultation.Answer ask(List<String> hooks, TaskInfo task) throws Exception {
    try (ModuleConsultant consultant =
        new ModuleConsultant(hooks, modules.of(MASTER), Authorization.none(), Runnable::run)) {
      modules.awaitHolders();
      return consultant
          .ask(
              new Consultation(
                  FrameworkInfo.newBuilder().setUser("u").setName("n").build(),
                  AgentInfo.newBuilder().setHostname("h").build(),
                  List.of(task),
                  List.of(),
                  (tx, unused) -> {}))
          .toCompletableFuture()
          .get();
    }
  }
}
