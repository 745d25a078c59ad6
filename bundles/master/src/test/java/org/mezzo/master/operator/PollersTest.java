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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.scheduler.Call;

/** Schedulers while others ask for a large state again and again. */
class PollersTest {
  private static final int POLLERS = 12;
  private static final int ROUNDS = 9;

  @TempDir Path workDir;

  private volatile boolean stopping;
  private final List<Long> polls = Collections.synchronizedList(new ArrayList<>());
  private final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());

  @Test
  void doNotHoldUpASchedulersAnswersAndEvents() throws Exception {
    List<Thread> pollers = new ArrayList<>();
    List<TestScheduler> schedulers = new ArrayList<>();
    List<Long> answers = new ArrayList<>();
    List<Long> events = new ArrayList<>();
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
      URI state = URI.create("http://127.0.0.1:" + cluster.address().getPort() + "/state");
      for (int i = 0; i < POLLERS; i++) {
        Thread poller = new Thread(() -> poll(state), "poller");
        poller.setDaemon(true);
        pollers.add(poller);
        poller.start();
      }
      TestCluster.await(() -> polls.size() >= POLLERS);
      polls.clear();
      for (int i = 0; i < ROUNDS; i++) {
        TestScheduler one = TestScheduler.json(cluster.address());
        schedulers.add(one);
        long begin = System.nanoTime();
        one.subscribed(TestScheduler.info("r").setName("small").build());
        events.add(System.nanoTime() - begin);
        begin = System.nanoTime();
        one.accepted(Call.newBuilder().setType(Call.Type.REVIVE));
        answers.add(System.nanoTime() - begin);
      }
      TestCluster.await(() -> polls.size() >= POLLERS);
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
    double poll = median(polls);
    System.out.printf(
        "PollersTest: %d pollers, medians in ms: /state %.0f, event %.0f, answer %.0f%n",
        POLLERS, poll, median(events), median(answers));
    assertThat(failures).isEmpty();
    // Behind the pollers each would take as long as a poll and its own time. How much shorter it is
    // depends on the machine; that nothing waits for a reader is shown by CallEndpointTest.
    assertThat(median(events)).as("ms to a new scheduler's first event").isLessThan(poll);
    assertThat(median(answers)).as("ms to a 202").isLessThan(poll);
  }

  private void poll(URI state) {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    try {
      while (!stopping) {
        long begin = System.nanoTime();
        HttpResponse<Void> answer =
            client.send(
                HttpRequest.newBuilder(state).build(), HttpResponse.BodyHandlers.discarding());
        assertThat(answer.statusCode()).isEqualTo(200);
        polls.add(System.nanoTime() - begin);
      }
    } catch (Exception | AssertionError e) {
      if (!stopping) {
        failures.add(e);
      }
    }
  }

  private static double median(List<Long> nanos) {
    List<Long> sorted = new ArrayList<>(nanos);
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2) / 1e6;
  }
}
