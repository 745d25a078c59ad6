package org.mezzo.daemon.border;

import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpHandler;
import org.mezzo.http.HttpResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the endpoint of a request: by the longest prefix of whole path segments, with and without
 * the daemon's id in front, however many slashes stand before and behind the id and at the end, and
 * with {@code .json} behind the last segment for readers of old (rules 1 and 2). What has no
 * endpoint is answered with 404.
 *
 * <p>Routes may come and go while requests are served. Safe for any thread.
 */
public final class Router implements HttpHandler {
  private static final Logger LOG = LoggerFactory.getLogger(Router.class);
  private static final String JSON = ".json";

  /** Of which time numbers tell. */
  private static final Duration WINDOW = Duration.ofMinutes(10);

  private static final String FORBIDDEN = "403 Forbidden.";

  private record Route(String path, ApiEndpoint endpoint, EndpointDeclaration declaration) {}

  private final String mainId;
  private final Authentication authentication;
  private final Authorization authorization;
  private final Executor answers;
  private Function<String, Optional<MetricsRegistry.Timer>> timers = path -> Optional.empty();
  private final Map<String, Route> routes = new ConcurrentHashMap<>();
  private volatile Set<String> disabled = Set.of();

  /**
   * A router without routes.
   *
   * @param mainId what may stand before every path: {@code master} or {@code slave(1)}
   * @param authentication asked for every route whose access is not {@link Access#NONE}
   * @param authorization asked for what endpoints declare to need leave for
   * @param workers where endpoints run whose request had to wait for an authenticator
   */
  public Router(
      String mainId, Authentication authentication, Authorization authorization, Workers workers) {
    this.mainId = mainId;
    this.authentication = authentication;
    this.authorization = authorization;
    this.answers = workers.answers();
  }

  /**
   * Measures from now on how long requests of each route wait until their answer begins, who asks
   * being found out included; to be called before anything is served.
   *
   * @param prefix what the numbers begin with; the path of the route follows, so that there are no
   *     more of them than routes
   */
  public Router measure(MetricsRegistry metrics, String prefix) {
    timers =
        path -> Optional.of(metrics.timer(prefix + (path.isEmpty() ? "/" : path) + "_ms", WINDOW));
    return this;
  }

  /**
   * Adds an endpoint, or replaces the one of its path.
   *
   * @throws IllegalStateException when it does not declare whose leave it needs, or has no help
   */
  public Router add(ApiEndpoint endpoint) {
    EndpointDeclaration declaration = endpoint.declaration();
    if (declaration.permission() == null || declaration.help() == null) {
      throw new IllegalStateException(
          endpoint.getClass().getName()
              + " does not declare the leave it needs (Permission.none if none), or has no help");
    }
    String key = trimmed(declaration.path());
    routes.put(key, new Route(key, endpoint, declaration));
    return this;
  }

  /** What is served now, by path. */
  public List<ApiEndpoint> endpoints() {
    return routes.values().stream()
        .map(Route::endpoint)
        .sorted(Comparator.comparing(endpoint -> endpoint.declaration().path()))
        .toList();
  }

  /** The daemon's id, which may stand before every path. */
  public String mainId() {
    return mainId;
  }

  /** Takes a route away. */
  public void remove(String path) {
    routes.remove(trimmed(path));
  }

  /** Answers requests for these paths with 403 from now on (rule 15). */
  public void disable(Collection<String> paths) {
    disabled = Set.copyOf(paths.stream().map(this::local).toList());
  }

  @Override
  public void handle(HttpExchange request) {
    String path = local(request.path());
    Route route = find(path);
    if (disabled.contains(path) || (route != null && disabled.contains(route.path))) {
      request.respond(HttpResponse.text(403, "Endpoint '" + request.path() + "' is disabled"));
      return;
    }
    if (route == null) {
      request.respond(
          request.header("Libprocess-From").isPresent()
              ? HttpResponse.text(
                  501,
                  "The v0 driver protocol is not served here. Use the v1 HTTP API, for example"
                      + " through the driver jar of Mezzo.")
              : notFound());
      return;
    }
    HttpExchange exchange =
        timers
            .apply(route.path)
            .<HttpExchange>map(timer -> new TimedExchange(request, timer))
            .orElse(request);
    if (route.declaration.access() == Access.NONE) {
      call(route, exchange, Optional.empty());
      return;
    }
    var verdict =
        authentication.authenticate(exchange, route.declaration.access()).toCompletableFuture();
    if (verdict.isDone() && !verdict.isCompletedExceptionally()) {
      proceed(route, exchange, verdict.join());
      return;
    }
    when(
        exchange,
        verdict.exceptionallyCompose(
            failure -> {
              LOG.error("Authentication of {} failed; refused", exchange.path(), failure);
              return CompletableFuture.failedStage(new Refused(503, "503 Service Unavailable."));
            }),
        answers,
        decided -> proceed(route, exchange, decided));
  }

  private void proceed(Route route, HttpExchange exchange, Authentication.Verdict verdict) {
    if (verdict.refusal().isPresent()) {
      exchange.respond(verdict.refusal().get());
    } else {
      call(route, exchange, verdict.principal());
    }
  }

  private void call(Route route, HttpExchange exchange, Optional<Principal> principal) {
    EndpointDeclaration declaration = route.declaration;
    if (!declaration.methods().isEmpty() && !declaration.methods().contains(exchange.method())) {
      exchange.respond(
          methodNotAllowed(
              exchange.method(), declaration.methods().stream().sorted().toArray(String[]::new)));
      return;
    }
    var allowed =
        declaration.permission().ask(authorization, principal, exchange).toCompletableFuture();
    if (allowed.isDone() && !allowed.isCompletedExceptionally()) {
      serve(route, exchange, principal, allowed.join());
    } else {
      when(exchange, allowed, answers, yes -> serve(route, exchange, principal, yes));
    }
  }

  private static void serve(
      Route route, HttpExchange exchange, Optional<Principal> principal, boolean allowed) {
    if (allowed) {
      guard(exchange, it -> route.endpoint.handle(it, principal));
    } else {
      exchange.respond(HttpResponse.text(403, FORBIDDEN));
    }
  }

  /** Something that goes on with a result and may fail. */
  @FunctionalInterface
  public interface Then<T> {
    void accept(T value) throws Exception;
  }

  /**
   * Goes on for an exchange when a result is there: the one way in which what is answered later
   * fails. A stage that fails, a step that throws and an executor that takes nothing more are all
   * answered.
   */
  public static <T> void when(
      HttpExchange exchange, CompletionStage<T> stage, Executor executor, Then<T> then) {
    stage.whenComplete(
        (value, failure) -> {
          try {
            executor.execute(
                () ->
                    guard(
                        exchange,
                        it -> {
                          if (failure == null) {
                            then.accept(value);
                          } else {
                            throw failure instanceof CompletionException wrapped
                                    && wrapped.getCause() instanceof Exception cause
                                ? cause
                                : new IllegalStateException("A result did not come", failure);
                          }
                        }));
          } catch (RejectedExecutionException e) {
            exchange.respond(overloaded());
          }
        });
  }

  /** Something that answers an exchange and may fail. */
  @FunctionalInterface
  public interface Answer {
    void to(HttpExchange exchange) throws Exception;
  }

  /**
   * Runs an answer. A {@link Refused} that it throws is the answer, work that no executor took is
   * {@link #overloaded}; anything else is logged and the client gets 500.
   */
  public static void guard(HttpExchange exchange, Answer answer) {
    try {
      answer.to(exchange);
    } catch (Refused refused) {
      exchange.respond(HttpResponse.text(refused.status(), refused.getMessage()));
    } catch (RejectedExecutionException e) {
      exchange.respond(overloaded());
    } catch (Exception | Error e) {
      LOG.error("{} {} failed; answered with 500", exchange.method(), exchange.path(), e);
      exchange.respond(HttpResponse.text(500, "500 Internal Server Error."));
    }
  }

  /**
   * What is answered when a daemon takes no more work: too much waits already, or it stops. Asked
   * again a little later, it or the daemon after it may have room.
   */
  public static HttpResponse overloaded() {
    return HttpResponse.text(503, "The daemon is overloaded or stopping. Try again later.")
        .with("Retry-After", "1");
  }

  /** What a path without endpoint is answered with. */
  public static HttpResponse notFound() {
    return HttpResponse.text(404, "404 Not Found.");
  }

  /** What a wrong method is answered with (rule 3). */
  public static HttpResponse methodNotAllowed(String received, String... expected) {
    return HttpResponse.text(
            405,
            "405 Method Not Allowed. Expecting one of { '"
                + String.join("', '", expected)
                + "' }, but received '"
                + received
                + "'.")
        .with("Allow", String.join(", ", expected));
  }

  private Route find(String path) {
    Route route = longestPrefix(path);
    if (path.endsWith(JSON) && (route == null || !route.path().equals(path))) {
      Route plain = routes.get(path.substring(0, path.length() - JSON.length()));
      return plain == null ? route : plain;
    }
    return route;
  }

  private Route longestPrefix(String path) {
    for (String prefix = path; !prefix.isEmpty(); ) {
      Route route = routes.get(prefix);
      if (route != null) {
        return route;
      }
      prefix = prefix.substring(0, prefix.lastIndexOf('/'));
    }
    return path.isEmpty() ? routes.get("") : null;
  }

  /** The path without the daemon's id in front and with single slashes around where that was. */
  public String local(String path) {
    String trimmed = trimmed(path);
    if (trimmed.startsWith("/" + mainId)) {
      String rest = trimmed.substring(mainId.length() + 1);
      if (rest.isEmpty() || rest.startsWith("/")) {
        return trimmed(rest);
      }
    }
    return trimmed;
  }

  /** One slash in front, none behind; the root is empty. */
  private static String trimmed(String path) {
    int end = path.length();
    while (end > 0 && path.charAt(end - 1) == '/') {
      end--;
    }
    int start = 0;
    while (start < end && path.charAt(start) == '/') {
      start++;
    }
    return start == end ? "" : "/" + path.substring(start, end);
  }
}
