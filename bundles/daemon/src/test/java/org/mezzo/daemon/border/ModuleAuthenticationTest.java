package org.mezzo.daemon.border;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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
import org.mezzo.fixtures.Await;
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
  private ModuleAuthentication authentication;

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
    authentication =
        new ModuleAuthentication(
            role,
            BorderFlags.of(role, new TestFlags(flags)).authenticators(),
            modules(role),
            workers);
    Router router = new Router("master", authentication, Authorization.none(), workers);
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

  /** Whoever is to come is asked once it is there; until then those of before are. */
  @Test
  void othersCanBeSelectedWithoutARefusalInBetween() throws Exception {
    register(Kinds.HTTP_AUTHENTICATOR, "basic", new Authenticator(Principal.named("ann")));
    CompletableFuture<Void> opens = new CompletableFuture<>();
    modules.register(
        HttpAuthenticator.class,
        HttpAuthenticator.KIND,
        "other",
        () -> {
          opens.join();
          return new Authenticator(Principal.named("bob"));
        });
    serve(Role.MASTER, Map.of("authenticate_http_readonly", "true"));
    authentication.select(
        Map.of(Access.READONLY, List.of("other"), Access.READWRITE, List.of("other")));
    for (int i = 0; i < 5; i++) {
      assertThat(who("/READONLY")).isEqualTo("ann");
    }
    assertThat(server.get("/READWRITE").body()).as("open as before").isEqualTo("nobody");
    opens.complete(null);
    Await.until("the other is asked", () -> !who("/READONLY").equals("ann"));
    assertThat(who("/READONLY")).isEqualTo("bob");
    assertThat(server.get("/READONLY").statusCode()).isEqualTo(401);
  }

  private String who(String path) throws Exception {
    return server.send("GET", path, new byte[0], "Authorization", "right").body();
  }

  @Test
  void namesTheRealmOfDaemonAndRoute() throws Exception {
    register(Kinds.HTTP_AUTHENTICATOR, "basic", new Authenticator(Principal.named("ann")));
    serve(
        Role.AGENT,
        Map.of("authenticate_http_readwrite", "true", "authenticate_http_executors", "true"));
    assertThat(server.get("/READWRITE").headers().firstValue("WWW-Authenticate"))
        .contains("Basic realm=\"mesos-agent-readwrite\"");
    assertThat(server.get("/EXECUTOR").statusCode()).as("no tokens yet").isEqualTo(503);
    authentication.accept(token -> Optional.empty());
    assertThat(server.get("/EXECUTOR").headers().firstValue("WWW-Authenticate"))
        .contains("Bearer realm=\"mesos-agent-executor\"");
  }

  @Test
  void knowsWhoBringsATokenOfTheDaemonAndExecutorsByNothingElse() throws Exception {
    register(Kinds.HTTP_AUTHENTICATOR, "basic", new Authenticator(Principal.named("ann")));
    serve(
        Role.AGENT,
        Map.of("authenticate_http_readwrite", "true", "authenticate_http_executors", "true"));
    authentication.accept(
        token -> token.equals("known") ? Optional.of(Principal.named("eve")) : Optional.empty());
    for (String path : List.of("/EXECUTOR", "/READWRITE")) {
      assertThat(server.send("GET", path, new byte[0], "Authorization", "bearer known").body())
          .isEqualTo("eve");
      assertThat(
              server.send("GET", path, new byte[0], "Authorization", "Bearer other").statusCode())
          .isEqualTo(401);
    }
    assertThat(who("/READWRITE")).isEqualTo("ann");
    assertThat(who("/EXECUTOR")).isEqualTo("401 Unauthorized.");
    assertThat(server.send("GET", "/READONLY", new byte[0], "Authorization", "Bearer known").body())
        .as("where nobody is asked")
        .isEqualTo("nobody");
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
