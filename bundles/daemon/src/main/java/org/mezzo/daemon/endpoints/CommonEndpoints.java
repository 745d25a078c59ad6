package org.mezzo.daemon.endpoints;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.daemon.metrics.SystemStats;
import org.mezzo.flags.FlagValues;
import org.mezzo.flags.Flags;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.protocol.v1.Flag;
import org.mezzo.protocol.v1.Metric;

/** The endpoints that master and agent have in common. */
public final class CommonEndpoints {
  private static final Pattern FUNCTION = Pattern.compile("[A-Za-z_$][A-Za-z0-9_$.\\[\\]]*");

  private static final String METRICS = "/metrics/snapshot";
  private static final String ATTACHED_FILES = "/files/debug";
  private static final String MODULES = "/mezzo/modules";

  private final Sources sources;

  private CommonEndpoints(Sources sources) {
    this.sources = sources;
  }

  /**
   * What the endpoints show.
   *
   * @param daemon the daemon's name within its process
   * @param modules absent where there are none to show
   */
  public record Sources(
      String daemon,
      Flags flags,
      MetricsRegistry metrics,
      VirtualFiles files,
      Optional<ModuleLeases> modules,
      Authorization authorization,
      Workers workers) {}

  /**
   * Adds {@code /health}, {@code /version}, {@code /flags}, {@code /metrics/snapshot}, {@code
   * /system/stats.json}, {@code /files/browse}, {@code read}, {@code download} and {@code debug},
   * and {@code /mezzo/modules}; registers the host's numbers below {@code system/}.
   */
  public static void install(Router router, Sources sources) {
    CommonEndpoints endpoints = new CommonEndpoints(sources);
    FilesEndpoints files = new FilesEndpoints(sources.files, sources.workers);
    SystemStats.measure(sources.metrics);
    router
        .route("/health", Access.NONE, (it, who) -> it.respond(HttpResponse.status(200)))
        .route("/version", Access.NONE, (it, who) -> respondJson(it, CommonEndpoints::version))
        .route("/system/stats.json", Access.NONE, (it, who) -> respondJson(it, endpoints::system))
        .route("/flags", Access.READONLY, endpoints::flags)
        .route(METRICS, Access.READONLY, endpoints::metrics)
        .route("/files/browse", Access.READONLY, files::browse)
        .route("/files/read", Access.READONLY, files::read)
        .route("/files/download", Access.READONLY, files::download)
        .route(ATTACHED_FILES, Access.READONLY, endpoints::attachedFiles)
        .route(MODULES, Access.READONLY, endpoints::modules);
  }

  /**
   * Answers 200 with JSON, wrapped into a call of the function that the query's {@code jsonp}
   * names.
   */
  public static void respondJson(HttpExchange exchange, Consumer<JsonOut> value) {
    String function = exchange.query().get("jsonp");
    if (function == null) {
      exchange.respond(HttpResponse.json(JsonOut.bytes(value)));
      return;
    }
    if (!FUNCTION.matcher(function).matches()) {
      exchange.respond(HttpResponse.text(400, "Expecting 'jsonp' to name a function.\n"));
      return;
    }
    String wrapped =
        function + "(" + new String(JsonOut.bytes(value), StandardCharsets.UTF_8) + ")";
    exchange.respond(
        new HttpResponse(
            200,
            java.util.Map.of("Content-Type", "text/javascript"),
            wrapped.getBytes(StandardCharsets.UTF_8)));
  }

  /** What GET_FLAGS answers with. */
  public static List<Flag> flagMessages(Flags flags) {
    return flags.shown().entrySet().stream()
        .map(flag -> Flag.newBuilder().setName(flag.getKey()).setValue(flag.getValue()).build())
        .toList();
  }

  /** What GET_METRICS answers with. */
  public static List<Metric> metricMessages(MetricsRegistry metrics) {
    return metrics.snapshot().entrySet().stream()
        .map(one -> Metric.newBuilder().setName(one.getKey()).setValue(one.getValue()).build())
        .toList();
  }

  private static void version(JsonOut json) {
    json.object(
        () -> {
          json.field("build_date", Versions.BUILD_DATE);
          json.field("build_time", Versions.BUILD_TIME);
          json.field("build_user", Versions.BUILD_USER);
          json.field("mezzo_version", Versions.MEZZO);
          json.field("version", Versions.MESOS);
        });
  }

  private void system(JsonOut json) {
    double[] loads = SystemStats.loads();
    json.object(
        () -> {
          load(json, "avg_load_15min", loads[2]);
          load(json, "avg_load_1min", loads[0]);
          load(json, "avg_load_5min", loads[1]);
          json.integer("cpus_total", SystemStats.processors());
          SystemStats.memory()
              .forEach(
                  (name, bytes) ->
                      json.integer(
                          name.equals("MemFree") ? "mem_free_bytes" : "mem_total_bytes", bytes));
        });
  }

  private static void load(JsonOut json, String name, double load) {
    if (!Double.isNaN(load)) {
      json.field(name, load);
    }
  }

  private void flags(HttpExchange exchange, Optional<Principal> principal) {
    allowed(
        exchange,
        principal,
        Action.VIEW_FLAGS,
        Optional.empty(),
        it ->
            respondJson(
                it,
                json ->
                    json.object(
                        () ->
                            json.object(
                                "flags", () -> sources.flags.shown().forEach(json::field)))));
  }

  private void metrics(HttpExchange exchange, Optional<Principal> principal) {
    String timeout = exchange.query().get("timeout");
    if (timeout != null) {
      try {
        Duration given = FlagValues.duration(timeout);
        if (given.isNegative()) {
          throw new IllegalArgumentException("'" + timeout + "' is negative");
        }
      } catch (IllegalArgumentException e) {
        exchange.respond(
            HttpResponse.text(400, "Invalid timeout '" + timeout + "': " + e.getMessage() + ".\n"));
        return;
      }
    }
    // Values are read at once, so that a timeout never comes to bear.
    allowed(
        exchange,
        principal,
        Action.GET_ENDPOINT_WITH_PATH,
        Optional.of(METRICS),
        it ->
            respondJson(
                it, json -> json.object(() -> sources.metrics.snapshot().forEach(json::field))));
  }

  private void attachedFiles(HttpExchange exchange, Optional<Principal> principal) {
    allowed(
        exchange,
        principal,
        Action.GET_ENDPOINT_WITH_PATH,
        Optional.of(ATTACHED_FILES),
        it ->
            respondJson(
                it,
                json ->
                    json.object(
                        () ->
                            sources
                                .files
                                .attached()
                                .forEach(
                                    (virtual, real) -> json.field(virtual, real.toString())))));
  }

  private void modules(HttpExchange exchange, Optional<Principal> principal) {
    allowed(
        exchange,
        principal,
        Action.GET_ENDPOINT_WITH_PATH,
        Optional.of(MODULES),
        it ->
            respondJson(
                it,
                json ->
                    json.object(
                        () -> {
                          json.field("daemon", sources.daemon);
                          json.array(
                              "modules",
                              sources.modules.map(ModuleLeases::modules).orElse(List.of()),
                              module -> module(json, module));
                        })));
  }

  private static void module(JsonOut json, ModuleDescription module) {
    json.object(
        () -> {
          json.field("kind", module.kind());
          json.field("name", module.name());
          json.field("version", module.version());
          json.field("author", module.author());
          json.field("description", module.description());
          json.object(
              "bundle",
              () -> {
                json.integer("id", module.bundleId());
                json.field("name", module.bundleName());
                json.field("version", module.bundleVersion());
              });
          json.field("state", module.state());
          json.field("problem", module.problem());
          json.texts("daemons", module.daemons());
        });
  }

  /**
   * Answers on a worker when an authorizer has to be asked, at once otherwise.
   *
   * @param object the endpoint's path as ACLs name it, however the request wrote it
   */
  private void allowed(
      HttpExchange exchange,
      Optional<Principal> principal,
      Action action,
      Optional<String> object,
      Router.Answer answer) {
    if (!sources.authorization.demanded()) {
      Router.guard(exchange, answer);
      return;
    }
    sources
        .authorization
        .allowed(principal, action, object)
        .whenCompleteAsync(
            (allowed, failure) -> {
              if (failure == null && allowed) {
                Router.guard(exchange, answer);
              } else {
                exchange.respond(HttpResponse.text(403, "403 Forbidden."));
              }
            },
            sources.workers);
  }
}
