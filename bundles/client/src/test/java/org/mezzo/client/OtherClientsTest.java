package org.mezzo.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Credential;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.executor.Event;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

class OtherClientsTest {
  private FakeDaemon daemon;
  private final LinkedBlockingQueue<Object> seen = new LinkedBlockingQueue<>();

  @BeforeEach
  void start() throws Exception {
    daemon = new FakeDaemon();
  }

  @AfterEach
  void stop() {
    daemon.close();
  }

  @Test
  void operatorCallsAreAnsweredOrRefused() throws Exception {
    for (ClientOptions.Format format : ClientOptions.Format.values()) {
      try (OperatorClient client = new OperatorClient(options().with(format))) {
        Response version =
            client
                .call(Call.newBuilder().setType(Call.Type.GET_VERSION).build())
                .get(60, TimeUnit.SECONDS);
        assertThat(version.getType()).isEqualTo(Response.Type.GET_VERSION);
        assertThatThrownBy(
                () ->
                    client
                        .call(Call.newBuilder().setType(Call.Type.GET_FLAGS).build())
                        .get(60, TimeUnit.SECONDS))
            .hasRootCauseMessage("no permission (403)");
      }
    }
  }

  @Test
  void credentialsAreSent() throws Exception {
    Credential right = Credential.newBuilder().setPrincipal("user").setSecret("pass").build();
    Call call = Call.newBuilder().setType(Call.Type.GET_VERSION).build();
    try (OperatorClient client = new OperatorClient(options().with(right))) {
      client.call(call).get(60, TimeUnit.SECONDS);
    }
    Credential wrong = right.toBuilder().setSecret("guess").build();
    try (OperatorClient client = new OperatorClient(options().with(wrong))) {
      assertThatThrownBy(() -> client.call(call).get(60, TimeUnit.SECONDS))
          .hasRootCauseMessage("401 Unauthorized. (401)");
    }
  }

  @Test
  void operatorStreamIsFollowed() throws Exception {
    try (OperatorClient client = new OperatorClient(options());
        AutoCloseable following =
            client.subscribe(
                new OperatorClient.Listener() {
                  @Override
                  public void event(org.mezzo.protocol.v1.master.Event event) {
                    seen.add(event);
                  }

                  @Override
                  public void disconnected(String reason) {
                    seen.add("disconnected");
                  }

                  @Override
                  public void failed(String message) {
                    seen.add("failed");
                  }
                })) {
      assertThat(following).isNotNull();
      FakeDaemon.Stream stream = daemon.stream();
      stream.send(
          org.mezzo.protocol.v1.master.Event.newBuilder()
              .setType(org.mezzo.protocol.v1.master.Event.Type.SUBSCRIBED)
              .build());
      assertThat(next()).isInstanceOf(org.mezzo.protocol.v1.master.Event.class);
      stream.end();
      assertThat(next()).isEqualTo("disconnected");
      daemon.stream();
    }
  }

  @Test
  void executorSendsUpdatesUntilTheyAreAcknowledged() throws Exception {
    FrameworkID framework = FrameworkID.newBuilder().setValue("f").build();
    ExecutorID executor = ExecutorID.newBuilder().setValue("e").build();
    try (ExecutorClient client =
        new ExecutorClient(options(), daemon.uri(), framework, executor, new ExecutorRecorder())) {
      client.start();
      FakeDaemon.Stream first = daemon.stream();
      first.send(subscribed(framework, executor));
      assertThat(next()).isEqualTo("subscribed");

      client.update(status("t1"));
      client.update(status("t2"));
      var one = daemon.executorCalls.poll(60, TimeUnit.SECONDS).getUpdate().getStatus();
      var two = daemon.executorCalls.poll(60, TimeUnit.SECONDS).getUpdate().getStatus();
      assertThat(one.getTaskId().getValue()).isEqualTo("t1");
      assertThat(one.getUuid().size()).isEqualTo(16);
      assertThat(one.getSource()).isEqualTo(TaskStatus.Source.SOURCE_EXECUTOR);
      assertThat(two.getTaskId().getValue()).isEqualTo("t2");
      first.send(
          Event.newBuilder()
              .setType(Event.Type.ACKNOWLEDGED)
              .setAcknowledged(
                  Event.Acknowledged.newBuilder().setTaskId(one.getTaskId()).setUuid(one.getUuid()))
              .build());
      first.end();

      assertThat(next()).isEqualTo("disconnected");
      var again = (org.mezzo.protocol.v1.executor.Call) daemon.stream().subscribe;
      assertThat(again.getSubscribe().getUnacknowledgedUpdatesList())
          .singleElement()
          .satisfies(update -> assertThat(update.getStatus()).isEqualTo(two));
    }
  }

  @Test
  void filesAreRead() throws Exception {
    byte[] content = "0123456789".getBytes(StandardCharsets.UTF_8);
    daemon.files.put("/a", content);
    try (FilesClient client = new FilesClient(options(), daemon.uri())) {
      FilesClient.Piece piece = client.read("/a", 5, 100).get(60, TimeUnit.SECONDS);
      assertThat(piece.data()).isEqualTo("56789".getBytes(StandardCharsets.UTF_8));
      assertThat(piece.size()).isEqualTo(10);
      assertThatThrownBy(() -> client.read("/b", 0, 1).get(60, TimeUnit.SECONDS))
          .hasRootCauseInstanceOf(ApiException.class);
    }
  }

  @Test
  void mastersAreNamedInManyWays() {
    assertThat(LeaderLocator.of("a:1, http://b:2,https://c,d").candidates())
        .isEqualTo(
            List.of(
                URI.create("http://a:1"),
                URI.create("http://b:2"),
                URI.create("https://c:5050"),
                URI.create("http://d:5050")));
    assertThat(
            LeaderLocator.of(
                    () ->
                        Optional.of(
                            MasterInfo.newBuilder()
                                .setId("m")
                                .setIp(1)
                                .setHostname("h")
                                .setPort(5)
                                .build()))
                .candidates())
        .containsExactly(URI.create("http://h:5"));
    assertThatThrownBy(() -> LeaderLocator.of("zk://a:1/x")).hasMessageContaining("zk://a:1/x");
    assertThatThrownBy(() -> LeaderLocator.of("")).isInstanceOf(IllegalArgumentException.class);
  }

  private ClientOptions options() {
    return ClientOptions.of(LeaderLocator.of(daemon.address()));
  }

  private Object next() throws Exception {
    Object what = seen.poll(60, TimeUnit.SECONDS);
    assertThat(what).as("something").isNotNull();
    return what;
  }

  private static TaskStatus.Builder status(String task) {
    return TaskStatus.newBuilder()
        .setTaskId(TaskID.newBuilder().setValue(task))
        .setState(TaskState.TASK_RUNNING);
  }

  private static Event subscribed(FrameworkID framework, ExecutorID executor) {
    return Event.newBuilder()
        .setType(Event.Type.SUBSCRIBED)
        .setSubscribed(
            Event.Subscribed.newBuilder()
                .setExecutorInfo(ExecutorInfo.newBuilder().setExecutorId(executor))
                .setFrameworkInfo(
                    FrameworkInfo.newBuilder().setId(framework).setName("n").setUser("u"))
                .setAgentInfo(
                    AgentInfo.newBuilder()
                        .setHostname("h")
                        .setId(AgentID.newBuilder().setValue("a"))))
        .build();
  }

  private final class ExecutorRecorder implements ExecutorClient.Listener {
    @Override
    public void subscribed(Event.Subscribed subscribed) {
      seen.add("subscribed");
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
      seen.add("failed");
    }
  }
}
