package org.mezzo.daemon.endpoints;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.mezzo.api.DaemonContext;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.daemon.metrics.SystemStats;
import org.mezzo.flags.Flags;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.protocol.v1.Flag;
import org.mezzo.protocol.v1.Metric;

/** The endpoints that master and agent have in common, and how all write JSON. */
public final class CommonEndpoints {
  /** What the help tells of the parameter that {@link #respondJson} heeds. */
  public static final String JSONP = "name of a function; the answer is then a call of it";

  private static final Pattern FUNCTION = Pattern.compile("[A-Za-z_$][A-Za-z0-9_$.\\[\\]]*");

  /** The path of the metrics as ACLs name it, by which every way to them is asked about. */
  public static final String METRICS = MetricsEndpoint.PATH;

  private CommonEndpoints() {}

  /**
   * Adds what every daemon serves, the help on everything that the router has among it; registers
   * the host's numbers below {@code system/}.
   *
   * @param modules absent where there are none to show
   * @param workers where files and metrics are read, and answers written that had to be waited for
   */
  public static void install(
      Router router,
      DaemonContext daemon,
      Flags flags,
      MetricsRegistry metrics,
      VirtualFiles files,
      Optional<ModuleLeases> modules,
      Executor workers) {
    SystemStats.measure(metrics);
    FileAnswers answers = new FileAnswers(files, workers);
    router
        .add(new HealthEndpoint())
        .add(new VersionEndpoint())
        .add(new SystemStatsEndpoint())
        .add(new FlagsEndpoint(flags))
        .add(new MetricsEndpoint(metrics, workers))
        .add(new PrometheusEndpoint(metrics, workers))
        .add(new BrowseEndpoint(answers))
        .add(new ReadEndpoint(answers))
        .add(new DownloadEndpoint(answers))
        .add(new AttachedFilesEndpoint(files))
        .add(
            new ModulesEndpoint(
                daemon.daemon(), () -> modules.map(ModuleLeases::modules).orElse(List.of())))
        .add(
            new ProfilerEndpoint(
                daemon.workDir(), workers, "1".equals(System.getenv(ProfilerEndpoint.ENABLE))))
        .add(
            new MemoryProfilerEndpoint(
                workers, flags.text("memory_profiling").map(Boolean::parseBoolean).orElse(false)))
        .add(new ProcessesEndpoint(metrics, workers))
        .add(new HelpEndpoint(router, daemon.role()));
  }

  /**
   * Answers 200 with JSON, wrapped into a call of the function that the query's {@code jsonp}
   * names.
   */
  public static void respondJson(HttpExchange exchange, Consumer<JsonOut> value) {
    Optional<String> function;
    try {
      function = function(exchange.query());
    } catch (Refused refused) {
      exchange.respond(HttpResponse.text(refused.status(), refused.getMessage()));
      return;
    }
    exchange.respond(json(function, value));
  }

  /**
   * The function that the query's {@code jsonp} names, if it names one.
   *
   * @throws Refused with 400 when that can be no function
   */
  public static Optional<String> function(Map<String, String> query) throws Refused {
    Optional<String> function = Optional.ofNullable(query.get("jsonp"));
    if (function.isPresent() && !FUNCTION.matcher(function.get()).matches()) {
      throw new Refused(400, "Expecting 'jsonp' to name a function.\n");
    }
    return function;
  }

  /** JSON, wrapped into a call of the function where there is one. */
  public static HttpResponse json(Optional<String> function, Consumer<JsonOut> value) {
    if (function.isEmpty()) {
      return HttpResponse.json(JsonOut.bytes(value));
    }
    String wrapped =
        function.get() + "(" + new String(JsonOut.bytes(value), StandardCharsets.UTF_8) + ")";
    return new HttpResponse(
        200, Map.of("Content-Type", "text/javascript"), wrapped.getBytes(StandardCharsets.UTF_8));
  }

  /** What GET_FLAGS answers with. */
  public static List<Flag> flagMessages(Flags flags) {
    return flags.shown().entrySet().stream()
        .map(flag -> Flag.newBuilder().setName(flag.getKey()).setValue(flag.getValue()).build())
        .toList();
  }

  /**
   * What GET_METRICS answers with, read when it is asked for.
   *
   * @param nanos how long from now on values are waited for; empty as long as it takes
   */
  public static Supplier<List<Metric>> metricMessages(MetricsRegistry metrics, OptionalLong nanos) {
    BooleanSupplier late =
        MetricsEndpoint.late(
            nanos.isPresent()
                ? Optional.of(Duration.ofNanos(nanos.getAsLong()))
                : Optional.empty());
    return () -> metricMessages(metrics, late);
  }

  private static List<Metric> metricMessages(MetricsRegistry metrics, BooleanSupplier late) {
    return metrics.snapshot(late).entrySet().stream()
        .map(one -> Metric.newBuilder().setName(one.getKey()).setValue(one.getValue()).build())
        .toList();
  }
}
