package org.mezzo.daemon.endpoints;

import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.text.ParseException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import jdk.jfr.Configuration;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;

/**
 * {@code /profiler/start} and {@code /profiler/stop}: what the process spends its time with, as a
 * flight recording of the JVM. There is one at a time in a process, whichever of its daemons is
 * asked.
 */
final class ProfilerEndpoint implements ApiEndpoint {
  /** What allows it (flags.tsv); of the process, as what is recorded is. */
  static final String ENABLE = "LIBPROCESS_ENABLE_PROFILER";

  private static final String PATH = "/profiler";
  private static final String NAME = "mezzo-profiler";
  private static final long MOST_BYTES = 64 << 20;
  private static final Duration LONGEST = Duration.ofHours(1);

  private final Path folder;
  private final Executor workers;
  private final boolean enabled;

  /**
   * The endpoint of a daemon.
   *
   * @param folder where a recording lies for the moment in which it is sent
   * @param workers where that happens
   * @param enabled whether whoever started the process allows it
   */
  ProfilerEndpoint(Path folder, Executor workers, boolean enabled) {
    this.folder = folder;
    this.workers = workers;
    this.enabled = enabled;
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        PATH,
        Set.of("GET"),
        Access.READWRITE,
        Permission.none("it is served where whoever started the process allows it"),
        Help.of(
            "What the process spends its time with.",
            "/profiler/start begins a flight recording of the whole process, of which at most the"
                + " last hour or 64 MB are kept; /profiler/stop ends it and answers with the"
                + " recording, for JDK Mission Control or 'jfr'. Only where "
                + ENABLE
                + "=1 is in the environment of the process; 400 otherwise."));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    String path = exchange.path().replaceAll("/+$", "");
    boolean start = path.endsWith("/start");
    if (!start && !path.endsWith("/stop")) {
      exchange.respond(Router.notFound());
      return;
    }
    if (!enabled) {
      throw new Refused(
          400,
          "The profiler is not enabled. To enable it, start the daemon with "
              + ENABLE
              + "=1 in its environment.\n");
    }
    workers.execute(
        () ->
            Router.guard(
                exchange,
                it -> {
                  if (start) {
                    start();
                    it.respond(HttpResponse.text(200, "Profiler started.\n"));
                  } else {
                    stop(it);
                  }
                }));
  }

  private static Optional<Recording> running() {
    return FlightRecorder.getFlightRecorder().getRecordings().stream()
        .filter(each -> each.getName().equals(NAME) && each.getState() == RecordingState.RUNNING)
        .findFirst();
  }

  private static void start() throws Refused, IOException {
    synchronized (FlightRecorder.class) {
      if (running().isPresent()) {
        throw new Refused(400, "Profiler already started.\n");
      }
      Recording recording;
      try {
        recording = new Recording(Configuration.getConfiguration("profile"));
      } catch (ParseException e) {
        throw new IOException("The JVM has no settings for a profile", e);
      }
      recording.setName(NAME);
      recording.setMaxSize(MOST_BYTES);
      recording.setMaxAge(LONGEST);
      recording.start();
    }
  }

  private void stop(HttpExchange exchange) throws Refused, IOException {
    Path file;
    synchronized (FlightRecorder.class) {
      Recording recording =
          running().orElseThrow(() -> new Refused(400, "Profiler not running.\n"));
      try (recording) {
        recording.stop();
        file = Files.createTempFile(folder, "profile-", ".jfr");
        recording.dump(file);
      }
    }
    long size = Files.size(file);
    SeekableByteChannel content =
        Files.newByteChannel(file, StandardOpenOption.READ, StandardOpenOption.DELETE_ON_CLOSE);
    exchange.respondContent(
        Map.of(
            "Content-Type",
            "application/octet-stream",
            "Content-Disposition",
            "attachment; filename=profile.jfr"),
        content,
        size);
  }
}
