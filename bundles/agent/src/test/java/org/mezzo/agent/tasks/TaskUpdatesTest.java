package org.mezzo.agent.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.draining.Draining;
import org.mezzo.agent.hooks.AgentHooks;
import org.mezzo.agent.recovery.Journal;
import org.mezzo.agent.recovery.TestJournal;
import org.mezzo.agent.sandboxes.SandboxRun;
import org.mezzo.agent.updates.StatusUpdates;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

class TaskUpdatesTest {
  private static final FrameworkID FRAMEWORK = FrameworkID.newBuilder().setValue("f").build();
  private static final DaemonContext AGENT =
      LocalModules.daemon("agent", DaemonContext.Role.AGENT, Path.of("/nowhere"));

  @TempDir Path folder;
  private final LocalModules modules = new LocalModules();
  private final ExecutorService loop = Executors.newSingleThreadExecutor();

  @AfterEach
  void close() {
    modules.close();
    loop.shutdownNow();
  }

  @Test
  void anUpdateWaitsForThoseThatHooksStillLookAtAlsoWhenNoHookIsSelectedAnyMore() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    modules.register(
        Kinds.HOOK,
        "slow",
        new Hook() {
          @Override
          public TaskStatus agentTaskStatus(FrameworkID framework, TaskStatus status) {
            asked.countDown();
            try {
              go.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            return status;
          }
        });
    AgentHooks hooks = new AgentHooks(modules.of(AGENT).chain(Kinds.HOOK, List.of("slow"), loop));
    modules.awaitHolders();
    List<StatusUpdate> sent = new CopyOnWriteArrayList<>();
    Journal journal = TestJournal.in(folder);
    TaskRecords records = new TaskRecords(journal);
    StatusUpdates streams = new StatusUpdates(journal, (delay, task) -> () -> {}, sent::add);
    streams.resume();
    Draining draining = new Draining(folder, Runnable::run, loop, Clock.systemUTC());
    TaskUpdates updates =
        new TaskUpdates(
            streams, records, hooks, draining, Clock.systemUTC(), AGENT.metrics(), loop);
    AgentID agent = AgentID.newBuilder().setValue("s").build();
    updates.agent(agent);
    TaskInfo info =
        TaskInfo.newBuilder()
            .setName("t")
            .setTaskId(TaskID.newBuilder().setValue("t"))
            .setAgentId(agent)
            .build();
    FrameworkEntry framework =
        new FrameworkEntry(
            FrameworkInfo.newBuilder().setUser("u").setName("n").setId(FRAMEWORK).build());
    AgentExecutor executor =
        new AgentExecutor(
            framework,
            new AgentExecutor.Identity(
                CommandRun.executorOf(framework.info, info),
                true,
                new SandboxRun("s", "f", "t", "c"),
                Path.of("/nowhere"),
                false),
            AgentExecutor.Phase.RUNNING,
            TaskVolumes.NONE,
            new ExecutorHost(
                (delay, later) -> () -> {},
                Clock.systemUTC(),
                null,
                null,
                updates,
                records,
                hooks,
                new Usage(),
                new ExecutorPhases(AGENT.metrics()),
                null,
                null,
                null,
                null),
            CommandRun::new);
    AgentTask task = new AgentTask(executor, info, TaskVolumes.NONE);
    loop.submit(
            () -> {
              updates.staged(task);
              updates.tell(task, updates.fromExecutor(task, TaskState.TASK_STARTING));
            })
        .get();
    asked.await();
    loop.submit(
            () -> {
              hooks.select(List.of());
              assertThat(hooks.isEmpty()).isTrue();
              updates.tell(task, updates.fromExecutor(task, TaskState.TASK_RUNNING));
            })
        .get();
    go.countDown();
    Await.until(() -> !sent.isEmpty());
    assertThat(sent.get(0).getStatus().getState()).isEqualTo(TaskState.TASK_STARTING);
    loop.submit(
            () ->
                streams.acknowledge(
                    FRAMEWORK, task.info.getTaskId(), sent.get(0).getStatus().getUuid()))
        .get();
    Await.until(() -> sent.size() == 2);
    assertThat(sent.get(1).getStatus().getState()).isEqualTo(TaskState.TASK_RUNNING);
  }
}
