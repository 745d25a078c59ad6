package org.mezzo.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.master.testing.Operator;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** What is sent to clients that bring back the tag of what they have, and what is not. */
class UnchangedStateTest {
  private static final String UNCHANGED = "master/mezzo/reads_unchanged";
  private static final String MADE = "master/mezzo/reads_made";
  private static final HttpClient CLIENT =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @TempDir Path workDir;

  private record Answer(int status, Optional<String> tag, HttpResponse<byte[]> response) {
    String text() {
      try {
        return new String(
            header("Content-Encoding").isEmpty()
                ? response.body()
                : new GZIPInputStream(new ByteArrayInputStream(response.body())).readAllBytes(),
            StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    Optional<String> header(String name) {
      return response.headers().firstValue(name);
    }
  }

  private static Answer send(TestCluster cluster, String path, String method, String... headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + cluster.address().getPort() + path))
            .method(method, HttpRequest.BodyPublishers.noBody());
    if (headers.length > 0) {
      request.headers(headers);
    }
    HttpResponse<byte[]> response =
        CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    return new Answer(response.statusCode(), response.headers().firstValue("ETag"), response);
  }

  private static Answer get(TestCluster cluster, String path, String... headers) throws Exception {
    return send(cluster, path, "GET", headers);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/state",
        "/master/state",
        "/master/state.json",
        "/state?jsonp=f",
        "/state-summary",
        "/tasks?order=asc&limit=-1",
        "/frameworks",
        "/slaves",
        "/roles"
      })
  void isToldByTheTag(String path) throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "weights=first=2")) {
      Answer first = get(cluster, path);
      assertThat(first.status).isEqualTo(200);
      assertThat(first.header("Cache-Control")).contains("no-cache");
      String tag = first.tag.orElseThrow();
      assertThat(tag).startsWith("W/\"");

      Answer again = get(cluster, path, "If-None-Match", tag);
      assertThat(again.status).isEqualTo(304);
      assertThat(again.response.body()).isEmpty();
      assertThat(again.tag).contains(tag);
      assertThat(again.response.headers().allValues("Vary")).containsExactly("Accept-Encoding");
      assertThat(cluster.master.metrics().snapshot()).containsEntry(UNCHANGED, 1.0);

      cluster.agent(5051, "cpus:4;mem:1000");
      Answer changed = get(cluster, path, "If-None-Match", tag);
      assertThat(changed.status).isEqualTo(200);
      assertThat(changed.tag).isPresent().isNotEqualTo(Optional.of(tag));
    }
  }

  @Test
  void isFoundInAListAndComparedWeaklyAndOnlyInReads() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      String tag = get(cluster, "/state").tag.orElseThrow();
      String strong = tag.substring("W/".length());
      for (String held : new String[] {"\"a\", " + tag + " , \"b\"", strong, "*"}) {
        assertThat(get(cluster, "/state", "If-None-Match", held).status).as(held).isEqualTo(304);
      }
      assertThat(get(cluster, "/state", "If-None-Match", "\"a\"", "If-None-Match", tag).status)
          .isEqualTo(304);
      assertThat(send(cluster, "/state", "HEAD", "If-None-Match", tag).status).isEqualTo(304);
      assertThat(send(cluster, "/state", "POST", "If-None-Match", tag).status).isEqualTo(200);
      for (String other : new String[] {"", "\"a\"", strong.replace("\"", ""), "W/\"*\""}) {
        assertThat(get(cluster, "/state", "If-None-Match", other).status).as(other).isEqualTo(200);
      }
      assertThat(get(cluster, "/state?jsonp=1", "If-None-Match", tag).status).isEqualTo(400);
    }
  }

  @Test
  void isTheSameCompressedAndPlain() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      Answer plain = get(cluster, "/state");
      Answer zipped = get(cluster, "/state", "Accept-Encoding", "gzip");
      assertThat(plain.header("Content-Encoding")).isEmpty();
      assertThat(zipped.header("Content-Encoding")).contains("gzip");
      assertThat(zipped.text()).isEqualTo(plain.text());
      assertThat(zipped.tag).isEqualTo(plain.tag);
      assertThat(zipped.response.headers().allValues("Vary")).containsExactly("Accept-Encoding");
      assertThat(plain.response.headers().allValues("Vary")).containsExactly("Accept-Encoding");
      Answer unchanged =
          get(
              cluster,
              "/state",
              "Accept-Encoding",
              "gzip",
              "If-None-Match",
              zipped.tag.orElseThrow());
      assertThat(unchanged.status).isEqualTo(304);
      assertThat(unchanged.header("Content-Encoding")).isEmpty();
    }
  }

  @Test
  void isAnotherToWhoeverMaySeeSomethingElse() throws Exception {
    Set<Action> refused = ConcurrentHashMap.newKeySet();
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Authorizer authorizer = (subject, actions) -> (action, object) -> !refused.contains(action);
      cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
      cluster.modules.awaitHolders();
      try (TestScheduler scheduler = TestScheduler.json(cluster.address())) {
        scheduler.subscribed(TestScheduler.info("r").setName("secret").build());
        Answer all = get(cluster, "/state");
        assertThat(all.text()).contains("secret");
        assertThat(all.header("Cache-Control")).contains("private, no-cache");
        String tag = all.tag.orElseThrow();
        assertThat(get(cluster, "/state", "If-None-Match", tag).status).isEqualTo(304);

        refused.add(Action.VIEW_FRAMEWORK);
        Answer less = get(cluster, "/state", "If-None-Match", tag);
        assertThat(less.status).isEqualTo(200);
        assertThat(less.text()).doesNotContain("secret");
        assertThat(less.tag).isPresent().isNotEqualTo(all.tag);
        assertThat(get(cluster, "/state", "If-None-Match", less.tag.orElseThrow()).status)
            .isEqualTo(304);

        refused.clear();
        refused.add(Action.VIEW_FLAGS);
        Answer noFlags = get(cluster, "/state", "If-None-Match", tag);
        assertThat(noFlags.status).isEqualTo(200);
        assertThat(noFlags.text()).contains("secret").doesNotContain("\"flags\"");
        refused.clear();
        assertThat(get(cluster, "/state", "If-None-Match", tag).status).isEqualTo(304);
      }
    }
  }

  @Test
  void isMadeOnceForAllWhoAskTheSame() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      Answer first = get(cluster, "/state");
      for (String path : new String[] {"/master/state", "/state.json", "/state?_=123"}) {
        Answer again = get(cluster, path, "Accept-Encoding", "gzip");
        assertThat(again.text()).isEqualTo(first.text());
      }
      assertThat(cluster.master.metrics().snapshot())
          .containsEntry(MADE, 1.0)
          .containsEntry("master/mezzo/reads_shared", 3.0)
          .hasEntrySatisfying(
              "master/mezzo/reads_kept_bytes",
              bytes -> assertThat(bytes).isGreaterThanOrEqualTo(first.response.body().length));
      assertThat(get(cluster, "/state?jsonp=f").text()).isEqualTo("f(" + first.text() + ")");
      assertThat(get(cluster, "/slaves").text()).isNotEqualTo(first.text());
      cluster.agent(5051, "cpus:4;mem:1000");
      assertThat(get(cluster, "/state").text()).contains("\"port\":5051");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET_STATE", "GET_TASKS", "GET_AGENTS", "GET_FRAMEWORKS", "GET_ROLES"})
  void isMadeOnceForCallsInTheSameForm(String call) throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      cluster.agent(5051, "cpus:4;mem:1000");
      Operator operator = new Operator(cluster);
      String json = "{\"type\":\"" + call + "\"}";
      String first = operator.call(json);
      assertThat(first).startsWith("200 {\"type\":\"" + call + "\"");
      assertThat(operator.call(json)).isEqualTo(first);
      assertThat(cluster.master.metrics().snapshot())
          .containsEntry(MADE, 1.0)
          .containsEntry("master/mezzo/reads_shared", 1.0);
      Response message =
          Response.parseFrom(
              operator.call(Call.newBuilder().setType(Call.Type.valueOf(call)).build()).body());
      assertThat(message.getType().name()).isEqualTo(call);
      assertThat(cluster.master.metrics().snapshot()).containsEntry(MADE, 2.0);
      cluster.agent(5052, "cpus:4;mem:1000");
      operator.call(json);
      assertThat(cluster.master.metrics().snapshot()).containsEntry(MADE, 3.0);
    }
  }

  @Test
  void isSharedByThoseWhoSeeTheSameAndByNobodyElse() throws Exception {
    Set<Action> refused = ConcurrentHashMap.newKeySet();
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Authorizer authorizer = (subject, actions) -> (action, object) -> !refused.contains(action);
      cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
      cluster.modules.awaitHolders();
      try (TestScheduler scheduler = TestScheduler.json(cluster.address())) {
        scheduler.subscribed(TestScheduler.info("r").setName("secret").build());
        String all = get(cluster, "/frameworks").text();
        refused.add(Action.VIEW_FRAMEWORK);
        String less = get(cluster, "/frameworks").text();
        refused.clear();
        assertThat(get(cluster, "/frameworks").text()).isEqualTo(all).contains("secret");
        refused.add(Action.VIEW_FRAMEWORK);
        assertThat(get(cluster, "/frameworks").text()).isEqualTo(less).doesNotContain("secret");
        assertThat(cluster.master.metrics().snapshot()).containsEntry(MADE, 2.0);
      }
    }
  }
}
