package org.mezzo.client;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows one file of a sandbox: delivers each byte once, in order. Reading goes on after the task
 * has ended until nothing more comes, because the last lines may still be on their way to the file.
 * Everything but the requests runs on the given thread.
 */
final class SandboxTail {
  private static final Logger LOG = LoggerFactory.getLogger(SandboxTail.class);
  private static final JsonFactory JSON = new JsonFactory();
  private static final long PIECE_BYTES = 1 << 16;
  private static final long FIRST_PAUSE_MILLIS = 25;
  private static final long LAST_PAUSE_MILLIS = 500;

  /** Reads without result after the task's end, this far apart, until the file is complete. */
  private static final int LAST_LOOKS = 3;

  private static final long LAST_LOOK_MILLIS = 50;

  /** Failed requests after the task's end until the rest is given up. */
  private static final int LAST_FAILURES = 10;

  /**
   * Where a file of a sandbox is.
   *
   * @param container id, or empty for the latest of the task
   * @param file its name in the sandbox
   */
  record Place(
      URI agent, String frameworkId, String taskId, Optional<String> container, String file) {

    /** The sandbox as the agent shows it (rule 351). */
    private String directory() {
      return "/frameworks/"
          + frameworkId
          + "/executors/"
          + taskId
          + "/runs/"
          + container.orElse("latest");
    }
  }

  private final Transport transport;
  private final FilesClient files;
  private final Place place;
  private final ScheduledExecutorService thread;
  private final Consumer<byte[]> output;
  private final Consumer<Optional<String>> done;

  private String directory;
  private long offset;
  private long pauseMillis = FIRST_PAUSE_MILLIS;
  private boolean ended;
  private int emptyLooks;
  private int failures;

  /**
   * Does nothing before {@link #start}.
   *
   * @param done gets what went wrong, if anything, when no more output comes
   */
  SandboxTail(
      Transport transport,
      Place place,
      ScheduledExecutorService thread,
      Consumer<byte[]> output,
      Consumer<Optional<String>> done) {
    this.transport = transport;
    this.files = new FilesClient(transport, place.agent());
    this.place = place;
    this.thread = thread;
    this.output = output;
    this.done = done;
    this.directory = place.directory();
  }

  void start() {
    read();
  }

  /** The task is over: what is in the file soon is all. */
  void ended() {
    ended = true;
    pauseMillis = FIRST_PAUSE_MILLIS;
  }

  private void read() {
    boolean last = ended;
    files
        .read(directory + "/" + place.file(), offset, PIECE_BYTES)
        .whenComplete((piece, failure) -> on(() -> received(piece, failure, last)));
  }

  private void received(FilesClient.Piece piece, Throwable failure, boolean last) {
    if (failure != null) {
      failed(Transport.unwrap(failure), last);
      return;
    }
    failures = 0;
    if (piece.data().length > 0) {
      offset += piece.data().length;
      emptyLooks = 0;
      pauseMillis = FIRST_PAUSE_MILLIS;
      output.accept(piece.data());
      read();
      return;
    }
    if (last && ++emptyLooks >= LAST_LOOKS) {
      done.accept(Optional.empty());
      return;
    }
    later(last ? LAST_LOOK_MILLIS : pause());
  }

  private void failed(Throwable failure, boolean last) {
    if (last && ++failures >= LAST_FAILURES) {
      done.accept(
          Optional.of(
              "The end of "
                  + place.file()
                  + " could not be read from "
                  + place.agent()
                  + ": "
                  + Transport.describe(failure)));
      return;
    }
    LOG.debug("{} of {} cannot be read now: {}", place.file(), place.taskId(), failure.toString());
    boolean unknown = failure instanceof ApiException api && api.status() == 404;
    if (unknown && offset == 0) {
      lookUp();
    } else {
      later(pause());
    }
  }

  /** Asks the agent's state where the sandbox is. */
  private void lookUp() {
    transport
        .get(place.agent(), "/state", HttpResponse.BodyHandlers.ofInputStream())
        .thenApply(
            response -> {
              try (InputStream body = response.body()) {
                return response.statusCode() == 200 ? directory(body) : Optional.<String>empty();
              } catch (IOException e) {
                throw new CompletionException(e);
              }
            })
        .exceptionally(
            failure -> {
              LOG.debug("The agent's state cannot be read now: {}", failure.toString());
              return Optional.empty();
            })
        .thenAccept(
            found ->
                on(
                    () -> {
                      found.ifPresent(path -> directory = path);
                      later(pause());
                    }));
  }

  /** The directory of the executor that has the task's id, in the framework that is ours. */
  private Optional<String> directory(InputStream state) throws IOException {
    String found = null;
    try (JsonParser json = JSON.createParser(state)) {
      String id = null;
      String path = null;
      int depth = 0;
      for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
        if (token == JsonToken.START_OBJECT) {
          depth++;
          id = null;
          path = null;
        } else if (token == JsonToken.END_OBJECT) {
          depth--;
          id = null;
          path = null;
        } else if (token == JsonToken.VALUE_STRING && depth > 0) {
          if ("id".equals(json.currentName())) {
            id = json.getText();
          } else if ("directory".equals(json.currentName())) {
            path = json.getText();
          }
          if (place.taskId().equals(id)
              && path != null
              && path.contains("/" + place.frameworkId() + "/")) {
            found = path;
          }
        }
      }
    }
    return Optional.ofNullable(found);
  }

  private long pause() {
    long pause = pauseMillis;
    pauseMillis = Math.min(LAST_PAUSE_MILLIS, pauseMillis * 2);
    return pause;
  }

  private void later(long millis) {
    try {
      thread.schedule(this::read, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("Closed while a file was followed");
    }
  }

  private void on(Runnable task) {
    try {
      thread.execute(task);
    } catch (RejectedExecutionException e) {
      LOG.debug("Closed while a file was followed");
    }
  }
}
