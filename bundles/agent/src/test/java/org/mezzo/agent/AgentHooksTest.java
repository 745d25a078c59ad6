package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.hook.Hook;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.Value;

/** What hooks see and say of an agent, its executors and its sandboxes. */
class AgentHooksTest extends RunningAgent {
  private static final ExecutorInfo.Builder EXECUTOR =
      ExecutorInfo.newBuilder()
          .setExecutorId(ExecutorID.newBuilder().setValue("e"))
          .setFrameworkId(FRAMEWORK.getId())
          .setCommand(
              CommandInfo.newBuilder()
                  .setShell(true)
                  .setValue("echo $ADDED $OWN")
                  .setEnvironment(
                      Environment.newBuilder()
                          .addVariables(
                              Environment.Variable.newBuilder().setName("OWN").setValue("mine"))))
          .addResources(Made.allocated(Made.scalar("cpus", 0.1), "test"));

  private void hook(String name, Hook hook) {
    modules.register(Hook.class, Hook.KIND, name, () -> hook);
  }

  private static TaskInfo.Builder task(String id) {
    return TaskInfo.newBuilder()
        .setName("n-" + id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("m-S0"))
        .addResources(Made.allocated(Made.scalar("cpus", 0.1), "test"));
  }

  private void run(TaskInfo.Builder task) {
    master.send(
        MasterEvent.newBuilder()
            .setRunTask(
                RunTask.newBuilder()
                    .setFramework(FRAMEWORK)
                    .setLaunchExecutor(true)
                    .addTasks(task)));
  }

  private Path run(String executor) {
    return folder.resolve("work/slaves/m-S0/frameworks/f-1/executors/" + executor + "/runs/latest");
  }

  @Test
  void theMasterIsToldTheResourcesAndAttributesThatHooksGive() throws Exception {
    hook(
        "bandwidth",
        new Hook() {
          @Override
          public List<Resource> agentResources(AgentInfo info) {
            List<Resource> more = new ArrayList<>(info.getResourcesList());
            more.add(Made.scalar("network_bandwidth", 100));
            return more;
          }
        });
    hook(
        "unreadable",
        new Hook() {
          @Override
          public List<Resource> agentResources(AgentInfo info) {
            return List.of(Made.scalar("cpus", 1).toBuilder().clearScalar().build());
          }

          @Override
          public List<Attribute> agentAttributes(AgentInfo info) {
            return null;
          }
        });
    hook(
        "sized",
        new Hook() {
          @Override
          public List<Attribute> agentAttributes(AgentInfo info) {
            return List.of(
                info.getAttributes(0),
                Attribute.newBuilder()
                    .setName("kinds")
                    .setType(Value.Type.SCALAR)
                    .setScalar(Value.Scalar.newBuilder().setValue(info.getResourcesCount()))
                    .build());
          }
        });
    flags.put("hooks", "bandwidth,unreadable,absent,sized");
    flags.put("attributes", "rack:r7");
    AgentCall registration = start();
    AgentInfo told = registration.getRegister().getAgent();
    assertThat(told.getResourcesList())
        .extracting(Resource::getName)
        .containsExactlyInAnyOrder("cpus", "mem", "disk", "ports", "network_bandwidth");
    assertThat(told.getAttributesList())
        .extracting(Attribute::getName)
        .containsExactly("rack", "kinds");
    assertThat(told.getAttributes(1).getScalar().getValue()).isEqualTo(5);
    assertThat(get("/state").body()).contains("network_bandwidth");
  }

  @Test
  void anExecutorThatAFrameworkBringsGetsVariablesAndItsEndIsTold() throws Exception {
    List<String> ended = new CopyOnWriteArrayList<>();
    hook(
        "h",
        new Hook() {
          @Override
          public Map<String, String> agentExecutorEnvironment(
              ExecutorInfo executor, FrameworkInfo framework) {
            return Map.of("ADDED", executor.getExecutorId().getValue() + framework.getName());
          }

          @Override
          public Map<String, String> agentTaskEnvironment(TaskInfo task) {
            return Map.of("OWN", "not of executors");
          }

          @Override
          public void agentExecutorRemoved(FrameworkInfo framework, ExecutorInfo executor) {
            ended.add(framework.getName() + "/" + executor.getExecutorId().getValue());
          }
        });
    flags.put("hooks", "h");
    start();
    run(task("t").setExecutor(EXECUTOR));
    // It ends without having subscribed.
    master.next(TaskState.TASK_FAILED);
    Await.until("the end is told", () -> ended.contains("test/e"));
    assertThat(run("e").resolve("stdout")).hasContent("etest mine\n");
    assertThat(ended).hasSize(1);
  }

  @Test
  void whatWasFetchedIsShownBeforeTheCommandStarts() throws Exception {
    Path file = Files.writeString(folder.resolve("data"), "fetched");
    modules.register(Fetcher.class, Fetcher.KIND, "file", Copier::new);
    List<String> shown = new CopyOnWriteArrayList<>();
    hook(
        "h",
        new Hook() {
          @Override
          public void agentFetched(ContainerID container, Path sandbox) {
            try {
              shown.add(
                  Files.exists(sandbox.resolve("data"))
                      ? Files.readString(sandbox.resolve("data"))
                      : "nothing");
              Files.writeString(sandbox.resolve("seen"), container.getValue());
            } catch (IOException e) {
              throw new IllegalStateException(e);
            }
          }
        });
    flags.put("hooks", "h");
    start();
    TaskInfo.Builder task = task("uri").setCommand(command("cat data seen"));
    task.getCommandBuilder().addUrisBuilder().setValue(file.toString());
    run(task);
    finishes();
    assertThat(shown).containsExactly("fetched");
    String container = run("uri").toRealPath().getFileName().toString();
    assertThat(run("uri").resolve("stdout")).hasContent("fetched" + container);
    run(task("bare").setCommand(command("cat seen")));
    finishes();
    assertThat(shown).containsExactly("fetched", "nothing");
  }

  private void finishes() throws InterruptedException {
    master.next(TaskState.TASK_STARTING);
    master.next(TaskState.TASK_RUNNING);
    master.next(TaskState.TASK_FINISHED);
  }

  private static CommandInfo.Builder command(String text) {
    return CommandInfo.newBuilder().setShell(true).setValue(text);
  }

  private static final class Copier implements Fetcher {
    @Override
    public java.util.Set<String> schemes() {
      return java.util.Set.of("file");
    }

    @Override
    public void fetch(Request request) throws IOException {
      Files.copy(Path.of(request.uri()), request.target());
    }
  }
}
