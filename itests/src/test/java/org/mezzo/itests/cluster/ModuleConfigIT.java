package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** An operator changes parameters of modules while a framework runs tasks without pause. */
class ModuleConfigIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String PARAMETERS =
      """
      {"libraries":[{"modules":[
        {"name":"labels","parameters":[
          {"key":"label.zone","value":"north"},{"key":"label.team","value":"blue"}]},
        {"name":"environment","parameters":[{"key":"variable.COLOUR","value":"red"}]}]}]}\
      """;

  @TempDir Path folder;
  private LocalCluster cluster;
  private int asked;

  private String run(int status, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of("module", "config"));
    all.addAll(List.of(words));
    all.add("--master=" + cluster.master().getAuthority());
    MezzoProcess process =
        MezzoProcess.start(
            Distribution.built(), folder.resolve("logs"), all.toArray(String[]::new));
    int ended = process.await(PATIENCE);
    String said = process.stdout() + process.stderr();
    assertThat(ended).as(said).isEqualTo(status);
    return said;
  }

  /** What tasks that were launched have as their zone, of those whose names begin so. */
  private Set<String> zones(String begin) throws IOException {
    JsonNode tasks =
        Http.postJson(cluster.master().resolve("/api/v1"), "{\"type\":\"GET_TASKS\"}")
            .json()
            .path("get_tasks");
    Set<String> zones = new HashSet<>();
    for (JsonNode task : tasks.findParents("labels")) {
      for (JsonNode label : task.at("/labels/labels")) {
        if (task.at("/task_id/value").asText().startsWith(begin)
            && label.path("key").asText().equals("zone")) {
          zones.add(label.path("value").asText());
        }
      }
    }
    return zones;
  }

  private void awaitZone(String zone) {
    Await.until("a task has the zone " + zone, PATIENCE, () -> zones("").contains(zone));
  }

  private String runs(String command) throws Exception {
    try (TestFramework framework =
        TestFramework.subscribe(
            cluster.master(),
            "{\"user\":\"%s\",\"name\":\"asking\",\"roles\":[\"asking\"],\"capabilities\":[{\"type\":\"MULTI_ROLE\"}]}"
                .formatted(System.getProperty("user.name")))) {
      JsonNode offer =
          framework
              .await("OFFERS", event -> TestFramework.fit(event.at("/offers/offers/0")) > 0)
              .at("/offers/offers/0");
      String task = "asks-" + ++asked;
      framework.launch(offer, task, command);
      String state = framework.awaitEnd(task).path("state").asText();
      framework.teardown();
      return state;
    }
  }

  private JsonNode parameters(String module) throws IOException {
    return Http.get(
            cluster
                .master()
                .resolve(
                    "/mezzo/modules/parameters?module="
                        + URLEncoder.encode(module, StandardCharsets.UTF_8)))
        .json()
        .at("/modules/0/parameters");
  }

  private JsonNode lastChange() throws IOException {
    return Http.get(cluster.master().resolve("/mezzo/deployments")).json().at("/history/0");
  }

  @Test
  void parametersChangeUnderLoadAndOutliveAKill() throws Exception {
    cluster =
        LocalCluster.start(
            Distribution.built(),
            2,
            "--hooks=labels,environment",
            "--modules=" + PARAMETERS.replaceAll("\\s+", ""));
    try (LocalCluster running = cluster) {
      FollowingFramework framework =
          new FollowingFramework(List.of(running.master()), Map.of(), "", 2);
      try {
        framework.awaitSteady();
        awaitZone("north");
        assertThat(run(0, "labels"))
            .containsPattern("label.zone +north +--modules")
            .contains("hook/labels, labels for every task", "the value of a label");

        assertThat(run(0, "labels", "label.zone=south"))
            .contains("configure hook/labels: label.zone=south; taken while it runs by ")
            .contains("gap 0 ms");
        awaitZone("south");
        assertThat(lastChange().path("action").asText()).isEqualTo("configure");
        assertThat(lastChange().path("principal").asText()).startsWith("somebody at ");

        assertThat(runs("test \"$COLOUR\" = red")).isEqualTo("TASK_FINISHED");
        assertThat(run(0, "hook/environment", "variable.COLOUR=green"))
            .contains("variable.COLOUR=green; by a new instance in ")
            .contains("gap 0 ms");
        assertThat(runs("test \"$COLOUR\" = green")).isEqualTo("TASK_FINISHED");
        refuses(framework);
        framework.awaitTasks(20);
        framework.drain();
      } finally {
        framework.close();
      }

      running.process().killAlone();
      running.process().await(PATIENCE);
      running.start();
      assertThat(run(0, "labels"))
          .containsPattern("label.zone +south +operator")
          .containsPattern("label.team +blue +--modules");
      assertThat(runs("test \"$COLOUR\" = green")).isEqualTo("TASK_FINISHED");
      assertThat(zones("asks-" + asked)).containsExactly("south");

      assertThat(run(0, "labels", "--unset=label.zone")).contains("label.zone was unset");
      assertThat(runs("true")).isEqualTo("TASK_FINISHED");
      assertThat(zones("asks-" + asked)).containsExactly("north");
    }
  }

  private void refuses(FollowingFramework framework) throws Exception {
    JsonNode before = parameters("environment");
    assertThat(run(1, "environment", "override=perhaps"))
        .contains("FAILED", "'override' of hook 'environment' is 'perhaps'", "true or false")
        .contains("nothing was changed");
    assertThat(run(1, "environment", "variable.A=a", "colour=blue"))
        .contains("hook/environment has no parameter 'colour'; there are variable.NAME, override");
    assertThat(run(1, "environment", "variable.=x")).contains("no parameter 'variable.'");
    assertThat(run(2, "environment", "variable.A=x", "nonsense")).contains("no PARAMETER=VALUE");
    assertThat(run(1, "environment", "--unset=override"))
        .contains("parameter 'override' was not set by an operator; set are variable.COLOUR");
    assertThat(run(1, "nobody", "a=b")).contains("no module is called so", "hook/labels");
    // What it describes allows that; the module itself does not.
    assertThat(
            Http.post(
                    cluster.master().resolve("/mezzo/modules/configure"),
                    "application/x-www-form-urlencoded",
                    "module=environment&set.variable.A%00B=x".getBytes(StandardCharsets.UTF_8))
                .status())
        .isEqualTo(409);
    assertThat(lastChange().path("outcome").asText())
        .contains("when it rehearsed", "cannot be a variable", "nothing was changed");
    assertThat(parameters("environment")).isEqualTo(before);
    assertThat(
            Http.get(cluster.master().resolve("/mezzo/modules/parameters?module=nobody")).status())
        .isEqualTo(404);
    framework.awaitTasks(5);
  }
}
