package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Hooks that come with Mezzo, selected by flags: what tasks and operators see of them. */
class HooksIT {

  /**
   * Answers with a label and a message. As long as there is a file {@code hang} it answers nothing,
   * with {@code rubbish} something else, with {@code die} it ends instead.
   */
  private static final String ASKED =
      """
      #!/bin/sh
      cd "$(dirname "$0")"
      echo $$ >>started
      while read -r question; do
        [ -e hang ] && exec sleep 1000
        [ -e rubbish ] && echo 'no JSON' && continue
        [ -e die ] && exit 3
        id=${question#*:}
        id=${id%%,*}
        echo "{\\"id\\":$id,\\"labels\\":{\\"labels\\":[{\\"key\\":\\"asked\\",\\"value\\":\\"yes\\"}]}}"
      done
      """;

  @TempDir Path folder;
  private MasterAndAgent cluster;
  private TestFramework framework;

  @BeforeEach
  void start() throws Exception {
    Path asked = Files.writeString(folder.resolve("asked"), ASKED);
    Files.setPosixFilePermissions(asked, PosixFilePermissions.fromString("rwxr-xr-x"));
    cluster = new MasterAndAgent(folder);
    cluster.startMaster(
        "--allocation_interval=100ms", "--hooks=audit", "--modules=" + modules("audit", List.of()));
    Path modules =
        Files.writeString(
            folder.resolve("modules.json"),
            """
            {"libraries":[{"modules":[
             {"name":"environment","parameters":[
              {"key":"variable.GREETING","value":"hello"},{"key":"variable.OWN","value":"ours"}]},
             {"name":"ask","parameters":[
              {"key":"command","value":"exec %s"},{"key":"timeout_ms","value":"900"},
              {"key":"points","value":"agentRunTaskLabels,agentTaskStatus"}]},
             {"name":"audit","parameters":[{"key":"path","value":"%s"}]}]}]}
            """
                .formatted(asked, folder.resolve("agent.jsonl")));
    cluster.startAgent(
        "--hooks=environment,ask,audit",
        "--modules=file://" + modules,
        "--resources=cpus:4;mem:1024;disk:1024",
        "--registration_backoff_factor=50ms");
    cluster.awaitAgent(true);
    framework =
        cluster.own(
            TestFramework.subscribe(
                cluster.master(),
                """
                {"user":"%s","name":"hooked","roles":["r"],"capabilities":[{"type":"MULTI_ROLE"}]}\
                """
                    .formatted(System.getProperty("user.name"))));
  }

  private static String modules(String name, List<String> parameters) {
    return "{\"libraries\":[{\"modules\":[{\"name\":\"%s\",\"parameters\":%s}]}]}"
        .formatted(name, parameters);
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private void run(String task, String command) throws IOException {
    framework.launch(
        framework.await("OFFERS", event -> true, MasterAndAgent.LIMIT).at("/offers/offers/0"),
        List.of(task),
        command);
    framework.awaitState(task, "TASK_FINISHED");
  }

  private String output(String task) throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("agent"))) {
      Path sandbox =
          files
              .filter(it -> it.endsWith(Path.of("executors", task, "runs", "latest")))
              .findFirst()
              .orElseThrow();
      return Files.readString(sandbox.resolve("stdout"));
    }
  }

  /** The labels of a task's last update, by the master. */
  private List<String> labels(String task) throws IOException {
    List<String> labels = new ArrayList<>();
    for (JsonNode one : Http.get(cluster.master().resolve("/tasks")).json().path("tasks")) {
      if (one.path("id").asText().equals(task)) {
        JsonNode statuses = one.path("statuses");
        for (JsonNode label : statuses.path(statuses.size() - 1).path("labels")) {
          labels.add(label.path("key").asText() + "=" + label.path("value").asText());
        }
      }
    }
    return labels;
  }

  private static List<String> events(Path file, String task) throws IOException {
    List<String> events = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode event = Http.JSON.readTree(line);
      if (event.path("task_id").asText().equals(task)) {
        events.add(event.path("event").asText() + " " + event.path("state").asText());
      }
    }
    return events;
  }

  private double metric(String name) throws IOException {
    return Http.get(cluster.agent().resolve("/metrics/snapshot")).json().path(name).asDouble();
  }

  @Test
  void tasksGetVariablesAndLabelsAndAreWrittenDown() throws Exception {
    run("t", "echo $GREETING $OWN");
    assertThat(output("t")).contains("hello ours");
    Await.until("the update has the label", () -> labels("t").equals(List.of("asked=yes")));
    Await.until(
        "launch and end are written",
        () ->
            events(folder.resolve("agent.jsonl"), "t")
                .equals(List.of("launch ", "end TASK_FINISHED")));
    assertThat(events(folder.resolve("master/audit/audit.jsonl"), "t")).containsExactly("launch ");
    // What is written has seen the labels of the hook before it.
    assertThat(Files.readString(folder.resolve("agent.jsonl"))).contains("\"key\":\"asked\"");
    assertThat(metric("modules/hook/audit/lines_dropped")).isZero();
    assertThat(Files.readAllLines(folder.resolve("started"))).hasSize(1);
  }

  @Test
  void whoIsAskedAndMisbehavesHoldsUpNoTask() throws Exception {
    run("before", "true");
    Await.until(() -> labels("before").equals(List.of("asked=yes")));
    for (String fault : List.of("hang", "rubbish", "die")) {
      Files.createFile(folder.resolve(fault));
      double unanswered = metric("modules/hook/ask/unanswered");
      run(fault, "echo $GREETING");
      assertThat(output(fault)).contains("hello");
      assertThat(labels(fault)).isEmpty();
      Await.until(fault + " is counted", () -> metric("modules/hook/ask/unanswered") > unanswered);
      Files.delete(folder.resolve(fault));
      Await.until(
          "after " + fault + " it answers again",
          MasterAndAgent.LIMIT,
          () -> {
            String task = fault + "-" + System.nanoTime();
            run(task, "true");
            return labels(task).equals(List.of("asked=yes"));
          });
    }
    assertThat(Files.readAllLines(folder.resolve("started"))).hasSizeGreaterThan(3);
  }
}
