package org.mezzo.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

class SchedulerClientTest {
  private static final FrameworkInfo FRAMEWORK =
      FrameworkInfo.newBuilder().setName("test").setUser("nobody").addRoles("*").build();

  private FakeDaemon master;
  private final LinkedBlockingQueue<Object> seen = new LinkedBlockingQueue<>();
  private SchedulerClient client;

  @BeforeEach
  void start() throws Exception {
    master = new FakeDaemon();
  }

  @AfterEach
  void stop() {
    if (client != null) {
      client.close();
    }
    master.close();
  }

  @Test
  void recordedSessionIsUnderstood() throws Exception {
    client = client(master.address(), ClientOptions.Format.JSON);
    FakeDaemon.Stream stream = master.stream();
    List<String> events;
    try (InputStream in = getClass().getResourceAsStream("/scheduler-events.jsonl")) {
      events = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
    for (String event : events) {
      stream.sendRaw(event.getBytes(StandardCharsets.UTF_8));
    }

    assertThat(((Event.Subscribed) next()).getFrameworkId().getValue()).endsWith("-0000");
    Event offers = (Event) next();
    assertThat(offers.getOffers().getOffers(0).getHostname()).isEqualTo("localhost");
    for (int i = 3; i < events.size(); i++) {
      assertThat(((Event) next()).getType()).isNotEqualTo(Event.Type.UNKNOWN);
    }
  }

  @Test
  void callsCarryTheFrameworkIdAndRefusalsAreTold() throws Exception {
    client = client(master.address(), ClientOptions.Format.PROTOBUF);
    subscribe(master.stream(), 15);

    client.call(Call.newBuilder().setType(Call.Type.REVIVE)).get(60, TimeUnit.SECONDS);
    assertThat(master.calls.poll(60, TimeUnit.SECONDS).getFrameworkId().getValue()).isEqualTo("f");

    master.status = 403;
    assertThatThrownBy(() -> client.teardown().get(60, TimeUnit.SECONDS))
        .hasRootCauseInstanceOf(ApiException.class)
        .hasMessageContaining("not now (403)");
  }

  @Test
  void leaderIsFollowed() throws Exception {
    try (FakeDaemon leader = new FakeDaemon()) {
      master.redirect = leader.uri();
      client = client(master.address(), ClientOptions.Format.PROTOBUF);
      subscribe(leader.stream(), 15);
      client.call(Call.newBuilder().setType(Call.Type.REVIVE)).get(60, TimeUnit.SECONDS);
      assertThat(leader.calls).hasSize(1);
    }
  }

  @Test
  void deadMasterIsPassedOver() throws Exception {
    FakeDaemon dead = new FakeDaemon();
    String address = dead.address();
    dead.close();
    client = client(address + "," + master.address(), ClientOptions.Format.PROTOBUF);
    subscribe(master.stream(), 15);
  }

  @Test
  void brokenStreamIsOpenedAgainUnderTheSameId() throws Exception {
    client = client(master.address(), ClientOptions.Format.PROTOBUF);
    FakeDaemon.Stream first = master.stream();
    subscribe(first, 15);

    first.end();

    assertThat(next()).isEqualTo("disconnected");
    FakeDaemon.Stream second = master.stream();
    assertThat(((Call) second.subscribe).getFrameworkId().getValue()).isEqualTo("f");
    subscribe(second, 15);
  }

  @Test
  void streamWithoutHeartbeatsIsDead() throws Exception {
    client = client(master.address(), ClientOptions.Format.PROTOBUF);
    subscribe(master.stream(), 0.05);

    assertThat(next()).isEqualTo("disconnected");
    subscribe(master.stream(), 15);
  }

  @Test
  void errorIsFinal() throws Exception {
    client = client(master.address(), ClientOptions.Format.PROTOBUF);
    master.stream()
        .send(
            Event.newBuilder()
                .setType(Event.Type.ERROR)
                .setError(Event.Error.newBuilder().setMessage("Framework has been removed"))
                .build());

    assertThat(next()).isEqualTo("failed: Framework has been removed");
  }

  private SchedulerClient client(String masters, ClientOptions.Format format) {
    SchedulerClient created =
        new SchedulerClient(
            ClientOptions.of(LeaderLocator.of(masters)).with(format), FRAMEWORK, new Recorder());
    created.start();
    return created;
  }

  private void subscribe(FakeDaemon.Stream stream, double heartbeat) throws Exception {
    stream.send(subscribed(heartbeat));
    assertThat(next()).isInstanceOf(Event.Subscribed.class);
  }

  static Event subscribed(double heartbeat) {
    return Event.newBuilder()
        .setType(Event.Type.SUBSCRIBED)
        .setSubscribed(
            Event.Subscribed.newBuilder()
                .setFrameworkId(FrameworkID.newBuilder().setValue("f"))
                .setHeartbeatIntervalSeconds(heartbeat))
        .build();
  }

  private Object next() throws Exception {
    Object what = seen.poll(60, TimeUnit.SECONDS);
    assertThat(what).as("something").isNotNull();
    return what;
  }

  private final class Recorder implements SchedulerClient.Listener {
    @Override
    public void subscribed(Event.Subscribed subscribed) {
      seen.add(subscribed);
    }

    @Override
    public void event(Event event) {
      seen.add(event);
    }

    @Override
    public void disconnected(String reason) {
      seen.add("disconnected");
    }

    @Override
    public void failed(String message) {
      seen.add("failed: " + message);
    }
  }
}
