package org.mezzo.agent.tasks;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.mezzo.agent.updates.States;
import org.mezzo.agent.volumes.TaskVolumes;
import org.mezzo.containerizer.Containerizer;
import org.mezzo.containerizer.LaunchRequest;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.KillPolicy;
import org.mezzo.protocol.v1.TaskGroupInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.TaskStatus.Reason;
import org.mezzo.protocol.v1.executor.Call;
import org.mezzo.protocol.v1.executor.Event;
import org.mezzo.resources.ResourceFormatException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An executor that is a process of the framework's own and speaks the executor API (rules 186 to
 * 196): has its container made, hands on to it what is to be done once it subscribed, and takes
 * what it tells. For the event loop only.
 */
final class HttpRun implements ExecutorRun, TaskContainers.Listener {
  private static final Logger LOG = LoggerFactory.getLogger(HttpRun.class);

  /** Uuids of updates that came, by which those that come again are known (rule 100). */
  private static final int REMEMBERED_UPDATES = 1000;

  private final AgentExecutor executor;
  private final ExecutorHost host;
  private final Ending ending;
  private final ContainerRoom room;
  private final Set<ByteString> seen = Collections.newSetFromMap(new Remembered());

  /** Kills of tasks that nobody could be told of, by task. */
  private final Map<TaskID, KillPolicy> kills = new LinkedHashMap<>();

  private Optional<ExecutorConnection> connection = Optional.empty();

  /** Whether it has subscribed to this process of the agent. */
  private boolean met;

  private Timer registration = () -> {};

  /** Set when it was destroyed for a reason that its tasks are told of. */
  private Optional<Function<AgentTask, TaskStatus.Builder>> cause = Optional.empty();

  /** The newest of many. */
  private static final class Remembered extends LinkedHashMap<ByteString, Boolean> {
    private static final long serialVersionUID = 1;

    @Override
    protected boolean removeEldestEntry(Map.Entry<ByteString, Boolean> eldest) {
      return size() > REMEMBERED_UPDATES;
    }
  }

  HttpRun(AgentExecutor executor) {
    this.executor = executor;
    this.host = executor.host();
    this.room = new ContainerRoom(executor);
    this.ending = new Ending(host.timers(), this::askToEnd, this::outOfGrace);
  }

  // Its container.

  @Override
  public void start(List<AgentTask> first, Map<String, String> added) {
    TaskVolumes volumes;
    try {
      volumes = executor.volumesWith(first);
    } catch (IOException | RuntimeException e) {
      executor.failed(e.getMessage());
      return;
    }
    room.began(volumes);
    host.sandboxes().show(executor, executor.user(), volumes);
    host.containers()
        .secret(executor)
        .whenComplete(
            (secret, failure) -> {
              if (failure != null) {
                failed(TaskContainers.message(failure));
              } else {
                launch(first, added, secret, volumes);
              }
            });
  }

  private void launch(
      List<AgentTask> first,
      Map<String, String> added,
      Optional<String> secret,
      TaskVolumes volumes) {
    if (!executor.open()) {
      failed("The executor was to end before it had a container");
      return;
    }
    LaunchRequest request;
    try {
      request = host.containers().request(executor, first, added, secret, volumes);
    } catch (ResourceFormatException | RuntimeException e) {
      failed(e.getMessage());
      return;
    }
    host.containers().launch(request, volumes, this);
  }

  @Override
  public void resume(
      List<AgentTask> tasks,
      Function<String, Optional<Containerizer.Recovered>> containers,
      String why) {
    Optional<Containerizer.Recovered> left = containers.apply(executor.containerId);
    for (AgentTask task : tasks) {
      task.task.getStatusesList().forEach(status -> seen.add(status.getUuid()));
    }
    if (left.isEmpty()) {
      executor.over(
          -1,
          task ->
              host.updates()
                  .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
                  .setReason(Reason.REASON_EXECUTOR_TERMINATED)
                  .setMessage(why));
      return;
    }
    if (left.get().adopted() && executor.phase() == AgentExecutor.Phase.RUNNING) {
      registration =
          host.timers().apply(host.limits().reregistrationTimeout(), this::notRegisteredAgain);
    }
    host.containers().resume(left.get(), this);
    if (left.get().adopted()) {
      resumeRoom();
    }
  }

  /** What the process before this one did of its last changes, nobody knows. */
  private void resumeRoom() {
    TaskVolumes before = executor.volumes();
    for (AgentTask task : executor.tasks()) {
      try {
        before = before.and(task.volumes);
      } catch (IOException e) {
        LOG.warn("Volumes of task '{}' are not looked after: {}", task.id(), e.getMessage());
      }
    }
    room.began(before);
    room.left();
  }

  @Override
  public CompletionStage<?> admit(List<AgentTask> tasks) {
    return room.admit(tasks);
  }

  @Override
  public void left() {
    room.left();
  }

  private void notRegisteredAgain() {
    if (executor.open() && !connected()) {
      giveUp(
          Reason.REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
          "Executor did not register again within "
              + host.limits().reregistrationTimeout().toMillis() / 1000.0
              + " s of the restart of its agent");
    }
  }

  @Override
  public void started(long pid, ContainerStatus status) {
    if (executor.phase() == AgentExecutor.Phase.TERMINATED) {
      return;
    }
    executor.containerStatus(
        host.containers()
            .addressed(
                (status == null ? executor.containerStatus() : status)
                    .toBuilder().setExecutorPid((int) pid)));
    if (executor.phase() == AgentExecutor.Phase.REGISTERING) {
      registration = host.timers().apply(host.limits().registrationTimeout(), this::notRegistered);
    }
  }

  private void notRegistered() {
    if (executor.phase() != AgentExecutor.Phase.REGISTERING) {
      return;
    }
    giveUp(
        Reason.REASON_EXECUTOR_REGISTRATION_TIMEOUT,
        "Executor did not register within "
            + host.limits().registrationTimeoutText()
            + ": its process "
            + executor.containerStatus().getExecutorPid()
            + " runs and has not subscribed; what it says is in the stderr of its sandbox");
  }

  private void giveUp(Reason reason, String message) {
    LOG.warn("Executor '{}' is destroyed: {}", executor.id(), message);
    executor.terminating();
    destroy(
        task ->
            host.updates()
                .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
                .setReason(reason)
                .setMessage(message));
  }

  private void destroy(Function<AgentTask, TaskStatus.Builder> last) {
    cause = Optional.of(last);
    registration.cancel();
    host.containers().destroy(executor.container());
  }

  @Override
  public void failed(String message) {
    over();
    if (executor.open()) {
      executor.failed(message);
    } else {
      // It was to end while its container was being made.
      executor.over(-1, cause.orElse(executor::killedBeforeLaunch));
    }
  }

  @Override
  public void terminated(Termination end) {
    over();
    executor.over(
        end.waitStatus().orElse(-1),
        task ->
            end.limitation().isPresent()
                ? host.updates().limited(task, end.limitation().get())
                : cause.orElse(it -> ended(it, end)).apply(task));
  }

  private TaskStatus.Builder ended(AgentTask task, Termination end) {
    return host.updates()
        .fromAgent(task.info.getTaskId(), TaskState.TASK_FAILED)
        .setReason(Reason.REASON_EXECUTOR_TERMINATED)
        .setMessage(
            "Executor terminated: it "
                + end.describe()
                + (executor.phase() != AgentExecutor.Phase.REGISTERING
                    ? ""
                    : " before it registered; its sandbox's stderr may say why"));
  }

  private void over() {
    room.over();
    ending.over();
    registration.cancel();
    connection.ifPresent(ExecutorConnection::end);
    connection = Optional.empty();
  }

  // Ending it.

  @Override
  public void shutdown(Duration grace) {
    registration.cancel();
    ending.within(grace);
  }

  @Override
  public void preempt(Function<AgentTask, TaskStatus.Builder> last) {
    destroy(last);
  }

  private void askToEnd() {
    // Who is not connected is asked when it subscribes (rule 188).
    connection.ifPresent(to -> to.send(event(Event.Type.SHUTDOWN).build()));
  }

  private void outOfGrace() {
    LOG.info("Executor '{}' did not end within its grace and is destroyed", executor.id());
    host.containers().destroy(executor.container());
  }

  // Its connection.

  /**
   * It subscribes: what it does not know of yet is told to the new connection, which replaces the
   * one before (rules 188 to 190).
   */
  void subscribe(ExecutorConnection to, Call.Subscribe call, AgentInfo agent) {
    if (!executor.begun()) {
      // It has no container yet, so this is somebody else.
      to.end();
      return;
    }
    met = true;
    connection.ifPresent(ExecutorConnection::end);
    connection = Optional.empty();
    if (executor.open() && !executor.busy()) {
      // Nobody has anything for it to do, or ever had.
      executor.terminating();
      connection = Optional.of(to);
      ending.within(executor.grace());
      return;
    }
    if (!executor.open()) {
      to.send(event(Event.Type.SHUTDOWN).build());
      to.end();
      return;
    }
    registration.cancel();
    connection = Optional.of(to);
    Event.Builder subscribed = event(Event.Type.SUBSCRIBED);
    subscribed
        .getSubscribedBuilder()
        .setExecutorInfo(executor.info)
        .setFrameworkInfo(executor.framework.info)
        .setAgentInfo(agent)
        .setContainerId(executor.containerStatus().getContainerId());
    to.send(subscribed.build());
    for (Call.Update update : call.getUnacknowledgedUpdatesList()) {
      update(update.getStatus());
    }
    dropUnknown(call);
    for (Map.Entry<TaskID, KillPolicy> kill : Map.copyOf(kills).entrySet()) {
      executor.task(kill.getKey()).ifPresent(task -> kill(task, kill.getValue()));
    }
    kills.clear();
    executor.registered();
  }

  /** Launches that were lost with a connection (rule 190). */
  private void dropUnknown(Call.Subscribe call) {
    Set<TaskID> known =
        call.getUnacknowledgedTasksList().stream()
            .map(TaskInfo::getTaskId)
            .collect(Collectors.toSet());
    for (AgentTask task : List.copyOf(executor.tasks())) {
      if (task.task.getState() == TaskState.TASK_STAGING
          && !executor.waits(task)
          && !known.contains(task.info.getTaskId())) {
        executor.tell(
            task,
            host.updates()
                .fromAgent(
                    task.info.getTaskId(),
                    States.forFramework(executor.framework.info, TaskState.TASK_DROPPED))
                .setReason(Reason.REASON_AGENT_RESTARTED)
                .setMessage("Unsynchronized task: it was lost with a connection of its executor"));
      }
    }
  }

  /** A connection is gone; another one may come. */
  void disconnected(ExecutorConnection gone) {
    if (connection.isPresent() && connection.get() == gone) {
      connection = Optional.empty();
      LOG.info("Executor '{}' is not connected any more", executor.id());
    }
  }

  /**
   * Whether it has ever subscribed to this process of the agent. Before that nothing is taken from
   * it (rule 186): what an agent before this one has not got comes with SUBSCRIBE, and what follows
   * it would come first.
   */
  boolean met() {
    return met;
  }

  /** Whether it has a connection. */
  boolean connected() {
    return connection.isPresent();
  }

  @Override
  public boolean ready() {
    return connected();
  }

  @Override
  public void launch(Batch batch) {
    List<TaskInfo> infos = new ArrayList<>();
    for (AgentTask task : batch.tasks) {
      task.containerStatus = executor.containerStatus();
      infos.add(task.info);
    }
    Event.Builder event;
    if (batch.group) {
      event = event(Event.Type.LAUNCH_GROUP);
      event.getLaunchGroupBuilder().setTaskGroup(TaskGroupInfo.newBuilder().addAllTasks(infos));
    } else {
      event = event(Event.Type.LAUNCH);
      event.getLaunchBuilder().setTask(infos.get(0));
    }
    connection.orElseThrow().send(event.build());
  }

  @Override
  public void kill(AgentTask task, KillPolicy policy) {
    if (!executor.open()) {
      // It ends as a whole already.
      return;
    }
    if (connection.isEmpty()) {
      kills.put(task.info.getTaskId(), policy);
      return;
    }
    Event.Builder kill = event(Event.Type.KILL);
    kill.getKillBuilder().setTaskId(task.info.getTaskId());
    if (policy.hasGracePeriod()) {
      kill.getKillBuilder().setKillPolicy(policy);
    }
    connection.get().send(kill.build());
  }

  @Override
  public CompletionStage<?> destroy() {
    return host.containers().destroy(executor.container());
  }

  @Override
  public boolean message(ByteString data) {
    if (connection.isEmpty()) {
      return false;
    }
    Event.Builder message = event(Event.Type.MESSAGE);
    message.getMessageBuilder().setData(data);
    connection.get().send(message.build());
    return true;
  }

  private static Event.Builder event(Event.Type type) {
    return Event.newBuilder().setType(type);
  }

  // What it tells.

  /**
   * It tells of a task; acknowledged as soon as the agent has it (rule 191), also when it came
   * before or is about a task that has ended.
   */
  void update(TaskStatus status) {
    Optional<AgentTask> task = executor.task(status.getTaskId());
    CompletionStage<?> told = CompletableFuture.completedStage(null);
    if (!seen.add(status.getUuid())) {
      LOG.debug("An update of executor '{}' came again", executor.id());
    } else if (task.isPresent()) {
      told =
          executor.tell(
              task.get(), host.updates().received(status, Optional.of(executor.containerStatus())));
    } else if (!executor.framework.terminating && !executor.remembers(status.getTaskId())) {
      told =
          host.updates()
              .tell(
                  executor.framework.info.getId(),
                  host.updates().received(status, Optional.empty()));
    }
    Event.Builder acknowledged = event(Event.Type.ACKNOWLEDGED);
    acknowledged.getAcknowledgedBuilder().setTaskId(status.getTaskId()).setUuid(status.getUuid());
    told.thenRun(() -> connection.ifPresent(to -> to.send(acknowledged.build())));
  }
}
