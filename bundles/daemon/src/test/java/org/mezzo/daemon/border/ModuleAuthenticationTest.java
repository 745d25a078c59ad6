package org.mezzo.daemon.border;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.Module;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.DaemonIdentity;
import org.mezzo.daemon.TestEndpoint;
import org.mezzo.daemon.TestFlags;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.configuration.ModuleParameters;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;

@Timeout(20)
class ModuleAuthenticationTest {
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final Workers workers = new Workers("test", 2);
  private final Leases leases = new Leases();
  private TestServer server;

  @AfterEach
  void close() {
    if (server != null) {
      server.close();
    }
    workers.close();
  }

  /** Leases of one module, or of none. */
  private static final class Leases implements ModuleLeases {
    private Module module;

    @Override
    public <M extends Module> ModuleLease<M> lease(LeaseRequest<M> request) {
      return new ModuleLease<>() {
        @Override
        public void select(String name) {}

        @Override
        public long epoch() {
          return module == null ? 0 : 1;
        }

        @Override
        public Optional<ModuleDescription> holder() {
          return Optional.empty();
        }

        @Override
        public <R> CompletionStage<R> call(
            long epoch, String operation, Duration deadline, Call<M, R> call) {
          try {
            return CompletableFuture.completedFuture(call.apply(request.type().cast(module)));
          } catch (Exception e) {
            return CompletableFuture.failedFuture(
                new ModuleException(ModuleException.Kind.THREW, "on purpose", e));
          }
        }

        @Override
        public int backlog() {
          return 0;
        }

        @Override
        public void close() {}
      };
    }

    @Override
    public List<ModuleDescription> modules() {
      return List.of();
    }

    @Override
    public List<LeaseDescription> leases() {
      return List.of();
    }

    @Override
    public CompletionStage<Void> drain(long bundleId, Duration deadline) {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void readmit(long bundleId) {}

    @Override
    public List<DaemonContext> wanting(String kind, String name) {
      return List.of();
    }

    @Override
    public List<ModuleDescription> quarantined() {
      return List.of();
    }
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

  private static DaemonIdentity daemon(Role role) {
    return new DaemonIdentity(
        "test",
        role,
        Path.of("work"),
        Path.of("run"),
        Map.of(),
        ModuleParameters.NONE,
        new MetricsRegistry());
  }

  private void serve(Role role, Map<String, String> flags) throws Exception {
    Router router =
        new Router(
            "master",
            new ModuleAuthentication(
                daemon(role),
                BorderFlags.of(role, new TestFlags(flags)).authenticators(),
                metrics,
                leases,
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
    server = new TestServer(router);
  }

  @Test
  void asksOnlyWhereTheFlagsDemandIt() throws Exception {
    leases.module = new Authenticator(Principal.named("ann"));
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
    leases.module = new Authenticator(Principal.named("ann"));
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
    leases.module = new Authenticator(Principal.named("ann"));
    assertThat(server.send("GET", "/SCHEDULER", new byte[0], "Authorization", "crash").statusCode())
        .isEqualTo(503);
    assertThat(server.send("GET", "/SCHEDULER", new byte[0], "Authorization", "right").statusCode())
        .isEqualTo(200);
  }

  @Test
  void masterRefusesPrincipalsWithoutValue() throws Exception {
    leases.module = new Authenticator(new Principal(Optional.empty(), Map.of("a", "b")));
    serve(Role.MASTER, Map.of("authenticate_http_readonly", "true"));
    assertThat(server.send("GET", "/READONLY", new byte[0], "Authorization", "right").statusCode())
        .isEqualTo(403);
  }

  @Test
  void authorizesOnlyWithAcls() throws Exception {
    var open = authorization(Map.of());
    assertThat(open.demanded()).isFalse();
    assertThat(allowed(open)).isTrue();

    var closed = authorization(Map.of("acls", "{}"));
    assertThat(closed.demanded()).isTrue();
    assertThat(allowed(closed)).as("absent").isFalse();
    leases.module = (Authorizer) request -> request.object().isPresent();
    assertThat(allowed(closed)).as("yes").isTrue();
    leases.module = (Authorizer) request -> false;
    assertThat(allowed(closed)).as("no").isFalse();
    leases.module =
        (Authorizer)
            request -> {
              throw new IllegalStateException("on purpose");
            };
    assertThat(allowed(closed)).as("failing").isFalse();
  }

  private Authorization authorization(Map<String, String> flags) throws Exception {
    return Authorization.of(
        daemon(Role.AGENT),
        BorderFlags.of(Role.AGENT, new TestFlags(flags)).authorizer(),
        metrics,
        leases,
        workers);
  }

  private static boolean allowed(Authorization authorization) {
    return authorization
        .allowed(Optional.empty(), Action.VIEW_ROLE, Optional.of("role"))
        .toCompletableFuture()
        .join();
  }
}
