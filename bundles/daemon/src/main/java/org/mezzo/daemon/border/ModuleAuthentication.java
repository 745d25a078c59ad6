package org.mezzo.daemon.border;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collector;
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
import org.mezzo.modules.ModuleChain.Member;
import org.mezzo.modules.ModuleChain.Selection;
import org.mezzo.modules.ModuleException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Authentication by leased modules, where the daemon's flags demand it (rules 8 and 14). Of several
 * authenticators the first that knows the sender decides. A request that all of them refuse is
 * answered with 401; one that none refuses and none knows, because modules are absent, late or
 * failing, with 503: absent is not allowed. Who brings a token that the daemon has given is known
 * without asking a module; executors are known by nothing else unless modules are named for them.
 * Safe for any thread.
 */
public final class ModuleAuthentication implements Authentication, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleAuthentication.class);

  /** What an authenticator said, or else why it said nothing. */
  private record Judged(String scheme, Result result, String problem) {
    static Judged nothing(String name, Throwable failure) {
      String why =
          ModuleException.kindOf(failure)
              .map(kind -> kind.name().toLowerCase(Locale.ROOT))
              .orElse("failed");
      return new Judged("", null, name + ": " + why);
    }

    boolean isVerdict() {
      return result != null;
    }
  }

  private final Role role;
  private final ModuleChain<HttpAuthenticator> authenticators;

  /** So many selections may follow each other faster than their modules open. */
  private static final int REMEMBERED = 8;

  private static final String BEARER = "Bearer ";

  /** What the daemon gave to others. */
  private volatile Optional<BearerTokens> tokens = Optional.empty();

  /** Names by access, the latest first, with those of before. */
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
      // Those of before that are nearly in effect, and those that some request still sees.
      demanded =
          Stream.of(
                  Stream.of(Map.copyOf(next)),
                  demanded.stream().limit(REMEMBERED),
                  inEffect(members(selection)).stream())
              .flatMap(each -> each)
              .distinct()
              .toList();
    }
    authenticators.select(all(next));
  }

  /** Those of a selection that are to be asked; those of before until all of the next are there. */
  private List<Member<HttpAuthenticator>> wanted(
      Selection<HttpAuthenticator> selection, Access access) {
    Map<String, Member<HttpAuthenticator>> members = members(selection);
    return inEffect(members)
        .map(names -> names.get(access).stream().map(members::get).toList())
        .orElse(List.of());
  }

  /** The names selected last of which all are leased. */
  private Optional<Map<Access, List<String>>> inEffect(
      Map<String, Member<HttpAuthenticator>> members) {
    return demanded.stream().filter(it -> members.keySet().containsAll(all(it))).findFirst();
  }

  private static Map<String, Member<HttpAuthenticator>> members(
      Selection<HttpAuthenticator> selection) {
    Map<String, Member<HttpAuthenticator>> members = new LinkedHashMap<>();
    selection.members().forEach(member -> members.put(member.name(), member));
    return members;
  }

  /** Knows from now on who has been given a token. */
  public void accept(BearerTokens given) {
    tokens = Optional.of(given);
  }

  private Optional<Principal> ofToken(HttpExchange exchange) {
    return exchange
        .header("Authorization")
        .filter(header -> header.regionMatches(true, 0, BEARER, 0, BEARER.length()))
        .flatMap(
            header ->
                tokens.flatMap(
                    known -> known.principal(header.substring(BEARER.length()).strip())));
  }

  @Override
  public CompletionStage<Verdict> authenticate(HttpExchange exchange, Access access) {
    if (!demanded.get(0).containsKey(access)) {
      return CompletableFuture.completedFuture(Verdict.pass(Optional.empty()));
    }
    String realm = access.realm(role).orElseThrow();
    Optional<Principal> executor = ofToken(exchange);
    if (executor.isPresent()) {
      return CompletableFuture.completedFuture(Verdict.pass(executor));
    }
    Selection<HttpAuthenticator> selection = authenticators.now();
    List<Member<HttpAuthenticator>> wanted = wanted(selection, access);
    if (access == Access.EXECUTOR && tokens.isPresent() && wanted.isEmpty()) {
      selection.close();
      LOG.info(
          "Refused {} {} from {}: no token", exchange.method(), exchange.path(), exchange.remote());
      return CompletableFuture.completedFuture(
          Verdict.refuse(
              HttpResponse.text(401, "401 Unauthorized.")
                  .with("WWW-Authenticate", BEARER + "realm=\"" + realm + "\"")));
    }
    var request =
        HttpAuthenticator.Request.of(exchange.method(), exchange.path(), exchange.headers(), realm);
    List<CompletableFuture<Judged>> asked =
        wanted.stream().map(member -> ask(member, request)).toList();
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .whenComplete((unused, failure) -> selection.close())
        .thenApply(
            unused -> judge(exchange, realm, asked.stream().map(CompletableFuture::join).toList()));
  }

  private static CompletableFuture<Judged> ask(
      Member<HttpAuthenticator> member, HttpAuthenticator.Request request) {
    return member
        .lease()
        .ask(
            "authenticate",
            module ->
                new Judged(
                    Objects.requireNonNull(module.scheme(), "its scheme"),
                    Objects.requireNonNull(module.authenticate(request), "its verdict"),
                    ""))
        .toCompletableFuture()
        .exceptionally(
            failure -> {
              LOG.warn("An authenticator gave no verdict; the request is refused", failure);
              return Judged.nothing(member.name(), failure);
            });
  }

  private static Collector<CharSequence, ?, String> problems() {
    return Collectors.collectingAndThen(
        Collectors.joining(", "), all -> all.isEmpty() ? "" : " (" + all + ")");
  }

  private Verdict judge(HttpExchange exchange, String realm, List<Judged> judged) {
    Optional<Principal> principal =
        judged.stream()
            .filter(Judged::isVerdict)
            .flatMap(one -> one.result.principal().stream())
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
    List<Judged> refusals = judged.stream().filter(Judged::isVerdict).toList();
    if (refusals.isEmpty()) {
      return Verdict.refuse(
          HttpResponse.text(
              503,
              "Authentication is demanded here, but its module is not available"
                  + judged.stream().map(Judged::problem).collect(problems())
                  + ". Install it, or try again later."));
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
