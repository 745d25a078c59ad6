package org.mezzo.daemon.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.TestFlags;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallApi;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.agent.Call;

class HelpEndpointTest {
  @TempDir Path dir;

  private final Workers workers = new Workers("test", 2);
  private final VirtualFiles files = new VirtualFiles("test", Authorization.none());
  private TestServer server;

  private static final class Odd implements ApiEndpoint {
    @Override
    public EndpointDeclaration declaration() {
      return new EndpointDeclaration(
          "/odd/one",
          Set.of("PUT", "GET"),
          Access.READWRITE,
          Permission.perObject(Action.VIEW_TASK),
          Help.of("<script>alert('odd')</script> & \"more\"", "Whole sentences.")
              .with("limit", "at most <so> many"));
    }

    @Override
    public void handle(HttpExchange exchange, Optional<Principal> principal) {
      exchange.respond(HttpResponse.status(200));
    }
  }

  private static final class ReadCall implements ApiCall<Call> {
    @Override
    public CallDeclaration<Call> declaration() {
      return CallDeclaration.<Call>of(
              Call.Type.READ_FILE, Permission.of(Action.ACCESS_SANDBOX), "Reads <a> file.")
          .carrying("read_file");
    }

    @Override
    public void handle(Call call, CallExchange exchange) {
      exchange.ok();
    }
  }

  @BeforeEach
  void open() throws Exception {
    Router router = new Router("slave(1)", Authentication.NONE, Authorization.none(), workers);
    CommonEndpoints.install(
        router,
        LocalModules.daemon("agent", Role.AGENT, dir),
        new TestFlags(Map.of()),
        new MetricsRegistry(),
        files,
        Optional.empty(),
        workers);
    router.add(new Odd());
    CallTable<Call> table =
        new CallTable<>(
            Call.getDefaultInstance(),
            Authorization.none(),
            workers,
            new MetricsRegistry(),
            "calls",
            List.of(new ReadCall()));
    router.add(
        new CallApi<>(
            new EndpointDeclaration(
                "/api/v1", Access.READWRITE, CallApi.PERMISSION, Help.of("Calls.", "Takes calls.")),
            new CallEndpoint<>(Call.getDefaultInstance(), "agent::Call", workers, table::handle),
            table));
    server = new TestServer(router);
  }

  @AfterEach
  void close() {
    server.close();
    files.close();
    workers.close();
  }

  @Test
  void listsEverythingById() throws Exception {
    var answer = server.get("/help");
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
    assertThat(answer.body())
        .containsSubsequence(
            "<a href=\"/help/files\">/files</a>",
            "<a href=\"/help/files/browse\">/files/browse</a>",
            "What a directory holds.",
            "<a href=\"/help/metrics\">/metrics</a>",
            "<a href=\"/help/slave(1)\">/slave(1)</a>",
            "<a href=\"/help/slave(1)/api/v1\">/slave(1)/api/v1</a>",
            "<a href=\"/help/slave(1)/health\">/slave(1)/health</a>",
            "<a href=\"/help/version\">/version</a>");
    assertThat(server.get("/slave(1)/help/").body()).isEqualTo(answer.body());
    assertThat(server.get("/help/files").body())
        .contains("/files/browse", "/files/read", "/files/download", "/files/debug")
        .doesNotContain("/metrics", "/slave(1)");
  }

  @Test
  void tellsWhatAnEndpointTakesAndAsks() throws Exception {
    assertThat(server.get("/help/slave(1)/odd/one/").body())
        .containsSubsequence(
            "<h3>/slave(1)/odd/one</h3>",
            "Whole sentences.",
            "Methods: GET, PUT",
            "<dt>limit</dt><dd>at most &lt;so&gt; many</dd>",
            "In realm mesos-agent-readwrite, where",
            "VIEW_TASK of each object");
    assertThat(server.get("/help/slave(1)/flags").body()).contains("VIEW_FLAGS");
    assertThat(server.get("/help/metrics/snapshot").body())
        .contains("GET_ENDPOINT_WITH_PATH of /metrics/snapshot");
    assertThat(server.get("/help/slave(1)/api/v1").body())
        .containsSubsequence(
            "<td>READ_FILE</td>", "<td>read_file</td>", "Reads &lt;a&gt; file.", "ACCESS_SANDBOX");
    assertThat(server.get("/help/version").body())
        .contains("nothing: clients ask for the version before");
  }

  @Test
  void noTextBecomesMarkup() throws Exception {
    for (String path : List.of("/help", "/help/slave(1)/odd/one")) {
      assertThat(server.get(path).body())
          .contains("&lt;script&gt;alert(&#39;odd&#39;)&lt;/script&gt; &amp; &quot;more&quot;")
          .doesNotContain("<script>");
    }
    var unknown = server.get("/help/%3Cscript%3E");
    assertThat(unknown.statusCode()).isEqualTo(404);
    assertThat(unknown.body()).isEqualTo("No help available for '/%3Cscript%3E'. See /help.\n");
    assertThat(unknown.headers().firstValue("Content-Type")).contains("text/plain; charset=utf-8");
  }

  @Test
  void tellsTheSameAsJson() throws Exception {
    assertThat(server.get("/help/slave(1)/odd/one?format=json").body())
        .isEqualTo(
            "{\"processes\":[{\"id\":\"slave(1)\",\"endpoints\":[{\"name\":\"/odd/one\","
                + "\"path\":\"/slave(1)/odd/one\",\"methods\":[\"GET\",\"PUT\"],"
                + "\"summary\":\"<script>alert('odd')</script> & \\\"more\\\"\","
                + "\"description\":\"Whole sentences.\","
                + "\"parameters\":[{\"name\":\"limit\",\"meaning\":\"at most <so> many\"}],"
                + "\"realm\":\"mesos-agent-readwrite\","
                + "\"authorization\":\"VIEW_TASK of each object\"}]}]}");
    assertThat(server.get("/help?format=json").body())
        .containsSubsequence(
            "{\"id\":\"files\",\"endpoints\":[{\"name\":\"/browse\",\"path\":\"/files/browse\"",
            "\"calls\":[{\"type\":\"READ_FILE\",\"message\":\"read_file\",\"summary\":\"Reads <a>"
                + " file.\",\"authorization\":\"ACCESS_SANDBOX\"}]",
            "{\"id\":\"version\",\"endpoints\":[{\"name\":\"/\",\"path\":\"/version\"");
  }
}
