package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

/**
 * Each name of docs/spec/metrics.tsv is shown by a running master or agent, or else is listed in
 * docs/compatibility.md with the reason why it is absent; and nothing is listed that is shown.
 */
class MetricsTableIT {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final Path DOCS = Path.of(System.getProperty("mezzo.repository"), "docs");

  /** A row of the list of what is absent: names, and why. */
  private static final Pattern ABSENT = Pattern.compile("\\| (`[^|]*`) \\| [^|]+ \\|");

  private static final Pattern NAME = Pattern.compile("`([^`]+)`");
  private static final Pattern PLACE = Pattern.compile("<[^>]*>");

  private LocalCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster =
        LocalCluster.start(
            Distribution.built(), 1, "--resources=cpus:4;mem:1024", "--allocation_interval=200ms");
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private record Row(String name, Pattern shown) {}

  private static List<Row> rows(boolean agent) throws IOException {
    List<Row> rows = new ArrayList<>();
    List<String> lines = Files.readAllLines(DOCS.resolve("spec/metrics.tsv"));
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split("\t", -1);
      boolean ofAgent = cells[0].startsWith("agent");
      if (cells[0].equals("libprocess") || ofAgent == agent) {
        Matcher places = PLACE.matcher(cells[1]);
        StringBuilder pattern = new StringBuilder();
        int end = 0;
        while (places.find()) {
          pattern.append(Pattern.quote(cells[1].substring(end, places.start()))).append("[^/]+");
          end = places.end();
        }
        pattern.append(Pattern.quote(cells[1].substring(end)));
        rows.add(new Row(cells[1], Pattern.compile(pattern.toString())));
      }
    }
    assertThat(rows).hasSizeGreaterThan(80);
    return rows;
  }

  /** What the documentation says is absent: whole names, or with {@code ...} how they begin. */
  private static Set<String> listed() throws IOException {
    Set<String> names = new TreeSet<>();
    boolean inside = false;
    for (String line : Files.readAllLines(DOCS.resolve("compatibility.md"))) {
      if (line.startsWith("## ")) {
        inside = line.equals("## Metrics");
      }
      Matcher row = ABSENT.matcher(line);
      if (inside && row.matches()) {
        Matcher name = NAME.matcher(row.group(1));
        while (name.find()) {
          names.add(name.group(1));
        }
      }
    }
    assertThat(names).isNotEmpty();
    return names;
  }

  private static boolean covers(String listed, String name) {
    return listed.endsWith("...")
        ? name.startsWith(listed.substring(0, listed.length() - "...".length()))
        : name.equals(listed);
  }

  private static Set<String> shown(URI daemon) throws IOException {
    Set<String> names = new TreeSet<>();
    Http.get(daemon.resolve("/metrics/snapshot")).json().fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static void compare(List<Row> rows, Set<String> shown, Set<String> used)
      throws IOException {
    List<String> missing = new ArrayList<>();
    List<String> there = new ArrayList<>();
    for (Row row : rows) {
      boolean present = shown.stream().anyMatch(name -> row.shown().matcher(name).matches());
      List<String> excuses =
          listed().stream().filter(listed -> covers(listed, row.name())).toList();
      used.addAll(excuses);
      if (!present && excuses.isEmpty()) {
        missing.add(row.name());
      }
      if (present && !excuses.isEmpty()) {
        there.add(row.name());
      }
    }
    assertThat(missing).as("neither shown nor listed as absent").isEmpty();
    assertThat(there).as("shown, but listed as absent").isEmpty();
  }

  /** What is there only once something has happened, happens. */
  private void use() throws Exception {
    Http.Answer quota =
        Http.postJson(
            cluster.master().resolve("/api/v1"),
            """
            {"type":"UPDATE_QUOTA","update_quota":{"force":true,"quota_configs":[{"role":"r",
             "guarantees":{"cpus":{"value":1}},"limits":{"cpus":{"value":2}}}]}}\
            """);
    assertThat(quota.status()).as(quota.text()).isEqualTo(200);
    try (TestFramework framework =
        TestFramework.subscribe(
            cluster.master(),
            """
            {"user":"%s","name":"a b","roles":["r"],"capabilities":[{"type":"MULTI_ROLE"}]}\
            """
                .formatted(System.getProperty("user.name")))) {
      JsonNode offer = framework.await("OFFERS", event -> true).at("/offers/offers/0");
      framework.launch(offer, "fails", "exit 1");
      framework.acknowledge(framework.awaitState("fails", "TASK_FAILED"));
      JsonNode refused =
          framework
              .await(
                  "OFFERS",
                  event -> !event.at("/offers/offers/0/id").equals(offer.path("id")),
                  LIMIT)
              .at("/offers/offers/0");
      ObjectNode call = framework.call("DECLINE");
      ObjectNode decline = call.putObject("decline");
      decline.putArray("offer_ids").add(refused.path("id"));
      decline.putObject("filters").put("refuse_seconds", 1000);
      framework.send(call);
      Await.until(
          "a filter in force",
          LIMIT,
          () -> cluster.metric("allocator/mesos/offer_filters/roles/r/active") == 1);
      assertThat(cluster.metric("allocator/mesos/quota/roles/r/resources/cpus/guarantee"))
          .isEqualTo(1);
      assertThat(cluster.metric("allocator/mesos/quota/roles/r/resources/cpus/consumed")).isZero();
      assertThat(cluster.metric("master/mezzo/calls/scheduler/accept_ms")).isPositive();
      assertThat(cluster.metric("master/mezzo/calls/operator/update_quota_ms")).isPositive();
      compare();
    }
  }

  private void compare() throws IOException {
    Set<String> used = new TreeSet<>();
    compare(rows(false), shown(cluster.master()), used);
    int port = cluster.agents().get(0).path("port").asInt();
    compare(rows(true), shown(URI.create("http://127.0.0.1:" + port)), used);
    assertThat(listed()).as("listed as absent, and in no table").isEqualTo(used);
  }

  @Test
  void eachNameIsShownOrListedAsAbsent() throws Exception {
    use();
  }
}
