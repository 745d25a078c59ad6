package org.mezzo.daemon.endpoints;

import java.io.IOException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.endpoints.ModuleUploads.Received;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployments;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.modules.ModuleLeases;

/**
 * The door for operators into the deployment of a daemon's process: endpoints that are Mezzo's own.
 * All daemons of one process share one deployment, so that it is the same door wherever it is
 * knocked at.
 */
public final class ModuleChanges {
  private static final Pattern DIGEST = Pattern.compile("[0-9a-fA-F]{64}");

  /** What the help tells of what all changes have in common. */
  static final String SHARED =
      " All daemons of the process share its modules. Where --authenticate_http_readwrite is off,"
          + " only requests from this machine are served.";

  private final String daemon;
  private final Deployments deployments;
  private final ModuleUploads uploads;
  private final Executor answers;

  ModuleChanges(String daemon, Deployments deployments, ModuleUploads uploads, Executor answers) {
    this.daemon = daemon;
    this.deployments = deployments;
    this.uploads = uploads;
    this.answers = answers;
  }

  /**
   * Adds what a daemon shows of its process's deployment, and the door for changes.
   *
   * @param prefix what the names of metrics begin with
   * @throws IOException when there is no place to receive jars in
   */
  public static void install(DaemonFrame frame, String prefix, Deployments deployments)
      throws IOException {
    ModuleUploads uploads =
        new ModuleUploads(
            frame.flags().folders().work().resolve("uploads"),
            frame.flags().maxModuleBytes(),
            frame.metrics(),
            prefix);
    ModuleChanges changes =
        new ModuleChanges(frame.name(), deployments, uploads, frame.workers().answers());
    ModuleLeases leases = frame.modules().leases();
    frame
        .router()
        .add(new DeploymentsEndpoint(frame.name(), deployments))
        .add(new ModuleParametersEndpoint(frame.name(), leases, frame.workers().answers()));
    changes.addTo(frame.router());
  }

  void addTo(Router router) {
    router
        .add(new InstallModuleEndpoint(this))
        .add(new VerifyModuleEndpoint(this))
        .add(new RollbackModuleEndpoint(this))
        .add(new ConfigureModuleEndpoint(this, answers))
        .add(new UninstallModuleEndpoint(this));
  }

  Deployments deployments() {
    return deployments;
  }

  String daemon() {
    return daemon;
  }

  /**
   * Who asks, for the history.
   *
   * @throws Refused with 403 when it is nobody known from another machine, or a page in a browser
   */
  static String requester(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    Optional<String> origin = exchange.header("Origin");
    if (origin.isPresent()
        && !origin
            .get()
            .replaceFirst("^https?://", "")
            .equals(exchange.header("Host").orElse(""))) {
      throw new Refused(403, "403 Forbidden: a page of " + origin.get() + " sends this.\n");
    }
    Optional<String> name = principal.flatMap(Principal::value);
    if (name.isPresent()) {
      return name.get();
    }
    var from = exchange.remote().getAddress();
    boolean here =
        from != null && (from.isLoopbackAddress() || from.equals(exchange.local().getAddress()));
    if (!here) {
      throw new Refused(
          403,
          "403 Forbidden: who is not authenticated may change this process from this machine only."
              + " Start the daemon with --authenticate_http_readwrite, and send a credential.\n");
    }
    return Deployments.UNKNOWN + " at " + from.getHostAddress();
  }

  /** What the query says a jar is called. */
  static String fileName(HttpExchange exchange) throws Refused {
    try {
      return Deployments.checkedName(required(exchange, "name"));
    } catch (IllegalArgumentException e) {
      throw new Refused(400, e.getMessage() + ".\n");
    }
  }

  /** A parameter that the query must have. */
  static String required(HttpExchange exchange, String name) throws Refused {
    String value = exchange.query().getOrDefault(name, "");
    if (value.isEmpty()) {
      throw new Refused(400, "Expecting '" + name + "=value' in query.\n");
    }
    return value;
  }

  /**
   * Receives a jar and goes on with it; the jar is deleted once what is made of it is there.
   *
   * @param then answered with by {@code write}
   */
  <T> void receive(
      HttpExchange exchange,
      Function<Received, CompletionStage<T>> then,
      Function<T, HttpResponse> write)
      throws Refused {
    Optional<String> expected = digest(exchange);
    CompletionStage<T> made =
        uploads
            .receive(exchange, expected)
            .thenCompose(
                received -> {
                  try {
                    return then.apply(received).whenComplete((it, failure) -> received.close());
                  } catch (RuntimeException | Error e) {
                    received.close();
                    throw e;
                  }
                });
    Router.when(exchange, inWords(made), answers, it -> exchange.respond(write.apply(it)));
  }

  /** What deployment says when it makes no change at all is for whoever asks, too. */
  private static <T> CompletionStage<T> inWords(CompletionStage<T> made) {
    return made.exceptionallyCompose(
        failure -> {
          Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
          return CompletableFuture.failedStage(
              cause instanceof IllegalStateException
                  ? new Refused(500, cause.getMessage() + ".\n")
                  : cause);
        });
  }

  private static Optional<String> digest(HttpExchange exchange) throws Refused {
    Optional<String> given = Optional.ofNullable(exchange.query().get("sha256"));
    if (given.isPresent() && !DIGEST.matcher(given.get()).matches()) {
      throw new Refused(400, "Expecting 'sha256' to be 64 hexadecimal digits.\n");
    }
    return given.map(text -> HexFormat.of().formatHex(HexFormat.of().parseHex(text)));
  }

  /** Answers with a change when it is made: 200 when it is as was wanted, 409 when it is not. */
  void respond(HttpExchange exchange, CompletionStage<Action> change) {
    Router.when(exchange, inWords(change), answers, action -> exchange.respond(answer(action)));
  }

  HttpResponse answer(Action action) {
    HttpResponse json =
        HttpResponse.json(
            JsonOut.bytes(
                out ->
                    out.object(
                        () -> {
                          out.field("daemon", daemon);
                          out.object("action", () -> DeploymentsEndpoint.fields(out, action));
                        })));
    return new HttpResponse(action.succeeded() ? 200 : 409, json.headers(), json.body());
  }
}
