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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Event;

/** An operator's subscription to a cluster whose state is larger than what may wait for it. */
class LargeSnapshotTest {
  @TempDir Path workDir;

  @Test
  void anOperatorWhoReadsSlowlyGetsTheStateTheHeartbeatAndWhatHappens() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      List<TestScheduler> schedulers = new ArrayList<>();
      String large = "x".repeat(4 << 20);
      for (int i = 0; i < 18; i++) {
        FrameworkInfo info =
            TestScheduler.info("r")
                .setLabels(
                    Labels.newBuilder()
                        .addLabels(Label.newBuilder().setKey("large").setValue(large)))
                .build();
        schedulers.add(TestScheduler.protobuf(cluster.address()).subscribed(info));
      }
      URI uri = URI.create("http://127.0.0.1:" + cluster.address().getPort() + "/api/v1");
      try (InputStream in =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(uri)
                      .header("Content-Type", "application/x-protobuf")
                      .header("Accept", "application/x-protobuf")
                      .POST(
                          HttpRequest.BodyPublishers.ofByteArray(
                              Call.newBuilder().setType(Call.Type.SUBSCRIBE).build().toByteArray()))
                      .build(),
                  HttpResponse.BodyHandlers.ofInputStream())
              .body()) {
        int size = length(in);
        assertThat((long) size).isGreaterThan(EventStream.DEFAULT_BOUND.bytes());
        // What happens meanwhile waits behind the state.
        TestScheduler one = TestScheduler.json(cluster.address());
        schedulers.add(one.subscribed(TestScheduler.info("r").setName("late").build()));
        int left = size;
        byte[] buffer = new byte[128 * 1024];
        while (left > 0) {
          int count = in.read(buffer, 0, Math.min(left, buffer.length));
          assertThat(count).isPositive();
          left -= count;
          Thread.sleep(1);
        }
        assertThat(Event.parseFrom(in.readNBytes(length(in))).getType())
            .isEqualTo(Event.Type.HEARTBEAT);
        Event added;
        do {
          // On a slow machine another heartbeat may be due by now.
          added = Event.parseFrom(in.readNBytes(length(in)));
        } while (added.getType() == Event.Type.HEARTBEAT);
        assertThat(added.getFrameworkAdded().getFramework().getFrameworkInfo().getName())
            .isEqualTo("late");
        assertThat(cluster.master.metrics().snapshot())
            .containsEntry("master/event_streams_cut", 0.0);
      } finally {
        for (TestScheduler scheduler : schedulers) {
          scheduler.close();
        }
      }
    }
  }

  private static int length(InputStream in) throws Exception {
    int length = 0;
    int next;
    while ((next = in.read()) != '\n') {
      assertThat(next).isBetween((int) '0', (int) '9');
      length = 10 * length + next - '0';
    }
    return length;
  }
}
