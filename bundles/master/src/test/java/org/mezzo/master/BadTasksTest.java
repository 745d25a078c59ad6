package org.mezzo.master;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** What is wrong with a task is told as a real master was seen to tell it. */
class BadTasksTest {
  private static final Pattern TOTAL =
      Pattern.compile(
          "Total resources (.*) required by task (?:and its executor is|group and its executor"
              + " are) more than .*");

  @TempDir Path workDir;
  private TestCluster cluster;
  private TestAgent agent;
  private TestScheduler scheduler;

  @BeforeEach
  void start() throws Exception {
    cluster = new TestCluster(workDir);
    agent = cluster.agent(25052, "cpus:4;mem:4096;disk:10240;ports:[31000-32000]");
    scheduler =
        TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build());
  }

  @AfterEach
  void stop() throws Exception {
    scheduler.close();
    cluster.close();
  }

  /** One row of the table. */
  record Row(String name, String accept, String expected, String runs) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Row> rows() throws Exception {
    try (InputStream in = BadTasksTest.class.getResourceAsStream("/bad-tasks.tsv")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.startsWith("#"))
              .map(line -> line.split("\t", -1))
              .map(cells -> new Row(cells[0], cells[1], cells[2], cells[3]))
              .toList()
              .stream();
    }
  }

  @ParameterizedTest
  @MethodSource("rows")
  void isTold(Row row) throws Exception {
    Offer offer = scheduler.await(Event.Type.OFFERS).getOffers().getOffers(0);
    String text = row.accept.replace("{framework}", scheduler.id).replace("{agent}", agent.id);
    OfferID offerId =
        switch (row.name) {
          case "empty offer ids" -> OfferID.newBuilder().setValue("").build();
          case "already used offer id" -> OfferID.newBuilder().setValue("used").build();
          default -> offer.getId();
        };
    Call.Accept accept =
        Json.decode(text.getBytes(StandardCharsets.UTF_8), Call.Accept.getDefaultInstance())
            .toBuilder()
            .addOfferIds(offerId)
            .build();
    scheduler.accepted(Call.newBuilder().setType(Call.Type.ACCEPT).setAccept(accept));
    if (!row.runs.isEmpty()) {
      assertThat(
              agent.await(MasterEvent::hasRunTask).getRunTask().getTasks(0).getTaskId().getValue())
          .isEqualTo(row.runs);
    }
    if (row.expected.isEmpty()) {
      return;
    }
    for (String one : row.expected.split(" && ")) {
      TaskStatus status = scheduler.await(Event.Type.UPDATE).getUpdate().getStatus();
      assertThat(status.getSource()).isEqualTo(TaskStatus.Source.SOURCE_MASTER);
      assertThat(status.hasUuid()).isFalse();
      String told =
          String.join(
              "|",
              status.getTaskId().getValue(),
              status.getState().name(),
              status.getReason().name(),
              status.getAgentId().getValue(),
              sorted(status.getMessage()));
      String[] expected =
          one.replace("{agent}", agent.id).replace("{offer}", "used").split("\\|", 5);
      expected[4] = sorted(expected[4]);
      assertThat(told).isEqualTo(String.join("|", expected));
    }
  }

  /** The order of resources means nothing, and what is available differs from run to run. */
  private static String sorted(String message) {
    Matcher matcher = TOTAL.matcher(message);
    return matcher.matches()
        ? Arrays.stream(matcher.group(1).split("; ")).sorted().collect(Collectors.joining("; "))
        : message;
  }
}
