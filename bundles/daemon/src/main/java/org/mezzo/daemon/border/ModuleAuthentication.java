package org.mezzo.daemon.border;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.HttpAuthenticator.Result;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleChain;
import org.mezzo.modules.ModuleChain.Selection;
import org.mezzo.modules.ModuleLease;
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
  private final ModuleChain<HttpAuthenticator> authenticators;

  /** Names by access, the latest first, until the modules of the latest are there. */
  private volatile List<Map<Access, List<String>>> demanded;

  /**
   * Leases the authenticators.
   *
   * @param role of the daemon, which has realms of its own
   * @param names of the modules that must know the sender, by access; what is absent is open
   * @param workers where the leases report: on their lane for answers
   */
  public ModuleAuthentication(
      Role role, Map<Access, List<String>> names, DaemonModules modules, Workers workers) {
    this.role = role;
    demanded = List.of(Map.copyOf(names));
    authenticators = modules.chain(Kinds.HTTP_AUTHENTICATOR, all(names), workers.answers());
  }

  private static List<String> all(Map<Access, List<String>> names) {
    return names.values().stream().flatMap(List::stream).distinct().toList();
  }

  /**
   * Selects other authenticators, which are asked from when they have opened. What is open stays
   * open, and nothing else becomes so.
   *
   * @param names by access, of which only those count that are demanded already
   */
  public synchronized void select(Map<Access, List<String>> names) {
    Map<Access, List<String>> next = new EnumMap<>(Access.class);
    next.putAll(demanded.get(0));
    next.replaceAll((access, before) -> names.getOrDefault(access, before));
    try (Selection<HttpAuthenticator> selection = authenticators.now()) {
      demanded =
          Stream.concat(Stream.of(Map.copyOf(next)), inEffect(leases(selection)).stream()).toList();
    }
    authenticators.select(all(next));
  }

  /** Those of a selection that are to be asked; those of before until all of the next are there. */
  private List<ModuleLease<HttpAuthenticator>> wanted(
      Selection<HttpAuthenticator> selection, Access access) {
    Map<String, ModuleLease<HttpAuthenticator>> leases = leases(selection);
    return inEffect(leases)
        .map(names -> names.get(access).stream().map(leases::get).toList())
        .orElse(List.of());
  }

  /** The names selected last of which all are leased. */
  private Optional<Map<Access, List<String>>> inEffect(
      Map<String, ModuleLease<HttpAuthenticator>> leases) {
    return demanded.stream().filter(it -> leases.keySet().containsAll(all(it))).findFirst();
  }

  private static Map<String, ModuleLease<HttpAuthenticator>> leases(
      Selection<HttpAuthenticator> selection) {
    Map<String, ModuleLease<HttpAuthenticator>> leases = new LinkedHashMap<>();
    selection.members().forEach(member -> leases.put(member.name(), member.lease()));
    return leases;
  }

  @Override
  public CompletionStage<Verdict> authenticate(HttpExchange exchange, Access access) {
    if (!demanded.get(0).containsKey(access)) {
      return CompletableFuture.completedFuture(Verdict.pass(Optional.empty()));
    }
    String realm = access.realm(role).orElseThrow();
    var request =
        HttpAuthenticator.Request.of(exchange.method(), exchange.path(), exchange.headers(), realm);
    Selection<HttpAuthenticator> selection = authenticators.now();
    List<CompletableFuture<Judged>> asked =
        wanted(selection, access).stream().map(lease -> ask(lease, request)).toList();
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .whenComplete((unused, failure) -> selection.close())
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

  /** Gives the leases back; requests that demand authentication are refused from then on. */
  @Override
  public void close() {
    authenticators.close();
  }
}
