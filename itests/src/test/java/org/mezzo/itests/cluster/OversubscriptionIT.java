package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.Module;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.api.qos.QosController;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.oversubscription.GenerousEstimator;
import org.mezzo.itests.oversubscription.StrictController;
import org.mezzo.testing.bundles.ModuleBundle;

/** Rules 315 to 319, from the estimate to the end of a task that runs on it. */
class OversubscriptionIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String[] FLAGS = {
    "--resources=cpus:2;mem:1024;disk:1024",
    "--resource_estimator=fixed",
    "--qos_controller=load",
    """
    --modules={"libraries":[{"modules":[
      {"name":"fixed","parameters":[{"key":"resources","value":"cpus:4"}]},
      {"name":"load","parameters":[{"key":"load_threshold_5min","value":"1000000"}]}]}]}\
    """
        .replaceAll("\\s+", "")
  };

  @TempDir Path folder;

  /** Ids of offers that a test had. */
  private final Set<JsonNode> seen = new HashSet<>();

  private static String framework(String role, String capability) {
    return """
    {"user":"%s","name":"%s","roles":["%s"],
     "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}%s]}\
    """
        .formatted(
            System.getProperty("user.name"),
            role,
            role,
            capability.isEmpty() ? "" : ",{\"type\":\"" + capability + "\"}");
  }

  /** How much of the cpus of an offer are revocable, or are not. */
  private static double cpus(JsonNode offer, boolean revocable) {
    return StreamSupport.stream(offer.path("resources").spliterator(), false)
        .filter(it -> it.path("name").asText().equals("cpus") && it.has("revocable") == revocable)
        .mapToDouble(it -> it.at("/scalar/value").asDouble())
        .sum();
  }

  private static Stream<JsonNode> offers(JsonNode event) {
    return StreamSupport.stream(event.at("/offers/offers").spliterator(), false);
  }

  /** An offer with so much to be taken back that is none of those before. */
  private JsonNode offerLending(TestFramework framework, double cpus) {
    AtomicReference<JsonNode> found = new AtomicReference<>();
    Await.until(
        "an offer with " + cpus + " revocable cpus",
        PATIENCE,
        () -> {
          framework.events().stream()
              .flatMap(OversubscriptionIT::offers)
              .filter(offer -> cpus(offer, true) == cpus && !seen.contains(offer.path("id")))
              .findFirst()
              .ifPresent(found::set);
          return found.get() != null;
        });
    seen.add(found.get().path("id"));
    return found.get();
  }

  private static void add(ArrayNode resources, String name, double amount, boolean revocable) {
    ObjectNode resource = resources.addObject().put("name", name).put("type", "SCALAR");
    resource.putObject("scalar").put("value", amount);
    if (revocable) {
      resource.putObject("revocable");
    }
  }

  private static void launch(
      TestFramework framework, JsonNode offer, String id, double lent, double own)
      throws IOException {
    ObjectNode call = framework.call("ACCEPT");
    ObjectNode accept = call.putObject("accept");
    accept.putArray("offer_ids").add(offer.get("id"));
    accept.putObject("filters").put("refuse_seconds", 0.0);
    ObjectNode task =
        accept
            .putArray("operations")
            .addObject()
            .put("type", "LAUNCH")
            .putObject("launch")
            .putArray("task_infos")
            .addObject()
            .put("name", id);
    task.putObject("task_id").put("value", id);
    task.set("agent_id", offer.get("agent_id"));
    task.putObject("command").put("shell", true).put("value", "exec sleep 100000");
    ArrayNode resources = task.putArray("resources");
    add(resources, "mem", 32, false);
    if (lent > 0) {
      add(resources, "cpus", lent, true);
    }
    if (own > 0) {
      add(resources, "cpus", own, false);
    }
    framework.send(call);
  }

  private void replace(
      Distribution distribution,
      String jar,
      String bundle,
      Class<? extends Module> type,
      Class<? extends Module> kind,
      String kindName,
      String name)
      throws IOException {
    Path built =
        ModuleBundle.of(bundle, "99.0.0")
            .header(
                "Import-Package",
                "org.mezzo.api,org.mezzo.resources,org.mezzo.protocol.v1,com.google.protobuf,"
                    + kind.getPackageName())
            .module(type, kind, kindName, name)
            .build(folder.resolve("built.jar"));
    try (Stream<Path> shipped = Files.list(distribution.modules())) {
      Path old =
          shipped.filter(it -> it.getFileName().toString().startsWith(jar)).findAny().orElseThrow();
      Files.move(built, old, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  @Test
  void whatIsLentIsOfferedUsedSwappedAndTakenBack() throws Exception {
    Distribution distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    try (LocalCluster cluster = LocalCluster.start(distribution, 1, FLAGS);
        TestFramework able =
            TestFramework.subscribe(cluster.master(), framework("able", "REVOCABLE_RESOURCES"))) {
      JsonNode offer = offerLending(able, 4);
      assertThat(cpus(offer, false)).isEqualTo(2);
      launch(able, offer, "lent", 1, 0);
      JsonNode running = able.awaitState("lent", "TASK_RUNNING");
      Await.until("it is used", () -> cluster.metric("master/cpus_revocable_used") == 1);
      assertThat(cluster.metric("master/cpus_revocable_total")).isEqualTo(4);
      assertThat(cluster.metric("master/cpus_revocable_percent")).isEqualTo(0.25);
      assertThat(cluster.metric("master/cpus_used")).isZero();
      JsonNode slave = cluster.agents().get(0);
      assertThat(slave.at("/resources/cpus_revocable").asDouble()).isEqualTo(4);
      assertThat(slave.at("/resources/cpus").asDouble()).isEqualTo(2);
      assertThat(slave.at("/used_resources/cpus_revocable").asDouble()).isEqualTo(1);
      JsonNode agents =
          Http.postJson(cluster.master().resolve("/api/v1"), "{\"type\":\"GET_AGENTS\"}").json();
      assertThat(
              cpus(
                  Http.JSON
                      .createObjectNode()
                      .set("resources", agents.at("/get_agents/agents/0/total_resources")),
                  true))
          .isEqualTo(4);

      offer = offerLending(able, 3);
      launch(able, offer, "mixed", 1, 1);
      JsonNode refused = able.awaitState("mixed", "TASK_ERROR");
      assertThat(refused.path("message").asText())
          .contains("Cannot use both revocable and non-revocable 'cpus'");

      offer = offerLending(able, 3);
      launch(able, offer, "own", 0, 1);
      able.awaitState("own", "TASK_RUNNING");
      JsonNode outstanding = offerLending(able, 3);

      // The estimator's bundle, under what was lent by the one before.
      replace(
          distribution,
          "mezzo-estimator-fixed",
          "org.mezzo.estimator.fixed",
          GenerousEstimator.class,
          ResourceEstimator.class,
          ResourceEstimator.KIND,
          "fixed");
      Await.until(
          "the offer of what was lent before is rescinded",
          PATIENCE,
          () ->
              able.events().stream()
                  .anyMatch(it -> it.at("/rescind/offer_id").equals(outstanding.path("id"))));
      offer = offerLending(able, 5);
      assertThat(cluster.metric("master/cpus_revocable_total")).isEqualTo(6);
      ObjectNode decline = able.call("DECLINE");
      decline.putObject("decline").putArray("offer_ids").add(offer.get("id"));
      decline.with("decline").putObject("filters").put("refuse_seconds", 1000.0);
      able.send(decline);

      try (TestFramework unable =
          TestFramework.subscribe(cluster.master(), framework("unable", ""))) {
        JsonNode own =
            offers(unable.await("OFFERS", event -> true, PATIENCE)).findFirst().orElseThrow();
        assertThat(cpus(own, false)).isEqualTo(1);
        launch(unable, own, "unable", 0, 0.5);
        unable.awaitState("unable", "TASK_RUNNING");

        replace(
            distribution,
            "mezzo-qos-load",
            "org.mezzo.qos.load",
            StrictController.class,
            QosController.class,
            QosController.KIND,
            "load");
        JsonNode gone = able.awaitState("lent", "TASK_GONE");
        assertThat(gone.path("reason").asText()).isEqualTo("REASON_CONTAINER_PREEMPTED");
        assertThat(gone.path("message").asText())
            .isEqualTo("Container preempted by QoS correction: nobody may");
        assertThat(gone.path("source").asText()).isEqualTo("SOURCE_AGENT");
        assertThat(gone.at("/container_status/container_id/value").asText())
            .isIn("", running.at("/container_status/container_id/value").asText());
        Await.until("it is free", () -> cluster.metric("master/cpus_revocable_used") == 0);
        assertThat(cluster.metric("master/cpus_used")).as("all others run on").isEqualTo(1.5);
        assertThat(unable.events().stream().flatMap(OversubscriptionIT::offers))
            .isNotEmpty()
            .allMatch(each -> cpus(each, true) == 0);
        assertThat(able.events().toString() + unable.events()).doesNotContain("TASK_FAILED");
      }
    }
  }

  @Test
  void aNewMasterKnowsWhatIsLentAndWhoHasIt() throws Exception {
    try (MasterAndAgent cluster = new MasterAndAgent(folder)) {
      MezzoProcess master = cluster.startMaster();
      cluster.startAgent(FLAGS);
      cluster.awaitAgent(true);
      ObjectNode info = (ObjectNode) Http.JSON.readTree(framework("able", "REVOCABLE_RESOURCES"));
      info.put("failover_timeout", 600);
      String id;
      try (TestFramework able = TestFramework.subscribe(cluster.master(), info.toString())) {
        launch(able, offerLending(able, 4), "lent", 1, 0);
        able.awaitState("lent", "TASK_RUNNING");
        id = able.frameworkId();
      }
      master.kill();
      cluster.startMaster();
      cluster.awaitAgent(true);
      info.putObject("id").put("value", id);
      try (TestFramework able = TestFramework.subscribe(cluster.master(), info.toString())) {
        offerLending(able, 3);
        JsonNode slave = cluster.slave();
        assertThat(slave.at("/resources/cpus_revocable").asDouble()).isEqualTo(4);
        assertThat(slave.at("/used_resources/cpus_revocable").asDouble()).isEqualTo(1);
        able.teardown();
      }
    }
  }
}
