package org.mezzo.master.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.fixtures.Await;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.Happening;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.master.Event;

class OperatorEventsTest {
  @TempDir Path workDir;

  @Test
  void anEventIsMadeAndEncodedOnceForAllSubscribers() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      cluster.agent(25071, "cpus:1;mem:100");
      Await.until(() -> cluster.state().agents().size() == 1);
      var agent = cluster.state().agents().values().iterator().next();
      List<Happening> happenings =
          List.of(new Happening.AgentAdded(agent), new Happening.AgentRemoved(agent));
      OperatorStreams streams = new OperatorStreams(null, null, null, 1, null);
      OperatorEvents events = streams.events(cluster.state(), happenings);
      assertThat(streams.events(cluster.state(), happenings)).isSameAs(events);
      List<Encoded<Event>> one = new ArrayList<>();
      List<Encoded<Event>> two = new ArrayList<>();
      events.forEach(Visibility.ALL, one::add);
      events.forEach(Visibility.ALL, two::add);
      assertThat(one)
          .extracting(event -> event.message().getType())
          .containsExactly(Event.Type.AGENT_ADDED, Event.Type.AGENT_REMOVED);
      assertThat(two.get(0)).isSameAs(one.get(0));
      assertThat(two.get(1)).isSameAs(one.get(1));
      try (TestScheduler next =
          TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("r").build())) {
        assertThat(streams.events(cluster.state(), happenings)).isNotSameAs(events);
        assertThat(next.ended()).isFalse();
      }
    }
  }

  /** What is shared on the way reaches everybody, once and in order. */
  @Test
  void eachSubscriberGetsWhatHappensAfterTheState() throws Exception {
    List<InputStream> subscribers = new ArrayList<>();
    try (TestCluster cluster = new TestCluster(workDir)) {
      for (int i = 0; i < 6; i++) {
        subscribers.add(subscribe(cluster, i));
      }
      for (int i = 0; i < 6; i++) {
        assertThat(next(subscribers.get(i), i).getType()).isEqualTo(Event.Type.SUBSCRIBED);
        assertThat(next(subscribers.get(i), i).getType()).isEqualTo(Event.Type.HEARTBEAT);
      }
      List<TestScheduler> schedulers = new ArrayList<>();
      for (int n = 0; n < 5; n++) {
        schedulers.add(
            TestScheduler.json(cluster.address())
                .subscribed(TestScheduler.info("r").setName("f" + n).build()));
      }
      for (int i = 0; i < 6; i++) {
        for (int n = 0; n < 5; n++) {
          Event event = next(subscribers.get(i), i);
          assertThat(event.getFrameworkAdded().getFramework().getFrameworkInfo().getName())
              .isEqualTo("f" + n);
        }
      }
      for (TestScheduler scheduler : schedulers) {
        scheduler.close();
      }
    }
  }

  /** A stream outlives approvers: it goes by what they said of users when it began. */
  @Test
  void aStreamGoesByWhatWasDecidedWhenItBegan() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Guard first =
          new Guard(
              (action, object) ->
                  action == Action.REGISTER_FRAMEWORK
                      || object.frameworkInfo().filter(it -> it.getUser().equals("ann")).isPresent()
                          && object.value().equals(Optional.of("ann")));
      cluster.modules.register(Kinds.AUTHORIZER, "local", first);
      cluster.modules.awaitHolders();
      try (TestScheduler ann = scheduler(cluster, "ann", "a1");
          TestScheduler bob = scheduler(cluster, "bob", "b1");
          InputStream stream = subscribe(cluster, 0)) {
        assertThat(
                next(stream, 0)
                    .getSubscribed()
                    .getGetState()
                    .getGetFrameworks()
                    .getFrameworksList())
            .extracting(framework -> framework.getFrameworkInfo().getName())
            .containsExactly("a1");
        assertThat(next(stream, 0).getType()).isEqualTo(Event.Type.HEARTBEAT);
        cluster.modules.register(
            Kinds.AUTHORIZER,
            "local",
            new Guard((action, object) -> action == Action.REGISTER_FRAMEWORK));
        cluster.modules.awaitHolders();
        assertThat(first.closed.await(60, TimeUnit.SECONDS)).isTrue();
        try (TestScheduler other = scheduler(cluster, "bob", "b2");
            TestScheduler newcomer = scheduler(cluster, "cid", "c1");
            TestScheduler again = scheduler(cluster, "ann", "a2")) {
          assertThat(
                  next(stream, 0).getFrameworkAdded().getFramework().getFrameworkInfo().getName())
              .isEqualTo("a2");
          assertThat(List.of(ann, bob, other, newcomer, again)).noneMatch(TestScheduler::ended);
        }
      }
    }
  }

  private static TestScheduler scheduler(TestCluster cluster, String user, String name)
      throws Exception {
    return TestScheduler.json(cluster.address())
        .subscribed(TestScheduler.info("r").setUser(user).setName(name).build());
  }

  /** Gives the same approver to everybody. */
  private static final class Guard implements Authorizer {
    final CountDownLatch closed = new CountDownLatch(1);
    private final Approver approver;

    Guard(Approver approver) {
      this.approver = approver;
    }

    @Override
    public Approver approver(Optional<Principal> subject, Set<Action> actions) {
      return approver;
    }

    @Override
    public void close() {
      closed.countDown();
    }
  }

  private static InputStream subscribe(TestCluster cluster, int subscriber) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(
                    URI.create("http://127.0.0.1:" + cluster.address().getPort() + "/api/v1"))
                .header("Content-Type", "application/json")
                .header(
                    "Accept", subscriber % 2 == 0 ? "application/json" : "application/x-protobuf")
                .POST(HttpRequest.BodyPublishers.ofString("{\"type\":\"SUBSCRIBE\"}"))
                .build(),
            HttpResponse.BodyHandlers.ofInputStream())
        .body();
  }

  private static Event next(InputStream in, int subscriber) throws Exception {
    StringBuilder length = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      assertThat(c).isNotNegative();
      length.append((char) c);
    }
    byte[] record = in.readNBytes(Integer.parseInt(length.toString()));
    return subscriber % 2 == 0
        ? Json.decode(record, Event.getDefaultInstance())
        : Event.parseFrom(record);
  }
}
