package org.mezzo.master.testing;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.mezzo.fixtures.Await;
import org.mezzo.fixtures.SchedulerConnection;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/** A framework on the HTTP API, in JSON or protobuf. */
public final class TestScheduler implements AutoCloseable {
  private final SchedulerConnection connection;
  private final String type;
  private volatile boolean ended;
  private final List<Event> aside = new ArrayList<>();

  /** Everything that came on the stream, heartbeats left out. */
  public final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  public volatile String streamId;
  public volatile String id;

  private TestScheduler(InetSocketAddress master, String type) {
    this.connection =
        new SchedulerConnection(URI.create("http://127.0.0.1:" + master.getPort()), type);
    this.type = type;
  }

  public static TestScheduler json(InetSocketAddress master) {
    return new TestScheduler(master, "application/json");
  }

  public static TestScheduler protobuf(InetSocketAddress master) {
    return new TestScheduler(master, "application/x-protobuf");
  }

  /** A framework that has the capabilities of today. */
  public static FrameworkInfo.Builder info(String... roles) {
    FrameworkInfo.Builder info =
        FrameworkInfo.newBuilder()
            .setUser("root")
            .setName("golden")
            .setCheckpoint(true)
            .addAllRoles(List.of(roles));
    for (FrameworkInfo.Capability.Type capability :
        List.of(
            FrameworkInfo.Capability.Type.MULTI_ROLE,
            FrameworkInfo.Capability.Type.RESERVATION_REFINEMENT,
            FrameworkInfo.Capability.Type.PARTITION_AWARE,
            FrameworkInfo.Capability.Type.REGION_AWARE)) {
      info.addCapabilities(FrameworkInfo.Capability.newBuilder().setType(capability));
    }
    return info;
  }

  private byte[] encode(Call call) {
    return type.endsWith("json") ? Json.encode(call) : call.toByteArray();
  }

  private Event decode(byte[] record) throws IOException {
    return type.endsWith("json")
        ? Json.decode(record, Event.getDefaultInstance())
        : Event.parseFrom(record);
  }

  /** Subscribes; events are read from then on. */
  public TestScheduler subscribe(FrameworkInfo info) throws Exception {
    return subscribe(Call.Subscribe.newBuilder().setFrameworkInfo(info));
  }

  /** Subscribes with constraints. */
  public TestScheduler subscribe(FrameworkInfo info, OfferConstraints constraints)
      throws Exception {
    return subscribe(
        Call.Subscribe.newBuilder().setFrameworkInfo(info).setOfferConstraints(constraints));
  }

  private TestScheduler subscribe(Call.Subscribe.Builder subscribe) throws Exception {
    FrameworkInfo info = subscribe.getFrameworkInfo();
    Call.Builder call = Call.newBuilder().setType(Call.Type.SUBSCRIBE).setSubscribe(subscribe);
    if (info.hasId()) {
      call.setFrameworkId(info.getId());
    }
    connection.subscribe(encode(call.build()), this::received, () -> ended = true);
    streamId = connection.streamId().orElseThrow();
    return this;
  }

  /** Subscribes and waits for SUBSCRIBED. */
  public TestScheduler subscribed(FrameworkInfo info) throws Exception {
    subscribe(info);
    id = await(Event.Type.SUBSCRIBED).getSubscribed().getFrameworkId().getValue();
    return this;
  }

  private void received(byte[] record) {
    try {
      Event event = decode(record);
      if (event.getType() != Event.Type.HEARTBEAT) {
        events.add(event);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public boolean ended() {
    return ended;
  }

  /** Sends a call and gives status and body. */
  public HttpResponse<String> send(Call.Builder call) throws Exception {
    if (!call.hasFrameworkId() && id != null) {
      call.setFrameworkId(FrameworkID.newBuilder().setValue(id));
    }
    return connection.send(encode(call.build()));
  }

  /** Sends a call that must be accepted. */
  public void accepted(Call.Builder call) throws Exception {
    HttpResponse<String> response = send(call);
    if (response.statusCode() != 202) {
      throw new AssertionError(response.statusCode() + " " + response.body());
    }
  }

  public void acknowledge(TaskStatus status) throws Exception {
    accepted(
        Call.newBuilder()
            .setType(Call.Type.ACKNOWLEDGE)
            .setAcknowledge(
                Call.Acknowledge.newBuilder()
                    .setAgentId(status.getAgentId())
                    .setTaskId(status.getTaskId())
                    .setUuid(status.getUuid())));
  }

  public void acknowledge(String agentId, String taskId, byte[] uuid) throws Exception {
    accepted(
        Call.newBuilder()
            .setType(Call.Type.ACKNOWLEDGE)
            .setAcknowledge(
                Call.Acknowledge.newBuilder()
                    .setAgentId(AgentID.newBuilder().setValue(agentId))
                    .setTaskId(TaskID.newBuilder().setValue(taskId))
                    .setUuid(ByteString.copyFrom(uuid))));
  }

  public void decline(String offerId, double refuseSeconds) throws Exception {
    Call.Decline.Builder decline =
        Call.Decline.newBuilder().addOfferIds(OfferID.newBuilder().setValue(offerId));
    decline.getFiltersBuilder().setRefuseSeconds(refuseSeconds);
    accepted(Call.newBuilder().setType(Call.Type.DECLINE).setDecline(decline));
  }

  /** The next event, which must be of this type. */
  public Event next(Event.Type wanted) throws InterruptedException {
    Event event = events.poll(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    if (event == null || event.getType() != wanted) {
      throw new AssertionError("Wanted " + wanted + " but got " + event);
    }
    return event;
  }

  /** Waits for an event of this type. */
  public Event await(Event.Type wanted) throws InterruptedException {
    return await(event -> event.getType() == wanted);
  }

  /** Waits for an event; those of other kinds that come before it are kept for later. */
  public Event await(Predicate<Event> wanted) throws InterruptedException {
    for (Event event : aside) {
      if (wanted.test(event)) {
        aside.remove(event);
        return event;
      }
    }
    long end = System.nanoTime() + Await.PATIENCE.toNanos();
    while (true) {
      Event event = events.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (event == null) {
        throw new AssertionError("Not received; but there are " + aside);
      }
      if (wanted.test(event)) {
        return event;
      }
      aside.add(event);
    }
  }

  /** Drops the connection. */
  @Override
  public void close() throws IOException {
    connection.close();
  }
}
