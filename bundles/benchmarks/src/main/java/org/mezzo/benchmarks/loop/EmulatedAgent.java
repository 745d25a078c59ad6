package org.mezzo.benchmarks.loop;

import com.google.protobuf.ByteString;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Pong;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.messages.StatusUpdate;
import org.mezzo.link.messages.TaskRecord;
import org.mezzo.link.messages.Welcome;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;

/**
 * An agent that says what a real one would, and runs nothing: each task it is given is running at
 * once. What the master sends is encoded, as the link would, on the agents' threads.
 */
final class EmulatedAgent implements LinkServer.Session {
  /** What all agents of a benchmark have in common. */
  record Surroundings(
      Executor threads, List<AgentInfo.Capability> capabilities, Progress progress) {}

  /** Counts what agents hear. Safe for any thread. */
  interface Progress {
    void registered();

    void frameworkShutDown();
  }

  private final int port;
  private final Surroundings surroundings;
  private final AgentInfo info;
  private final Map<String, Running> running = new ConcurrentHashMap<>();
  private final Map<String, FrameworkInfo> frameworks = new ConcurrentHashMap<>();
  private LinkServer.Listener listener;
  private long numbers;
  private volatile String id;
  private volatile boolean silent;

  private record Running(String frameworkId, TaskInfo task) {}

  EmulatedAgent(int number, AgentInfo info, Surroundings surroundings) {
    this.port = 1024 + number % 60_000;
    this.info = info.toBuilder().setPort(port).setHostname("agent-" + number).build();
    this.surroundings = surroundings;
  }

  /** Answers no more pings. */
  void fallSilent() {
    silent = true;
  }

  private synchronized void call(AgentCall.Builder call) {
    if (listener != null) {
      listener.call(call.setNumber(++numbers).build());
    }
  }

  private Address address() {
    return Address.newBuilder()
        .setHostname(info.getHostname())
        .setIp("127.0.0.1")
        .setPort(port)
        .build();
  }

  @Override
  public void accept(Welcome welcome, LinkServer.Listener given) {
    synchronized (this) {
      listener = given;
      numbers = 0;
    }
    surroundings.threads.execute(id == null ? this::register : this::reregister);
  }

  private void register() {
    call(
        AgentCall.newBuilder()
            .setRegister(
                Register.newBuilder()
                    .setAgent(info)
                    .setVersion("1.12.0")
                    .setResourceVersionUuid(UUID.randomUUID().toString())
                    .addAllCapabilities(surroundings.capabilities)
                    .setAddress(address())));
  }

  private void reregister() {
    Reregister.Builder message =
        Reregister.newBuilder()
            .setAgent(info.toBuilder().setId(AgentID.newBuilder().setValue(id)))
            .setVersion("1.12.0")
            .setResourceVersionUuid(UUID.randomUUID().toString())
            .addAllCapabilities(surroundings.capabilities)
            .setAddress(address())
            .addAllFrameworks(frameworks.values());
    running.values().forEach(one -> message.addTasks(record(one)));
    call(AgentCall.newBuilder().setReregister(message));
  }

  private static TaskRecord record(Running one) {
    return TaskRecord.newBuilder()
        .setStatusUpdateState(TaskState.TASK_RUNNING)
        .setTask(
            Task.newBuilder()
                .setName(one.task.getName())
                .setTaskId(one.task.getTaskId())
                .setFrameworkId(FrameworkID.newBuilder().setValue(one.frameworkId))
                .setAgentId(one.task.getAgentId())
                .setState(TaskState.TASK_RUNNING)
                .addAllResources(one.task.getResourcesList()))
        .build();
  }

  @Override
  public void refuse(Refusal refusal) {
    throw new IllegalStateException("Refused: " + refusal.getReason());
  }

  @Override
  public boolean send(MasterEvent.Builder event) {
    if (silent) {
      return true;
    }
    surroundings.threads.execute(() -> received(event.build()));
    return true;
  }

  private void received(MasterEvent event) {
    if (event.toByteArray().length == 0) {
      throw new IllegalStateException("An event without content");
    }
    switch (event.getEventCase()) {
      case REGISTERED -> {
        id = event.getRegistered().getAgentId().getValue();
        surroundings.progress.registered();
      }
      case REREGISTERED -> surroundings.progress.registered();
      case PING ->
          call(
              AgentCall.newBuilder()
                  .setPong(Pong.newBuilder().setSequence(event.getPing().getSequence())));
      case RUN_TASK -> run(event.getRunTask());
      case SHUTDOWN_FRAMEWORK -> {
        String gone = event.getShutdownFramework().getFrameworkId().getValue();
        frameworks.remove(gone);
        running.values().removeIf(one -> one.frameworkId.equals(gone));
        surroundings.progress.frameworkShutDown();
      }
      default -> {}
    }
  }

  private void run(RunTask order) {
    String frameworkId = order.getFramework().getId().getValue();
    frameworks.put(frameworkId, order.getFramework());
    List<AgentCall.Builder> updates = new ArrayList<>();
    for (TaskInfo task : order.getTasksList()) {
      running.put(frameworkId + ' ' + task.getTaskId().getValue(), new Running(frameworkId, task));
      UUID uuid = UUID.randomUUID();
      ByteBuffer bytes = ByteBuffer.allocate(16);
      bytes.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
      updates.add(
          AgentCall.newBuilder()
              .setStatusUpdate(
                  StatusUpdate.newBuilder()
                      .setFrameworkId(order.getFramework().getId())
                      .setLatestState(TaskState.TASK_RUNNING)
                      .setStatus(
                          TaskStatus.newBuilder()
                              .setTaskId(task.getTaskId())
                              .setAgentId(task.getAgentId())
                              .setState(TaskState.TASK_RUNNING)
                              .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
                              .setTimestamp(System.currentTimeMillis() / 1000.0)
                              .setUuid(ByteString.copyFrom(bytes.array())))));
    }
    updates.forEach(this::call);
  }

  @Override
  public void close() {
    LinkServer.Listener gone;
    synchronized (this) {
      gone = listener;
      listener = null;
    }
    if (gone != null) {
      surroundings.threads.execute(() -> gone.closed("closed by the master"));
    }
  }

  @Override
  public InetSocketAddress remote() {
    return InetSocketAddress.createUnresolved("127.0.0.1", port);
  }
}
