package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What clients in the wild send and name: a cluster that was started without a locale, and requests
 * that are unusual and all the same right.
 */
@Timeout(120)
class TextAndWireIT {
  private static final Map<String, String> WITHOUT_LOCALE =
      Map.of("LC_ALL", "C", "LANG", "", "LC_CTYPE", "", "LANGUAGE", "");
  private static final String INFO =
      """
      {"user":"root","name":"text","roles":["text"],
       "capabilities":[{"type":"MULTI_ROLE"},{"type":"RESERVATION_REFINEMENT"},
                       {"type":"PARTITION_AWARE"}]}\
      """;

  private static LocalCluster cluster;
  private static URI agent;

  @BeforeAll
  static void start() throws Exception {
    cluster = LocalCluster.start(Distribution.built(), WITHOUT_LOCALE, 1);
    agent = URI.create("http://127.0.0.1:" + cluster.agents().get(0).path("port").asInt());
  }

  @AfterAll
  static void stop() {
    if (cluster != null) {
      cluster.close();
    }
  }

  private static JsonNode run(TestFramework framework, String id, ObjectNode command)
      throws Exception {
    JsonNode offer = framework.await("OFFERS", event -> true).at("/offers/offers/0");
    framework.launch(offer, List.of(id), command);
    return framework.awaitState(id, "TASK_FINISHED");
  }

  private static String sandbox(String task) throws Exception {
    return Http.get(agent.resolve("/state")).json().findValuesAsText("directory").stream()
        .filter(directory -> directory.contains("/executors/" + task + "/runs/"))
        .findFirst()
        .orElseThrow();
  }

  private static String read(String path) throws Exception {
    String query = URLEncoder.encode(path, StandardCharsets.UTF_8);
    return Http.get(agent.resolve("/files/read?offset=0&path=" + query))
        .json()
        .path("data")
        .asText();
  }

  @Test
  void withoutALocaleEveryNameIsWrittenAndRead() throws Exception {
    // The shell writes the bytes, so that it does not matter what the tests' own locale is.
    Path source = cluster.folder().resolve("source");
    Process writer =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "mkdir \"$1\"; cd \"$1\"; printf inhalt >\"$(printf"
                    + " 'gr\\303\\266\\303\\237e.txt')\"",
                "sh",
                source.toString())
            .start();
    assertThat(writer.waitFor()).isZero();

    String id = "t\u00e2che-\u2713-\ud83d\ude00";
    ObjectNode command = Http.JSON.createObjectNode().put("shell", true);
    command.put(
        "value",
        "cat 'gr\u00f6\u00dfe.txt'; echo \"|$LC_ALL|$LANG|$MEZZO_OPERATOR_LC_ALL|$MESOS_TASK_ID\";"
            + " mkdir 'd\u00e9p\u00f4t'; echo \u4e2d\u6587 >'d\u00e9p\u00f4t/\u2713 1'");
    command.putArray("uris").addObject().put("value", "file://" + source + "/gr\u00f6\u00dfe.txt");
    try (TestFramework framework = TestFramework.subscribe(cluster.master(), INFO)) {
      run(framework, id, command);
      String sandbox = sandbox(id);
      assertThat(read(sandbox + "/stdout")).isEqualTo("inhalt|C|||" + id + "\n");
      JsonNode listed =
          Http.get(
                  agent.resolve(
                      "/files/browse?path="
                          + URLEncoder.encode(
                              sandbox + "/d\u00e9p\u00f4t", StandardCharsets.UTF_8)))
              .json();
      assertThat(listed.findValuesAsText("path"))
          .containsExactly(sandbox + "/d\u00e9p\u00f4t/\u2713 1");
      assertThat(read(sandbox + "/d\u00e9p\u00f4t/\u2713 1")).isEqualTo("\u4e2d\u6587\n");
      framework.teardown();
    }
  }

  @Test
  void theFirstArgumentIsTheNameOfTheProgram() throws Exception {
    ObjectNode command = Http.JSON.createObjectNode().put("shell", false).put("value", "/bin/sh");
    command.putArray("arguments").add("mysh").add("-c").add("echo $0 >&2; echo $0 >name");
    try (TestFramework framework = TestFramework.subscribe(cluster.master(), INFO)) {
      run(framework, "named", command);
      String sandbox = sandbox("named");
      assertThat(read(sandbox + "/name")).isEqualTo("mysh\n");
      framework.teardown();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aClientThatOffersHttp2WithItsBodyIsAnswered(boolean lengthKnown) throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    String subscribe =
        "{\"type\":\"SUBSCRIBE\",\"subscribe\":{\"framework_info\":" + INFO.strip() + "}}";
    var subscribed =
        client.send(
            post("/api/v1/scheduler", subscribe, lengthKnown), BodyHandlers.ofInputStream());
    assertThat(subscribed.statusCode()).isEqualTo(200);
    try (InputStream in = subscribed.body()) {
      assertThat(new String(in.readNBytes(60), StandardCharsets.UTF_8)).contains("SUBSCRIBED");
    }
    for (int i = 0; i < 3; i++) {
      var version =
          client.send(
              post("/api/v1", "{\"type\":\"GET_VERSION\"}", lengthKnown), BodyHandlers.ofString());
      assertThat(version.statusCode()).isEqualTo(200);
      assertThat(version.body()).contains("GET_VERSION");
    }
  }

  private static HttpRequest post(String path, String json, boolean lengthKnown) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    return HttpRequest.newBuilder(cluster.master().resolve(path))
        .timeout(Duration.ofSeconds(60))
        .header("Content-Type", "application/json")
        .header("Accept", "application/json")
        .POST(
            lengthKnown
                ? BodyPublishers.ofByteArray(bytes)
                : BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes)))
        .build();
  }

  @Test
  void slashesAtTheHeadOfAPathDoNotMatter() throws Exception {
    for (String path : List.of("//state", "/master//state", "//master/state", "//master//state/")) {
      assertThat(Http.get(at(cluster.master(), path)).json().path("activated_slaves").asInt())
          .as(path)
          .isEqualTo(1);
    }
    for (String path : List.of("//state", "/slave(1)//state", "//slave(1)/state")) {
      assertThat(Http.get(at(agent, path)).json().path("attributes").isObject()).as(path).isTrue();
    }
  }

  /** As it stands; what is resolved against another URI loses its first slashes. */
  private static URI at(URI daemon, String path) {
    return URI.create("http://127.0.0.1:" + daemon.getPort() + path);
  }

  @Test
  void bothDaemonsSayTheSameOfWhatTheyLackOrDoNotServe() throws Exception {
    for (URI daemon : List.of(cluster.master(), agent)) {
      Http.Answer bare = Http.postJson(daemon.resolve("/api/v1"), "{\"type\":\"GET_METRICS\"}");
      assertThat(bare.status()).isEqualTo(400);
      assertThat(bare.text()).endsWith("::Call: Expecting 'get_metrics' to be present");
    }
    Http.Answer unserved =
        Http.postJson(
            agent.resolve("/api/v1"),
            "{\"type\":\"MARK_RESOURCE_PROVIDER_GONE\",\"mark_resource_provider_gone\":"
                + "{\"resource_provider_id\":{\"value\":\"p\"}}}");
    assertThat(unserved.status()).isEqualTo(501);
    assertThat(unserved.text())
        .startsWith(
            "501 Not Implemented. The call MARK_RESOURCE_PROVIDER_GONE is not served by this"
                + " version of Mezzo (");
  }

  @ParameterizedTest
  @ValueSource(strings = {"zk://h:2181//x", "zk://h:2181/zookeeper", "zk://h:2181/a/../b"})
  void impossiblePlacesInZooKeeperAreRefusedAtStart(String url) throws Exception {
    for (List<String> arguments :
        List.of(
            List.of("master", "--zk=" + url, "--port=0"),
            List.of("agent", "--master=" + url, "--port=0"),
            List.of("execute", "--master=" + url, "--command=true"))) {
      String flag = arguments.get(0).equals("master") ? "--zk" : "--master";
      Path folder = cluster.folder();
      List<String> all = new ArrayList<>(arguments);
      if (!arguments.get(0).equals("execute")) {
        all.add("--work_dir=" + folder.resolve("never"));
      }
      if (arguments.get(0).equals("agent")) {
        all.add("--runtime_dir=" + folder.resolve("never-run"));
      }
      try (MezzoProcess process =
          MezzoProcess.start(
              Distribution.built(), folder.resolve("logs"), all.toArray(String[]::new))) {
        assertThat(process.await(Duration.ofSeconds(60))).as("%s", arguments).isNotZero();
        assertThat(process.stderr()).contains(flag, "ZooKeeper URL must be zk://", "/mezzo");
      }
    }
  }
}
