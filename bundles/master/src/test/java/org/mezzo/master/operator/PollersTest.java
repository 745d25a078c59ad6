package org.mezzo.master.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * Schedulers while others ask for a large state again and again, each for an answer that nobody
 * else can share.
 */
class PollersTest {
  private static final int POLLERS = 16;
  private static final int ROUNDS = 9;

  /**
   * Of the polls that wait already, so many may be answered at most before an event and an answer
   * of a scheduler are, in the best of the rounds. Behind the pollers it would be nearly all.
   */
  private static final int MOST_BEFORE = POLLERS / 3;

  @TempDir Path workDir;

  private volatile boolean stopping;
  private final AtomicInteger polls = new AtomicInteger();
  private final AtomicInteger names = new AtomicInteger();
  private final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());

  @Test
  void doNotHoldUpASchedulersAnswersAndEvents() throws Exception {
    List<Thread> pollers = new ArrayList<>();
    List<TestScheduler> schedulers = new ArrayList<>();
    List<Integer> beforeAnswers = new ArrayList<>();
    List<Integer> beforeEvents = new ArrayList<>();
    try (TestCluster cluster = new TestCluster(workDir)) {
      String large = "x".repeat(2 << 20);
      for (int i = 0; i < 3; i++) {
        FrameworkInfo info =
            TestScheduler.info("r")
                .setLabels(
                    Labels.newBuilder()
                        .addLabels(Label.newBuilder().setKey("large").setValue(large)))
                .build();
        schedulers.add(TestScheduler.protobuf(cluster.address()).subscribed(info));
      }
      TestScheduler one = TestScheduler.json(cluster.address());
      schedulers.add(one.subscribed(TestScheduler.info("r").setName("small").build()));
      URI state = URI.create("http://127.0.0.1:" + cluster.address().getPort() + "/state");
      for (int i = 0; i < POLLERS; i++) {
        Thread poller = new Thread(() -> poll(state), "poller");
        poller.setDaemon(true);
        pollers.add(poller);
        poller.start();
      }
      // From then on each asks again as soon as it was answered: they wait for each other.
      Await.until(() -> polls.get() >= POLLERS);
      for (int i = 0; i < ROUNDS; i++) {
        int before = polls.get();
        one.accepted(reconcile("t" + i));
        beforeAnswers.add(polls.get() - before);
        one.await(Event.Type.UPDATE);
        beforeEvents.add(polls.get() - before);
      }
      int before = polls.get();
      Await.until(() -> polls.get() >= before + POLLERS);
      stopping = true;
    } finally {
      stopping = true;
      for (TestScheduler scheduler : schedulers) {
        scheduler.close();
      }
      for (Thread poller : pollers) {
        poller.interrupt();
        poller.join();
      }
    }
    assertThat(failures).isEmpty();
    assertThat(Collections.min(beforeEvents))
        .as("polls answered before an event, %s", beforeEvents)
        .isLessThanOrEqualTo(MOST_BEFORE);
    assertThat(Collections.min(beforeAnswers))
        .as("polls answered before a 202, %s", beforeAnswers)
        .isLessThanOrEqualTo(MOST_BEFORE);
  }

  /** Asks about a task that nobody knows, which is told in an event. */
  private static Call.Builder reconcile(String task) {
    Call.Builder call = Call.newBuilder().setType(Call.Type.RECONCILE);
    call.getReconcileBuilder().addTasksBuilder().getTaskIdBuilder().setValue(task);
    return call;
  }

  private void poll(URI state) {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    try {
      while (!stopping) {
        HttpResponse<Void> answer =
            client.send(
                HttpRequest.newBuilder(URI.create(state + "?jsonp=f" + names.incrementAndGet()))
                    .build(),
                HttpResponse.BodyHandlers.discarding());
        assertThat(answer.statusCode()).isEqualTo(200);
        polls.incrementAndGet();
      }
    } catch (Exception | AssertionError e) {
      if (!stopping) {
        failures.add(e);
      }
    }
  }
}
