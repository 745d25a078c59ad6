package org.mezzo.daemon;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Consumer;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.flags.Flags;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.ModuleLeases;

/** The endpoints that master and agent have in common. */
public final class CommonEndpoints {
  private CommonEndpoints() {}

  /** What the endpoints show. */
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
   * /system/stats.json}, {@code /files/...}, {@code /logging/toggle} and {@code /mezzo/modules}.
   */
  public static void install(Router router, Sources sources) {
    throw new UnsupportedOperationException();
  }

  /** Answers with JSON, wrapped in the function that {@code jsonp=} names. */
  public static void respondJson(HttpExchange exchange, Consumer<JsonOut> value) {
    throw new UnsupportedOperationException();
  }
}
