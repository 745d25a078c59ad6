package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.mezzo.fixtures.Await;

/**
 * Asks for one thing without pause, as a client does that knows several masters: follows redirects,
 * and tries again, with the next master, where none leads or answers. What is neither an answer nor
 * such a word is kept as a failure.
 */
final class PatientClient implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final long PAUSE_MILLIS = 10;

  /** A request of an API. */
  interface Request {
    Http.Answer send(URI uri, String... headers) throws IOException;
  }

  private final List<URI> places;
  private final Request request;
  private final String[] headers;
  private final Thread thread;
  private final List<String> failures = new ArrayList<>();
  private volatile boolean closing;
  private int answered;
  private int triedAgain;

  /**
   * Begins.
   *
   * @param places where it can be asked for
   * @param headers of every request
   */
  PatientClient(List<URI> places, Request request, Map<String, String> headers) {
    this.places = List.copyOf(places);
    this.request = request;
    this.headers =
        headers.entrySet().stream()
            .flatMap(header -> List.of(header.getKey(), header.getValue()).stream())
            .toArray(String[]::new);
    thread = new Thread(this::ask, "patient-client");
    thread.setDaemon(true);
    thread.start();
  }

  private void ask() {
    URI place = places.get(0);
    try {
      for (int i = 0; !closing; i++) {
        place = ask(place, places.get(i % places.size()));
        TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      note("the client ended: " + e);
    }
  }

  /**
   * Asks once.
   *
   * @return where to ask next
   */
  private URI ask(URI place, URI next) {
    Http.Answer answer;
    try {
      answer = request.send(place, headers);
    } catch (IOException e) {
      return again(next);
    }
    switch (answer.status()) {
      case 200 -> {
        synchronized (this) {
          answered++;
        }
        return place;
      }
      case 307 -> {
        again(next);
        return place.resolve(answer.headers().firstValue("Location").orElseThrow());
      }
      case 503 -> {
        return again(next);
      }
      default -> {
        note(place + " answered " + answer.status() + " " + answer.text());
        return next;
      }
    }
  }

  private synchronized URI again(URI next) {
    triedAgain++;
    return next;
  }

  private synchronized void note(String failure) {
    failures.add(failure);
  }

  /** What was neither an answer nor a word that one should try elsewhere or again. */
  synchronized List<String> failures() {
    return List.copyOf(failures);
  }

  synchronized int answered() {
    return answered;
  }

  /** How often it had to ask elsewhere or once more. */
  synchronized int triedAgain() {
    return triedAgain;
  }

  /** Waits until so many more requests were answered; nothing may have failed until then. */
  void awaitAnswers(int more) {
    int goal = answered() + more;
    String what = more + " more answers";
    Await.until(what, PATIENCE, () -> answered() >= goal || !failures().isEmpty());
    assertThat(failures()).as("what went wrong before: " + what).isEmpty();
  }

  @Override
  public void close() {
    closing = true;
  }
}
