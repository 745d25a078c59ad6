package org.mezzo.daemon.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.TestFlags;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.modules.local.LocalModules;

class CommonEndpointsTest {
  @TempDir Path dir;

  private final Workers workers = new Workers("test", 2);
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final VirtualFiles files =
      new VirtualFiles(
          "test",
          Authorization.by(
              (who, actions) ->
                  CompletableFuture.completedFuture(
                      ObjectApprovers.of(
                          actions,
                          (action, object) -> !object.value().equals(Optional.of("root"))))));
  private TestServer server;
  private Path sandbox;

  @BeforeEach
  void open() throws Exception {
    Router router = new Router("master", Authentication.NONE, Authorization.none(), workers);
    CommonEndpoints.install(
        router,
        LocalModules.daemon("master", Role.MASTER, dir),
        new TestFlags(Map.of("port", "5050", "allocator", "hierarchical")),
        metrics,
        files,
        Optional.empty(),
        workers);
    server = new TestServer(router);
    sandbox = Files.createDirectory(dir.resolve("sandbox"));
    Files.writeString(sandbox.resolve("stdout"), "hi\n");
    Files.writeString(dir.resolve("secret"), "secret");
    files.attach("/sandbox", sandbox, Question.about(Action.ACCESS_SANDBOX, "ann"));
  }

  @AfterEach
  void close() {
    server.close();
    files.close();
    workers.close();
  }

  @Test
  void answersHealthWithAnEmptyBody() throws Exception {
    var answer = server.get("/master/health");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
    assertThat(answer.headers().firstValue("Content-Length")).contains("0");
  }

  @Test
  void tellsBothVersions() throws Exception {
    assertThat(server.get("/version/").body())
        .startsWith("{\"build_date\":\"")
        .contains("\"build_time\":" + (long) Versions.BUILD_TIME + ".0,")
        .contains("\"mezzo_version\":\"" + Versions.MEZZO + "\"")
        .endsWith("\"version\":\"1.12.0\"}");
    assertThat(Versions.BUILD_DATE).matches("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d");
  }

  @Test
  void wrapsForJsonp() throws Exception {
    var answer = server.get("/flags?jsonp=cb");
    assertThat(answer.body())
        .isEqualTo("cb({\"flags\":{\"allocator\":\"hierarchical\",\"port\":\"5050\"}})");
    assertThat(answer.headers().firstValue("Content-Type")).contains("text/javascript");
    assertThat(server.get("/flags?jsonp=alert(1)").statusCode()).isEqualTo(400);
  }

  @Test
  void profilesOnlyWhereThatIsAllowed() throws Exception {
    assertThat(server.get("/memory-profiler/state").statusCode()).isEqualTo(404);
    var refused = server.get("/profiler/start");
    assertThat(refused.statusCode()).isEqualTo(400);
    assertThat(refused.body()).contains("LIBPROCESS_ENABLE_PROFILER=1");
    assertThat(server.get("/profiler/other").statusCode()).isEqualTo(404);
    assertThat(server.send("POST", "/profiler/start", new byte[0]).statusCode()).isEqualTo(405);
  }

  @Test
  void recordsWhatTheProcessDoes() throws Exception {
    Router router = new Router("master", Authentication.NONE, Authorization.none(), workers);
    router.add(new ProfilerEndpoint(dir, workers, true));
    try (TestServer profiled = new TestServer(router)) {
      assertThat(profiled.get("/profiler/stop").statusCode()).isEqualTo(400);
      assertThat(profiled.get("/master/profiler/start/").statusCode()).isEqualTo(200);
      assertThat(profiled.get("/profiler/start").body()).isEqualTo("Profiler already started.\n");
      var recording = profiled.get("/profiler/stop");
      assertThat(recording.statusCode()).isEqualTo(200);
      assertThat(recording.body()).startsWith("FLR\0");
      assertThat(profiled.get("/profiler/stop").body()).isEqualTo("Profiler not running.\n");
    }
    try (var left = Files.newDirectoryStream(dir, "*.jfr")) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void countsWhatIsInMemory() throws Exception {
    Router router = new Router("master", Authentication.NONE, Authorization.none(), workers);
    router.add(new MemoryProfilerEndpoint(workers, true));
    try (TestServer profiled = new TestServer(router)) {
      assertThat(profiled.get("/memory-profiler/state").body()).isEqualTo("{\"sampling\":false}");
      assertThat(profiled.get("/memory-profiler/statistics").body())
          .startsWith("{\"heap\":{\"used\":");
      assertThat(profiled.get("/master/memory-profiler/download/text").body())
          .contains("java.lang.String");
      assertThat(profiled.get("/memory-profiler/start").statusCode()).isEqualTo(501);
      assertThat(profiled.get("/memory-profiler/download/raw").body()).contains("download/text");
      assertThat(profiled.get("/memory-profiler/more").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void showsItsQueues() throws Exception {
    metrics.gauge("master/event_queue_length", () -> 3);
    assertThat(server.get("/__processes__").body())
        .isEqualTo("[{\"events\":[],\"id\":\"master/event\",\"queue_length\":3}]");
  }

  @Test
  void showsMetrics() throws Exception {
    metrics.counter("a/b").increment();
    assertThat(server.get("/metrics/snapshot?timeout=1secs").body())
        .startsWith("{\"a/b\":1.0,")
        .contains("\"system/cpus_total\":");
    assertThat(server.get("/metrics/snapshot?timeout=0secs").body()).isEqualTo("{\"a/b\":1.0}");
    metrics.gauge("thread", () -> Thread.currentThread().getName().contains("-reader-") ? 1 : 0);
    assertThat(server.get("/metrics/snapshot").body()).contains("\"thread\":1.0");
    assertThat(server.get("/metrics").body()).contains("\nthread 1\n");
    metrics.remove("thread");
    var text = server.get("/metrics");
    assertThat(text.headers().firstValue("Content-Type"))
        .contains("text/plain; version=0.0.4; charset=utf-8");
    assertThat(text.body())
        .startsWith("# HELP a_b a/b\n# TYPE a_b counter\na_b 1\n")
        .contains("\nsystem_cpus_total ");
    var bad = server.get("/metrics/snapshot?timeout=abc");
    assertThat(bad.statusCode()).isEqualTo(400);
    assertThat(bad.body()).startsWith("Invalid timeout 'abc': ");
  }

  @Test
  void showsTheHost() throws Exception {
    assertThat(server.get("/system/stats.json").body()).contains("\"cpus_total\":");
    assertThat(server.get("/mezzo/modules").body())
        .isEqualTo("{\"daemon\":\"master\",\"modules\":[]}");
    assertThat(server.get("/files/debug").body()).isEqualTo("{\"/sandbox\":\"" + sandbox + "\"}");
  }

  @Test
  void browses() throws Exception {
    Files.writeString(sandbox.resolve("a"), "");
    Files.createDirectory(sandbox.resolve("sub"));
    String body = server.get("/files/browse?path=/sandbox/").body();
    assertThat(body).startsWith("[{\"gid\":\"").endsWith("}]");
    assertThat(body)
        .containsSubsequence(
            "\"path\":\"/sandbox/a\",\"size\":0,",
            "\"mode\":\"-rw-",
            "\"nlink\":1,\"path\":\"/sandbox/stdout\",\"size\":3,\"uid\":\"",
            "\"mode\":\"drw");
    assertThat(body).containsPattern("\"mtime\":\\d+\\.0,");
    assertThat(BrowseEndpoint.modeText(0100644)).isEqualTo("-rw-r--r--");
    assertThat(BrowseEndpoint.modeText(0120777)).isEqualTo("lrwxrwxrwx");
  }

  @Test
  void reads() throws Exception {
    assertThat(server.get("/files/read?path=/sandbox/stdout&offset=0&length=50000").body())
        .isEqualTo("{\"data\":\"hi\\n\",\"offset\":0}");
    assertThat(server.get("/files/read?path=/sandbox/stdout&offset=-1").body())
        .isEqualTo("{\"data\":\"\",\"offset\":3}");
    assertThat(server.get("/files/read?path=/sandbox/stdout").body())
        .isEqualTo("{\"data\":\"\",\"offset\":3}");
    assertThat(server.get("/files/read?path=/sandbox/stdout&offset=99").body())
        .isEqualTo("{\"data\":\"\",\"offset\":99}");
    Files.writeString(sandbox.resolve("umlaut"), "x" + "\u00e4".repeat(50_000));
    String first = server.get("/files/read?path=/sandbox/umlaut&offset=0").body();
    assertThat(first).doesNotContain("\ufffd");
    assertThat(first.length()).isBetween(32_000, 33_000);
  }

  @Test
  void answersBadReadsAsClientsKnowIt() throws Exception {
    String[][] cases = {
      {"/files/read", "400", "Expecting 'path=value' in query.\n"},
      {"/files/browse", "400", "Expecting 'path=value' in query.\n"},
      {"/files/download", "400", "Expecting 'path=value' in query.\n"},
      {"/files/read?path=/sandbox&offset=0", "400", "Cannot read a directory.\n"},
      {
        "/files/read?path=/sandbox/stdout&offset=abc",
        "400",
        "Failed to parse offset: Failed to convert 'abc' to number.\n"
      },
      {"/files/read?path=/sandbox/stdout&offset=-2", "400", "Negative offset provided: -2.\n"},
      {
        "/files/read?path=/sandbox/stdout&offset=0&length=-2",
        "400",
        "Negative length provided: -2.\n"
      },
      {"/files/read?path=/sandbox/nope&offset=0", "404", ""},
      {"/files/browse?path=/", "404", ""},
      {"/files/browse?path=/sandboxes", "404", ""},
      {"/files/download?path=/nope", "404", "404 Not Found."},
      {"/files/download?path=/sandbox", "400", "Cannot download a directory.\n"},
      {"/files/browse?path=/sandbox/..", "400", "'/sandbox/..' is inaccessible.\n"},
      {"/files/read?path=/sandbox/../secret", "400", "'/sandbox/../secret' is inaccessible.\n"},
    };
    for (String[] one : cases) {
      var answer = server.get(one[0]);
      assertThat(answer.statusCode()).as(one[0]).isEqualTo(Integer.parseInt(one[1]));
      assertThat(answer.body()).as(one[0]).isEqualTo(one[2]);
    }
  }

  @Test
  void followsNoLinkThatLeadsOut() throws Exception {
    Files.createSymbolicLink(sandbox.resolve("out"), dir.resolve("secret"));
    Files.createSymbolicLink(sandbox.resolve("up"), dir);
    Files.createSymbolicLink(sandbox.resolve("in"), sandbox.resolve("stdout"));
    for (String kind : new String[] {"read", "download"}) {
      for (String path : new String[] {"out", "up/secret"}) {
        var answer = server.get("/files/" + kind + "?offset=0&path=/sandbox/" + path);
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("is inaccessible");
      }
    }
    assertThat(server.get("/files/browse?path=/sandbox/up").statusCode()).isEqualTo(400);
    assertThat(server.get("/files/download?path=/sandbox/in").body()).isEqualTo("hi\n");
  }

  @Test
  void downloads() throws Exception {
    byte[] large = "0123456789abcdef".repeat(200_000).getBytes(StandardCharsets.UTF_8);
    Files.write(sandbox.resolve("large one"), large);
    var answer = server.get("/files/download?path=/sandbox/large%20one");
    assertThat(answer.body()).hasSize(large.length);
    assertThat(answer.headers().firstValue("Content-Type")).contains("application/octet-stream");
    assertThat(answer.headers().firstValue("Content-Length")).contains("" + large.length);
    assertThat(answer.headers().firstValue("Content-Disposition"))
        .contains("attachment; filename=\"large one\"");
    assertThat(
            server
                .get("/files/download?path=/sandbox/stdout")
                .headers()
                .firstValue("Content-Disposition"))
        .contains("attachment; filename=stdout");
  }

  @Test
  void aSingleFileIsShownWithoutItsNeighbours() throws Exception {
    files.attach(
        "/slave/log", sandbox.resolve("stdout"), Question.about(Action.ACCESS_SANDBOX, "ann"));
    assertThat(server.get("/files/read?path=/slave/log&offset=0").body()).contains("hi");
    assertThat(server.get("/files/download?path=/slave/log").body()).isEqualTo("hi\n");
    assertThat(server.get("/files/browse?path=/slave/log").body())
        .contains("\"path\":\"/slave/log\"", "\"size\":3");
    assertThat(server.get("/files/read?path=/slave/log/../x&offset=0").statusCode())
        .isGreaterThanOrEqualTo(400);
    assertThat(server.get("/files/browse?path=/slave").statusCode()).isEqualTo(404);
    files.attach(
        "/slave/log", sandbox.resolve("none"), Question.about(Action.ACCESS_SANDBOX, "ann"));
    assertThat(server.get("/files/read?path=/slave/log&offset=0").statusCode()).isEqualTo(404);
  }

  @Test
  void asksWhoseAPathIsAndForgetsWhatIsDetached() throws Exception {
    files.attach("/guarded", sandbox, Question.about(Action.ACCESS_SANDBOX, "root"));
    assertThat(server.get("/files/browse?path=/guarded").statusCode()).isEqualTo(403);
    assertThat(server.get("/files/read?path=/guarded/stdout&offset=0").statusCode()).isEqualTo(403);
    files.detach("/guarded/");
    assertThat(server.get("/files/browse?path=/guarded").statusCode()).isEqualTo(404);
  }
}
