package org.mezzo.benchmarks.codec;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.URL;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.master.Response;
import org.mezzo.protocol.v1.scheduler.Event;

/** What a master writes most: many offers, and the state of a busy cluster. */
public enum Payload {
  /** An OFFERS event with 100 offers. */
  OFFERS_100(() -> offers(100)),

  /** The answer to GET_STATE on a cluster with 10,000 tasks. */
  GET_STATE_10K(() -> state(10_000));

  private static final long SEED = 20261122;

  private final Supplier<Message> maker;

  Payload(Supplier<Message> maker) {
    this.maker = maker;
  }

  /** The same message each time. */
  public Message make() {
    return maker.get();
  }

  private static Message offers(int count) {
    Random random = new Random(SEED);
    Event.Builder event = Event.newBuilder().setType(Event.Type.OFFERS);
    String master = uuid(random);
    for (int i = 0; i < count; i++) {
      String host = "agent-" + i + ".rack-" + i % 20 + ".example.com";
      Offer.Builder offer =
          Offer.newBuilder()
              .setId(OfferID.newBuilder().setValue(master + "-O" + i))
              .setFrameworkId(frameworkId(master, 0))
              .setAgentId(agentId(master, i))
              .setHostname(host)
              .setUrl(
                  URL.newBuilder()
                      .setScheme("http")
                      .setAddress(
                          Address.newBuilder()
                              .setHostname(host)
                              .setIp("10.0." + i / 250 + "." + i % 250)
                              .setPort(5051))
                      .setPath("/slave(1)"))
              .addAttributes(text("rack", "r" + i % 20))
              .addAttributes(
                  Attribute.newBuilder()
                      .setName("level")
                      .setType(Value.Type.SCALAR)
                      .setScalar(Value.Scalar.newBuilder().setValue(i % 10)))
              .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole("batch"));
      offer.addResources(scalar("cpus", (1 + random.nextInt(640)) / 10.0));
      offer.addResources(scalar("mem", 1024 + random.nextInt(262_144)));
      offer.addResources(scalar("disk", 10_240 + random.nextInt(1_000_000)));
      offer.addResources(ports(31_000 + random.nextInt(100), 32_000));
      event.getOffersBuilder().addOffers(offer);
    }
    return event.build();
  }

  private static Message state(int tasks) {
    Random random = new Random(SEED);
    String master = uuid(random);
    Response.GetState.Builder state = Response.GetState.newBuilder();
    for (int i = 0; i < tasks; i++) {
      boolean finished = i % 3 == 0;
      Task task = task(random, master, i, finished);
      if (finished) {
        state.getGetTasksBuilder().addCompletedTasks(task);
      } else {
        state.getGetTasksBuilder().addTasks(task);
      }
    }
    state.getGetAgentsBuilder();
    state.getGetExecutorsBuilder();
    state.getGetFrameworksBuilder();
    return Response.newBuilder().setType(Response.Type.GET_STATE).setGetState(state).build();
  }

  private static Task task(Random random, String master, int i, boolean finished) {
    TaskID id = TaskID.newBuilder().setValue("service-" + i % 50 + "." + uuid(random)).build();
    Task.Builder task =
        Task.newBuilder()
            .setName("service-" + i % 50)
            .setTaskId(id)
            .setFrameworkId(frameworkId(master, i % 5))
            .setAgentId(agentId(master, i % 200))
            .setState(finished ? TaskState.TASK_FINISHED : TaskState.TASK_RUNNING)
            .setStatusUpdateState(finished ? TaskState.TASK_FINISHED : TaskState.TASK_RUNNING)
            .setUser("service")
            .setLabels(
                Labels.newBuilder()
                    .addLabels(Label.newBuilder().setKey("team").setValue("team-" + i % 7)))
            .addResources(scalar("cpus", 0.1 * (1 + i % 8)))
            .addResources(scalar("mem", 128 * (1 + i % 8)))
            .addResources(ports(31_000 + i % 1000, 31_000 + i % 1000));
    String container = uuid(random);
    task.addStatuses(status(random, id, container, TaskState.TASK_STARTING, master, i));
    task.addStatuses(status(random, id, container, TaskState.TASK_RUNNING, master, i));
    if (finished) {
      task.addStatuses(status(random, id, container, TaskState.TASK_FINISHED, master, i));
    }
    ByteBuffer uuid = ByteBuffer.allocate(16).putLong(random.nextLong()).putLong(random.nextLong());
    return task.setStatusUpdateUuid(ByteString.copyFrom(uuid.flip())).build();
  }

  private static TaskStatus status(
      Random random, TaskID id, String container, TaskState state, String master, int i) {
    ByteBuffer uuid = ByteBuffer.allocate(16).putLong(random.nextLong()).putLong(random.nextLong());
    return TaskStatus.newBuilder()
        .setTaskId(id)
        .setState(state)
        .setAgentId(agentId(master, i % 200))
        .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
        .setTimestamp(1_795_312_953 + random.nextInt(1_000_000) / 1e6)
        .setUuid(ByteString.copyFrom(uuid.flip()))
        .setContainerStatus(
            ContainerStatus.newBuilder()
                .setContainerId(ContainerID.newBuilder().setValue(container))
                .setExecutorPid(1000 + random.nextInt(30_000))
                .addNetworkInfos(
                    NetworkInfo.newBuilder()
                        .addIpAddresses(
                            NetworkInfo.IPAddress.newBuilder()
                                .setIpAddress("10.0.0." + i % 200)
                                .setProtocol(NetworkInfo.Protocol.IPv4))))
        .build();
  }

  private static FrameworkID frameworkId(String master, int number) {
    return FrameworkID.newBuilder().setValue(master + "-000" + number).build();
  }

  private static AgentID agentId(String master, int number) {
    return AgentID.newBuilder().setValue(master + "-S" + number).build();
  }

  private static Attribute text(String name, String value) {
    return Attribute.newBuilder()
        .setName(name)
        .setType(Value.Type.TEXT)
        .setText(Value.Text.newBuilder().setValue(value))
        .build();
  }

  private static Resource scalar(String name, double value) {
    // Quantities have three digits.
    double rounded = Math.round(value * 1000) / 1000.0;
    return allocated(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(rounded))
        .build();
  }

  private static Resource ports(long begin, long end) {
    return allocated("ports")
        .setType(Value.Type.RANGES)
        .setRanges(
            Value.Ranges.newBuilder()
                .addRange(Value.Range.newBuilder().setBegin(begin).setEnd(end)))
        .build();
  }

  private static Resource.Builder allocated(String name) {
    return Resource.newBuilder()
        .setName(name)
        .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole("batch"));
  }

  private static String uuid(Random random) {
    return new UUID(random.nextLong(), random.nextLong()).toString();
  }
}
