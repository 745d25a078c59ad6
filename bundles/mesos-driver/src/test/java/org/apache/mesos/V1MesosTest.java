package org.apache.mesos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Closeable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.mesos.v1.Protos.Credential;
import org.apache.mesos.v1.Protos.FrameworkID;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.apache.mesos.v1.scheduler.Mesos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import org.apache.mesos.v1.scheduler.V0Mesos;
import org.apache.mesos.v1.scheduler.V1Mesos;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class V1MesosTest {
  private static final FrameworkID ID = FrameworkID.newBuilder().setValue("f-1").build();
  private static final FrameworkInfo INFO =
      FrameworkInfo.newBuilder().setUser("u").setName("tested").build();
  private static final Call SUBSCRIBE =
      Call.newBuilder()
          .setType(Call.Type.SUBSCRIBE)
          .setSubscribe(Call.Subscribe.newBuilder().setFrameworkInfo(INFO))
          .build();
  private static final Call REVIVE =
      Call.newBuilder().setType(Call.Type.REVIVE).setFrameworkId(ID).build();
  private static final byte[] SUBSCRIBED =
      Event.newBuilder()
          .setType(Event.Type.SUBSCRIBED)
          .setSubscribed(Event.Subscribed.newBuilder().setFrameworkId(ID))
          .build()
          .toByteArray();
  private static final byte[] HEARTBEAT =
      Event.newBuilder().setType(Event.Type.HEARTBEAT).build().toByteArray();

  private final CountDownLatch ended = new CountDownLatch(1);
  private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
  private final List<Closeable> opened = new ArrayList<>();
  private ScriptedServer master;

  @BeforeEach
  void open() throws Exception {
    master = ScriptedServer.master();
  }

  @AfterEach
  void close() throws Exception {
    ended.countDown();
    master.close();
    for (Closeable each : opened) {
      each.close();
    }
  }

  /** Keeps what it is told, and does something about a connection. */
  private final class Told implements org.apache.mesos.v1.scheduler.Scheduler {
    private final Consumer<Mesos> connected;

    private Told(Consumer<Mesos> connected) {
      this.connected = connected;
    }

    @Override
    public void connected(Mesos mesos) {
      told.add("connected");
      connected.accept(mesos);
    }

    @Override
    public void disconnected(Mesos mesos) {
      told.add("disconnected");
    }

    @Override
    public void received(Mesos mesos, Event event) {
      told.add(event.getType() + event.getError().getMessage());
    }
  }

  private final Told subscribing = new Told(it -> it.send(SUBSCRIBE));

  private <T extends Closeable> T kept(T mesos) {
    opened.add(mesos);
    return mesos;
  }

  private String told() throws InterruptedException {
    return told.poll(30, TimeUnit.SECONDS);
  }

  private void tellThenWait() {
    master.then(
        subscription -> {
          subscription.open();
          subscription.events(SUBSCRIBED, HEARTBEAT);
          ended.await();
        });
  }

  private Call subscription() throws Exception {
    return Call.parseFrom(master.subscriptions.poll(30, TimeUnit.SECONDS).body());
  }

  @Test
  void callsAndEventsPassAsTheyAre() throws Exception {
    tellThenWait();
    V1Mesos mesos = kept(new V1Mesos(subscribing, master.address()));

    assertThat(told()).isEqualTo("connected");
    assertThat(told()).isEqualTo("SUBSCRIBED");
    assertThat(told()).isEqualTo("HEARTBEAT");
    assertThat(subscription()).isEqualTo(SUBSCRIBE);
    mesos.send(REVIVE);
    ScriptedServer.Request call = master.call();
    assertThat(Call.parseFrom(call.body())).isEqualTo(REVIVE);
    assertThat(call.headers()).containsEntry("mesos-stream-id", "stream-1");

    mesos.send(SUBSCRIBE);
    mesos.send(REVIVE);
    assertThat(Call.parseFrom(master.call().body())).isEqualTo(REVIVE);
    assertThat(master.subscriptions).isEmpty();
  }

  @Test
  void reconnectIsDisconnectedThenConnected() throws Exception {
    tellThenWait();
    tellThenWait();
    V1Mesos mesos = kept(new V1Mesos(subscribing, master.address()));
    assertThat(List.of(told(), told(), told()))
        .containsExactly("connected", "SUBSCRIBED", "HEARTBEAT");

    mesos.reconnect();

    assertThat(List.of(told(), told(), told()))
        .containsExactly("disconnected", "connected", "SUBSCRIBED");
  }

  @Test
  void reconnectBeforeAnythingIsSentIsToo() throws Exception {
    tellThenWait();
    V1Mesos mesos = kept(new V1Mesos(new Told(it -> {}), master.address()));
    assertThat(told()).isEqualTo("connected");

    mesos.reconnect();

    assertThat(List.of(told(), told())).containsExactly("disconnected", "connected");
    mesos.send(SUBSCRIBE);
    assertThat(told()).isEqualTo("SUBSCRIBED");
  }

  @Test
  void reconnectEndsASubscriptionThatIsNotAnswered() throws Exception {
    master.then(subscription -> ended.await());
    tellThenWait();
    V1Mesos mesos = kept(new V1Mesos(subscribing, master.address()));
    subscription();

    mesos.reconnect();

    assertThat(List.of(told(), told(), told(), told()))
        .containsExactly("connected", "disconnected", "connected", "SUBSCRIBED");
  }

  @Test
  void aRefusalIsAnErrorAndReconnectTriesAgain() throws Exception {
    master.then(subscription -> subscription.status(401, "", "who are you"));
    tellThenWait();
    Credential credential = Credential.newBuilder().setPrincipal("p").setSecret("s").build();
    V1Mesos mesos = kept(new V1Mesos(subscribing, master.address(), credential));

    assertThat(told()).isEqualTo("connected");
    assertThat(told())
        .startsWith("ERROR")
        .contains("who are you (status 401)")
        .contains("--credentials");
    assertThat(master.subscriptions.take().headers())
        .containsEntry(
            "authorization",
            "Basic " + Base64.getEncoder().encodeToString("p:s".getBytes(StandardCharsets.UTF_8)));
    mesos.reconnect();
    assertThat(List.of(told(), told())).containsExactly("connected", "SUBSCRIBED");
  }

  @Test
  void aSchedulerThatThrowsEndsTheConnection() throws Exception {
    master.then(
        subscription -> {
          subscription.open();
          subscription.events(SUBSCRIBED);
          ended.await();
        });
    kept(
        new V1Mesos(
            new Told(
                it -> {
                  throw new IllegalStateException("by the scheduler");
                }),
            master.address()));

    assertThat(told()).isEqualTo("connected");
    assertThat(told.poll(500, TimeUnit.MILLISECONDS)).isNull();
  }

  @Test
  void theFrameworkOfV0IsSubscribedAndKeepsItsId() throws Exception {
    FrameworkInfo named = INFO.toBuilder().setName("named").setHostname("h").build();
    tellThenWait();
    tellThenWait();
    V0Mesos mesos = kept(new V0Mesos(subscribing, named, master.address()));
    assertThat(List.of(told(), told(), told()))
        .containsExactly("connected", "SUBSCRIBED", "HEARTBEAT");
    assertThat(subscription().getSubscribe().getFrameworkInfo()).isEqualTo(named);

    mesos.reconnect();

    Call again = subscription();
    assertThat(again.getFrameworkId()).isEqualTo(ID);
    assertThat(again.getSubscribe().getFrameworkInfo().getId()).isEqualTo(ID);
  }

  @Test
  void aMasterThatCannotBeIsRefusedWithTheRemedy() {
    assertThatThrownBy(() -> new V1Mesos(subscribing, "local"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("bin/mezzo local");
    assertThatThrownBy(() -> new V0Mesos(subscribing, null, master.address()))
        .hasMessage("Not expecting a null framework");
  }
}
