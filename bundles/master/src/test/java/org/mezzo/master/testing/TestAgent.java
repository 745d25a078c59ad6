package org.mezzo.master.testing;

import com.google.protobuf.ByteString;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.mezzo.fixtures.Await;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Pong;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
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
import org.mezzo.resources.Resources;

/** An agent that runs nothing and says what tests want it to say. */
public final class TestAgent implements LinkServer.Session {
  private final int port;
  private final String resourceVersion = UUID.randomUUID().toString();
  private volatile AgentInfo info;
  private final AtomicLong numbers = new AtomicLong();
  private volatile LinkServer.Listener listener;
  private volatile boolean closed;

  /** What the master sent, pings left out. */
  public final BlockingQueue<MasterEvent> received = new LinkedBlockingQueue<>();

  /** The id the master gave; set by registration. */
  public volatile String id;

  /** Whether pings are answered. */
  public volatile boolean pongs = true;

  public volatile Refusal refusal;

  /** Tasks the master asked to run, with their frameworks. */
  public final Map<String, TaskInfo> tasks = new ConcurrentHashMap<>();

  public final Map<String, FrameworkInfo> frameworks = new ConcurrentHashMap<>();
  private final Map<String, String> frameworkOf = new ConcurrentHashMap<>();
  private final Map<String, TaskState> states = new ConcurrentHashMap<>();

  public TestAgent(int port, String resources) throws Exception {
    this.port = port;
    this.info =
        AgentInfo.newBuilder()
            .setHostname("localhost")
            .setPort(port)
            .addAllResources(
                Resources.parse(resources, "*").toMessages(Resources.Format.POST_REFINEMENT))
            .build();
  }

  /** Opens a (new) link. */
  public TestAgent connect(TestLinks links) {
    return connect(links, Hello.newBuilder().setMajor(1).setMinor(0).build());
  }

  /** Opens a (new) link with these first words. */
  public TestAgent connect(TestLinks links, Hello hello) {
    closed = false;
    listener = null;
    links.open(this, hello);
    return this;
  }

  /** Registers and waits for the answer. */
  public TestAgent register() throws InterruptedException {
    requestRegistration();
    id = await(MasterEvent::hasRegistered).getRegistered().getAgentId().getValue();
    return this;
  }

  /** Asks to be registered. */
  public void requestRegistration() {
    call(
        AgentCall.newBuilder()
            .setRegister(
                Register.newBuilder()
                    .setAgent(info)
                    .setVersion("1.12.0")
                    .setResourceVersionUuid(resourceVersion)
                    .addAllCapabilities(capabilities())
                    .setAddress(address())));
  }

  private static List<AgentInfo.Capability> capabilities() {
    List<AgentInfo.Capability> all = new ArrayList<>();
    for (AgentInfo.Capability.Type type : AgentInfo.Capability.Type.values()) {
      if (type != AgentInfo.Capability.Type.UNKNOWN) {
        all.add(AgentInfo.Capability.newBuilder().setType(type).build());
      }
    }
    return all;
  }

  private Address address() {
    return Address.newBuilder().setHostname("localhost").setIp("127.0.0.1").setPort(port).build();
  }

  /** Registers again with all it runs and waits for the answer. */
  public TestAgent reregister() throws InterruptedException {
    requestReregistration();
    await(MasterEvent::hasReregistered);
    return this;
  }

  /** Asks to be registered again with all it runs. */
  public void requestReregistration() {
    Reregister.Builder message =
        Reregister.newBuilder()
            .setAgent(info.toBuilder().setId(AgentID.newBuilder().setValue(id)))
            .setVersion("1.12.0")
            .setResourceVersionUuid(resourceVersion)
            .addAllCapabilities(capabilities())
            .setAddress(address())
            .addAllFrameworks(frameworks.values());
    tasks.forEach(
        (taskId, task) ->
            message.addTasks(
                TaskRecord.newBuilder()
                    .setTask(
                        Task.newBuilder()
                            .setName(task.getName())
                            .setTaskId(task.getTaskId())
                            .setFrameworkId(
                                FrameworkID.newBuilder().setValue(frameworkOf.get(taskId)))
                            .setAgentId(task.getAgentId())
                            .setState(states.getOrDefault(taskId, TaskState.TASK_STAGING))
                            .addAllResources(task.getResourcesList()))));
    call(AgentCall.newBuilder().setReregister(message));
  }

  /** Sends a call. */
  public void call(AgentCall.Builder call) {
    listener.call(call.setNumber(numbers.incrementAndGet()).build());
  }

  /** Sends an update of a task it was told to run. */
  public byte[] update(String taskId, TaskState state, String message) {
    ByteBuffer uuid = ByteBuffer.allocate(16);
    UUID random = UUID.randomUUID();
    uuid.putLong(random.getMostSignificantBits()).putLong(random.getLeastSignificantBits());
    states.put(taskId, state);
    TaskStatus.Builder status =
        TaskStatus.newBuilder()
            .setTaskId(tasks.get(taskId).getTaskId())
            .setState(state)
            .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
            .setAgentId(AgentID.newBuilder().setValue(id))
            .setTimestamp(1)
            .setUuid(ByteString.copyFrom(uuid.array()));
    if (message != null) {
      status.setMessage(message);
    }
    call(
        AgentCall.newBuilder()
            .setStatusUpdate(
                StatusUpdate.newBuilder()
                    .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkOf.get(taskId)))
                    .setStatus(status)
                    .setLatestState(state)));
    return uuid.array();
  }

  /** Describes itself otherwise from now on. */
  public TestAgent described(UnaryOperator<AgentInfo.Builder> change) {
    info = change.apply(info.toBuilder()).build();
    return this;
  }

  /** Waits for an event from the master and drops those before it. */
  public MasterEvent await(Predicate<MasterEvent> wanted) throws InterruptedException {
    long end = System.nanoTime() + Await.PATIENCE.toNanos();
    while (true) {
      MasterEvent event = received.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (event == null) {
        throw new AssertionError("The master did not send what was waited for");
      }
      if (wanted.test(event)) {
        return event;
      }
    }
  }

  /** Loses the link. */
  public void disconnect() {
    LinkServer.Listener lost = listener;
    closed = true;
    lost.closed("test");
  }

  public boolean isClosed() {
    return closed;
  }

  @Override
  public void accept(Welcome welcome, LinkServer.Listener given) {
    listener = given;
  }

  @Override
  public void refuse(Refusal given) {
    refusal = given;
    closed = true;
  }

  @Override
  public boolean send(MasterEvent.Builder event) {
    if (closed) {
      return false;
    }
    MasterEvent built = event.build();
    if (built.hasPing()) {
      if (pongs) {
        call(
            AgentCall.newBuilder()
                .setPong(Pong.newBuilder().setSequence(built.getPing().getSequence())));
      }
      return true;
    }
    if (built.hasRunTask()) {
      FrameworkInfo framework = built.getRunTask().getFramework();
      frameworks.put(framework.getId().getValue(), framework);
      for (TaskInfo task : built.getRunTask().getTasksList()) {
        frameworkOf.put(task.getTaskId().getValue(), framework.getId().getValue());
        tasks.put(task.getTaskId().getValue(), task);
      }
    }
    received.add(built);
    return true;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      LinkServer.Listener lost = listener;
      Thread later = new Thread(() -> lost.closed("closed by the master"));
      later.setDaemon(true);
      later.start();
    }
  }

  @Override
  public InetSocketAddress remote() {
    return TestLinks.address(port);
  }
}
