package org.mezzo.daemon.endpoints;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import javax.management.JMException;
import javax.management.ObjectName;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/**
 * {@code /memory-profiler/...}: what the memory of the process is used for, as far as a JVM tells:
 * its pools, and how many objects there are of each class. What is in them is never told.
 */
final class MemoryProfilerEndpoint implements ApiEndpoint {
  private static final String PATH = "/memory-profiler";

  private final Executor workers;
  private final boolean enabled;

  /**
   * The endpoint of a daemon.
   *
   * @param workers where it is answered
   * @param enabled {@code --memory_profiling}
   */
  MemoryProfilerEndpoint(Executor workers, boolean enabled) {
    this.workers = workers;
    this.enabled = enabled;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("GET"),
        Access.READWRITE,
        Permission.none("it is served where the flag of whoever started the daemon allows it"),
        Help.of(
            "What the memory of the process is used for.",
            "/memory-profiler/download/text counts the objects of each class, which stops the"
                + " process for as long as a full collection takes; /memory-profiler/statistics"
                + " answers with the pools of the JVM, in bytes; /memory-profiler/state with"
                + " whether something is being sampled, which is never: start, stop and the other"
                + " downloads are 501. Only with --memory_profiling; 404 otherwise."));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String path = exchange.path().replaceAll("/+$", "");
    String what = path.substring(path.indexOf(PATH) + PATH.length());
    if (!enabled) {
      exchange.respond(Router.notFound());
      return;
    }
    switch (what) {
      case "/state" ->
          CommonEndpoints.respondJson(
              exchange, json -> json.object(() -> json.field("sampling", false)));
      case "/statistics" ->
          CommonEndpoints.respondJson(exchange, MemoryProfilerEndpoint::statistics);
      case "/download/text" ->
          workers.execute(
              () -> Router.guard(exchange, it -> it.respond(HttpResponse.text(200, histogram()))));
      case "/start", "/stop", "/download/raw", "/download/graph" ->
          throw new Refused(
              501,
              "501 Not Implemented. A JVM does not sample who allocates what;"
                  + " /memory-profiler/download/text counts the objects there are, and a flight"
                  + " recording of /profiler/start has samples of allocations.\n");
      default -> exchange.respond(Router.notFound());
    }
  }

  private static void statistics(JsonOut json) {
    json.object(
        () -> {
          usage(json, "heap", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage());
          usage(json, "non_heap", ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage());
          json.object(
              "pools",
              () -> {
                for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
                  usage(json, pool.getName(), pool.getUsage());
                }
              });
        });
  }

  private static void usage(JsonOut json, String name, MemoryUsage usage) {
    json.object(
        name,
        () -> {
          json.integer("used", usage.getUsed());
          json.integer("committed", usage.getCommitted());
          if (usage.getMax() >= 0) {
            json.integer("max", usage.getMax());
          }
        });
  }

  private static String histogram() throws Refused {
    try {
      return (String)
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "gcClassHistogram",
                  new Object[] {new String[0]},
                  new String[] {String[].class.getName()});
    } catch (JMException e) {
      throw new Refused(
          501, "501 Not Implemented. This JVM does not count its objects: " + e + "\n");
    }
  }
}
