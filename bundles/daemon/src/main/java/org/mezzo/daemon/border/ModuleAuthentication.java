package org.mezzo.daemon.border;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.HttpAuthenticator.Result;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.DaemonIdentity;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.flags.Flags;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Authentication by leased modules, where the daemon's flags demand it (rules 8 and 14). Of several
 * authenticators the first that knows the sender decides. A request that all of them refuse is
 * answered with 401; one that none refuses and none knows, because modules are absent, late or
 * failing, with 503: absent is not allowed. Safe for any thread.
 */
public final class ModuleAuthentication implements Authentication, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleAuthentication.class);

  private record Judged(String scheme, Result result) {}

  private final Role role;
  private final Map<Access, List<ModuleLease<HttpAuthenticator>>> demanded = new LinkedHashMap<>();
  private final Map<String, ModuleLease<HttpAuthenticator>> leases = new LinkedHashMap<>();

  /**
   * Leases the authenticators that the flags demand; none when they demand nothing.
   *
   * @param events where the lease reports; must not be the event loop if that may be busy
   */
  public ModuleAuthentication(
      DaemonIdentity daemon,
      Flags flags,
      MetricsRegistry metrics,
      ModuleLeases modules,
      Executor events) {
    this.role = daemon.role();
    String operators = flags.text("http_authenticators").orElse("basic");
    if (flags.bool("authenticate_http_readonly")) {
      demand(Access.READONLY, operators, daemon, metrics, modules, events);
    }
    if (flags.bool("authenticate_http_readwrite")) {
      demand(Access.READWRITE, operators, daemon, metrics, modules, events);
    }
    if (role == Role.MASTER && flags.bool("authenticate_http_frameworks")) {
      String frameworks = flags.text("http_framework_authenticators").orElse(operators);
      demand(Access.SCHEDULER, frameworks, daemon, metrics, modules, events);
    }
    if (role == Role.AGENT && flags.bool("authenticate_http_executors")) {
      demand(Access.EXECUTOR, operators, daemon, metrics, modules, events);
    }
  }

  private void demand(
      Access access,
      String names,
      DaemonIdentity daemon,
      MetricsRegistry metrics,
      ModuleLeases modules,
      Executor events) {
    List<ModuleLease<HttpAuthenticator>> wanted = new ArrayList<>();
    for (String name : names.split(",")) {
      wanted.add(
          leases.computeIfAbsent(
              name.strip(),
              key ->
                  modules.lease(
                      LeaseRequest.of(
                          Kinds.HTTP_AUTHENTICATOR,
                          key,
                          daemon.forModule(HttpAuthenticator.KIND, key, metrics),
                          events))));
    }
    demanded.put(access, List.copyOf(wanted));
  }

  @Override
  public CompletionStage<Verdict> authenticate(HttpExchange exchange, Access access) {
    List<ModuleLease<HttpAuthenticator>> wanted = demanded.get(access);
    if (wanted == null) {
      return CompletableFuture.completedFuture(Verdict.pass(Optional.empty()));
    }
    String realm = realm(access);
    var request =
        new HttpAuthenticator.Request(
            exchange.method(), exchange.path(), exchange.headers(), realm);
    List<CompletableFuture<Judged>> asked =
        wanted.stream().map(lease -> ask(lease, request)).toList();
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(
            unused -> judge(exchange, realm, asked.stream().map(CompletableFuture::join).toList()));
  }

  /** Completes with null when there is no verdict. */
  private static CompletableFuture<Judged> ask(
      ModuleLease<HttpAuthenticator> lease, HttpAuthenticator.Request request) {
    return lease
        .ask(
            "authenticate",
            module ->
                new Judged(
                    Objects.requireNonNull(module.scheme(), "its scheme"),
                    Objects.requireNonNull(module.authenticate(request), "its verdict")))
        .toCompletableFuture()
        .exceptionally(
            failure -> {
              LOG.warn("An authenticator gave no verdict; the request is refused", failure);
              return null;
            });
  }

  private Verdict judge(HttpExchange exchange, String realm, List<Judged> judged) {
    Optional<Principal> principal =
        judged.stream()
            .flatMap(one -> one == null ? Stream.empty() : one.result.principal().stream())
            .findFirst();
    if (principal.isPresent()) {
      if (role == Role.MASTER && principal.get().value().isEmpty()) {
        return Verdict.refuse(
            HttpResponse.text(
                403,
                "The request's authenticated principal contains claims, but no value string."));
      }
      return Verdict.pass(principal);
    }
    List<Judged> refusals = judged.stream().filter(one -> one != null).toList();
    if (refusals.isEmpty()) {
      return Verdict.refuse(
          HttpResponse.text(
              503,
              "Authentication is demanded here, but its module is not available. Install it, or"
                  + " try again later."));
    }
    LOG.info(
        "Refused {} {} from {}: {}",
        exchange.method(),
        exchange.path(),
        exchange.remote(),
        refusals.get(0).result.reason());
    String challenge =
        refusals.stream()
            .map(one -> one.scheme + " realm=\"" + realm + "\"")
            .distinct()
            .collect(Collectors.joining(", "));
    return Verdict.refuse(
        HttpResponse.text(401, "401 Unauthorized.").with("WWW-Authenticate", challenge));
  }

  private String realm(Access access) {
    String daemon = role == Role.MASTER ? "mesos-master-" : "mesos-agent-";
    return daemon + access.name().toLowerCase(java.util.Locale.ROOT);
  }

  /** Gives the leases back; requests that demand authentication are refused from then on. */
  @Override
  public void close() {
    leases.values().forEach(ModuleLease::close);
  }
}
