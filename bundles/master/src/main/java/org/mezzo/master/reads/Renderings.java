package org.mezzo.master.reads;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.border.Refused;
import org.mezzo.http.HttpResponse;

/**
 * Makes answers, each once for all who ask the same of the same root. Of what everybody sees alike
 * at most one answer to a question is being made at a time: who asks meanwhile, and finds that the
 * cluster has changed since it was begun, gets the next one together with all others who wait. So
 * the work does not grow with the number of clients, and nobody gets what was so before he asked.
 * Safe for any thread.
 */
final class Renderings {
  /** How many may wait for one answer. */
  private static final int MOST_WAITING = 100_000;

  /** Makes an answer from a root. */
  @FunctionalInterface
  interface Making {
    HttpResponse make(Root root);
  }

  /** One that is being made, or will be. */
  private static final class Flight {
    final Making making;
    final CompletableFuture<Rendered> answer = new CompletableFuture<>();

    /** Empty before it has begun: it can still be about any root to come. */
    Optional<Root> root = Optional.empty();

    boolean scheduled;
    boolean compressed;
    int waiting;

    Flight(Making making) {
      this.making = making;
    }

    CompletionStage<Rendered> join(boolean compresses) {
      if (++waiting > MOST_WAITING) {
        throw new RejectedExecutionException("Too many wait for the same answer");
      }
      compressed |= compresses;
      return answer;
    }

    boolean about(Root other) {
      return root.isPresent() && root.get().number() == other.number();
    }
  }

  private final Roots roots;
  private final Executor readers;
  private final Kept kept;
  private final Metrics.Counter made;
  private final Metrics.Counter shared;
  private final Metrics.Counter cacheHits;
  private final Map<Question, Flight> begun = new HashMap<>();
  private final Map<Question, Flight> next = new HashMap<>();

  /**
   * Has made none yet.
   *
   * @param readers where they are made
   */
  Renderings(Roots roots, Executor readers, Kept kept, Metrics metrics) {
    this.roots = roots;
    this.readers = readers;
    this.kept = kept;
    made = metrics.counter("master/mezzo/reads_made");
    shared = metrics.counter("master/mezzo/reads_shared");
    cacheHits = metrics.counter("master/http_cache_hits");
  }

  /** Another reader gets what was made once. */
  private void share() {
    shared.increment();
    cacheHits.increment();
  }

  /**
   * The answer about a root that is no older than this call, of what everybody sees alike.
   *
   * @param compresses whether it is wanted compressed
   * @return there already when the cluster has not changed since it was made; else completes on a
   *     reader
   * @throws Refused with 503 when there is no root
   * @throws RejectedExecutionException when too many wait
   */
  CompletionStage<Rendered> latest(Question question, boolean compresses, Making making)
      throws Refused {
    Flight mine;
    synchronized (this) {
      Root root = roots.now();
      Optional<Rendered> there = kept.find(root, question, System.nanoTime());
      if (there.isPresent()) {
        share();
        return CompletableFuture.completedFuture(there.get());
      }
      Flight under = begun.get(question);
      Flight joined = under != null && under.about(root) ? under : next.get(question);
      if (joined != null) {
        CompletionStage<Rendered> answer = joined.join(compresses);
        share();
        return answer;
      }
      mine = new Flight(making);
      mine.join(compresses);
      next.put(question, mine);
      if (under != null) {
        return mine.answer;
      }
      mine.scheduled = true;
    }
    schedule(question, mine);
    return mine.answer;
  }

  private void schedule(Question question, Flight flight) {
    try {
      readers.execute(() -> begin(question, flight));
    } catch (RejectedExecutionException e) {
      synchronized (this) {
        next.remove(question, flight);
      }
      flight.answer.completeExceptionally(new CompletionException(e));
    }
  }

  private void begin(Question question, Flight flight) {
    Root root;
    synchronized (this) {
      next.remove(question, flight);
      try {
        root = roots.now();
      } catch (Refused e) {
        flight.answer.completeExceptionally(new CompletionException(e));
        return;
      }
      flight.root = Optional.of(root);
      begun.put(question, flight);
    }
    try {
      make(root, question, flight);
    } finally {
      Flight following;
      synchronized (this) {
        Flight waiting = next.get(question);
        following = waiting == null || waiting.scheduled ? null : waiting;
        if (following != null) {
          following.scheduled = true;
        }
      }
      if (following != null) {
        schedule(question, following);
      }
    }
  }

  /**
   * The answer about this root, made here unless it is there or somebody makes it.
   *
   * @param compresses whether it is wanted compressed
   * @return completes on a reader
   */
  CompletionStage<Rendered> of(Root root, Question question, boolean compresses, Making making) {
    Flight mine = new Flight(making);
    synchronized (this) {
      Optional<Rendered> there = kept.find(root, question, System.nanoTime());
      if (there.isPresent()) {
        share();
        return CompletableFuture.completedFuture(there.get());
      }
      Flight under = begun.get(question);
      if (under != null && under.about(root)) {
        CompletionStage<Rendered> answer = under.join(compresses);
        share();
        return answer;
      }
      mine.join(compresses);
      mine.root = Optional.of(root);
      begun.putIfAbsent(question, mine);
    }
    make(root, question, mine);
    return mine.answer;
  }

  /** Makes the answer, compresses it where somebody waits for that, and gives it to all. */
  private void make(Root root, Question question, Flight flight) {
    Rendered answer;
    try {
      made.add(1);
      answer = new Rendered(flight.making.make(root));
      boolean compressed;
      synchronized (this) {
        compressed = flight.compressed;
      }
      if (compressed) {
        answer.compressed();
      }
    } catch (Exception | Error e) {
      synchronized (this) {
        begun.remove(question, flight);
      }
      flight.answer.completeExceptionally(new CompletionException(e));
      return;
    }
    synchronized (this) {
      kept.keep(root, question, answer, System.nanoTime());
      begun.remove(question, flight);
    }
    flight.answer.complete(answer);
  }
}
