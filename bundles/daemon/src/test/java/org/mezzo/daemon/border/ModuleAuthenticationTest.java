package org.mezzo.daemon.border;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.Module;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.TestEndpoint;
import org.mezzo.daemon.TestFlags;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kind;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;

@Timeout(20)
class ModuleAuthenticationTest {
  private final Workers workers = new Workers("test", 2);
  private final LocalModules modules = new LocalModules();
  private TestServer server;

  @AfterEach
  void close() {
    if (server != null) {
      server.close();
    }
    modules.close();
    workers.close();
  }

  private record Authenticator(Principal principal) implements HttpAuthenticator {
    @Override
    public String scheme() {
      return "Basic";
    }

    @Override
    public Result authenticate(Request request) {
      String given = request.header("authorization").orElse("");
      if (given.equals("crash")) {
        throw new IllegalStateException("on purpose");
      }
      return given.equals("right") ? Result.of(principal) : Result.refused("wrong");
    }
  }

  private DaemonModules modules(Role role) {
    return modules.of(LocalModules.daemon("test", role, Path.of("nowhere")));
  }

  /** Registers it and waits until whoever wants it has it. */
  private <M extends Module> LocalModules.Registered register(Kind<M> kind, String name, M module)
      throws InterruptedException {
    LocalModules.Registered registered = modules.register(kind, name, module);
    modules.awaitHolders();
    return registered;
  }

  private void serve(Role role, Map<String, String> flags) throws Exception {
    Router router =
        new Router(
            "master",
            new ModuleAuthentication(
                role,
                BorderFlags.of(role, new TestFlags(flags)).authenticators(),
                modules(role),
                workers),
            Authorization.none(),
            workers);
    for (Access access : Access.values()) {
      router.add(
          TestEndpoint.of(
              "/" + access,
              access,
              (it, who) ->
                  it.respond(
                      HttpResponse.text(200, who.flatMap(Principal::value).orElse("nobody")))));
    }
    modules.awaitHolders();
    server = new TestServer(router);
  }

  @Test
  void asksOnlyWhereTheFlagsDemandIt() throws Exception {
    register(Kinds.HTTP_AUTHENTICATOR, "basic", new Authenticator(Principal.named("ann")));
    serve(Role.MASTER, Map.of("authenticate_http_readonly", "true"));
    assertThat(server.get("/READWRITE").body()).isEqualTo("nobody");
    var refused = server.get("/READONLY");
    assertThat(refused.statusCode()).isEqualTo(401);
    assertThat(refused.body()).isEqualTo("401 Unauthorized.");
    assertThat(refused.headers().firstValue("WWW-Authenticate"))
        .contains("Basic realm=\"mesos-master-readonly\"");
    assertThat(server.send("GET", "/READONLY", new byte[0], "Authorization", "right").body())
        .isEqualTo("ann");
  }

  @Test
  void namesTheRealmOfDaemonAndRoute() throws Exception {
    register(Kinds.HTTP_AUTHENTICATOR, "basic", new Authenticator(Principal.named("ann")));
    serve(
        Role.AGENT,
        Map.of("authenticate_http_readwrite", "true", "authenticate_http_executors", "true"));
    assertThat(server.get("/READWRITE").headers().firstValue("WWW-Authenticate"))
        .contains("Basic realm=\"mesos-agent-readwrite\"");
    assertThat(server.get("/EXECUTOR").headers().firstValue("WWW-Authenticate"))
        .contains("Basic realm=\"mesos-agent-executor\"");
  }

  @Test
  void refusesWhenTheModuleIsAbsentOrFails() throws Exception {
    serve(Role.MASTER, Map.of("authenticate_http_frameworks", "true"));
    assertThat(server.get("/SCHEDULER").statusCode()).isEqualTo(503);
    register(Kinds.HTTP_AUTHENTICATOR, "basic", new Authenticator(Principal.named("ann")));
    assertThat(server.send("GET", "/SCHEDULER", new byte[0], "Authorization", "crash").statusCode())
        .isEqualTo(503);
    assertThat(server.send("GET", "/SCHEDULER", new byte[0], "Authorization", "right").statusCode())
        .isEqualTo(200);
  }

  @Test
  void masterRefusesPrincipalsWithoutValue() throws Exception {
    register(
        Kinds.HTTP_AUTHENTICATOR,
        "basic",
        new Authenticator(new Principal(Optional.empty(), Map.of("a", "b"))));
    serve(Role.MASTER, Map.of("authenticate_http_readonly", "true"));
    assertThat(server.send("GET", "/READONLY", new byte[0], "Authorization", "right").statusCode())
        .isEqualTo(403);
  }
}
