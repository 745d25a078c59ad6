package org.mezzo.master.election;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.leaders.LeaderAddress;
import org.mezzo.daemon.leaders.LeaderDetection;
import org.mezzo.daemon.loop.Backoff;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.StateListener;
import org.mezzo.protocol.v1.MasterInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes part in the election and has a {@link MasterTerm} while it is won. A master that loses
 * becomes a follower and goes on contending; nothing of the term outlives it but the numbers of
 * ids.
 */
public final class Leadership implements ClusterView, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);

  /** How long a master that had to give leadership up leaves it to others, the first time. */
  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);

  /** The longest such pause: so long a master that stands alone may be without a term. */
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /** Makes terms. */
  @FunctionalInterface
  public interface Terms {
    MasterTerm create(
        MasterState.Counters counters, Registry registry, MasterTerm.FailureListener failures);
  }

  private final EventLoop loop;
  private final MasterInfo self;
  private final Terms terms;
  private volatile Election election;
  private volatile MasterTerm term;

  /**
   * Who leads, as the detector says, which grants nothing: this master leads while it has a term.
   */
  private volatile Optional<MasterInfo> detected = Optional.empty();

  private volatile boolean closed;
  private final Backoff backoff;
  private MasterState.Counters counters = MasterState.Counters.ZERO;

  /** The latest; there once its election has been entered, which may be after it was won. */
  private volatile CompletableFuture<Election.Place> candidacy;

  /** The one that is given up after a failure, behind which the next one waits; for the loop. */
  private CompletableFuture<Election.Place> givenUp;

  /** Does nothing until {@link #start}. */
  public Leadership(EventLoop loop, MasterInfo self, Terms terms) {
    this(loop, self, terms, new Backoff(FIRST_PAUSE, LONGEST_PAUSE));
  }

  /**
   * As above.
   *
   * @param backoff how long it stays away from the election after a term that failed; begins anew
   *     with each term that serves
   */
  Leadership(EventLoop loop, MasterInfo self, Terms terms, Backoff backoff) {
    this.loop = loop;
    this.self = self;
    this.terms = terms;
    this.backoff = backoff;
  }

  /**
   * Enters the election.
   *
   * @param entered closed with this
   */
  public void start(Election entered) {
    this.election = entered;
    contend();
  }

  private void contend() {
    CompletableFuture<Election.Place> entered = new CompletableFuture<>();
    candidacy = entered;
    try {
      entered.complete(
          election.contend(
              new Election.Listener() {
                @Override
                public void elected(Registry registry) {
                  begin(registry);
                }

                @Override
                public void lost(String reason) {
                  end(reason);
                  // Not by itself: the session expired, say. Nobody else brings it back.
                  if (!closed && candidacy == entered && givenUp != entered) {
                    contend();
                  }
                }
              }));
    } finally {
      entered.complete(() -> {});
    }
  }

  /** Told who leads, from the start to the end, whether this master leads or not. */
  public LeaderDetection.Listener detected() {
    return new LeaderDetection.Listener() {
      @Override
      public void leader(Optional<MasterInfo> now) {
        detected = now;
        now.ifPresentOrElse(
            it ->
                LOG.info(
                    "The leading master is {} at {}:{}",
                    it.getId(),
                    it.getHostname(),
                    it.getPort()),
            () -> LOG.info("No master leads"));
      }

      @Override
      public void described(MasterInfo now) {
        detected = Optional.of(now);
      }
    };
  }

  private void begin(Registry registry) {
    if (closed) {
      return;
    }
    end("elected again");
    LOG.info("Elected: this master leads");
    MasterTerm next = terms.create(counters, registry, this::failed);
    term = next;
    next.begin(backoff::reset);
  }

  private void end(String reason) {
    MasterTerm over = term;
    if (over == null) {
      return;
    }
    if (closed) {
      LOG.info("This master leads no longer: {}", reason);
    } else {
      LOG.warn("This master leads no longer: {}", reason);
    }
    term = null;
    counters = over.counters();
    over.close();
  }

  private void failed(String reason, Throwable cause) {
    Duration pause = backoff.next();
    LOG.error(
        "This master gives up leadership and stands for election again in {} ms: {}",
        pause.toMillis(),
        reason,
        cause);
    end(reason);
    CompletableFuture<Election.Place> given = candidacy;
    givenUp = given;
    Thread resigning =
        new Thread(
            () -> {
              given.join().close();
              loop.schedule(
                  pause,
                  () -> {
                    if (!closed) {
                      contend();
                    }
                  });
            },
            "master-resign");
    resigning.setDaemon(true);
    resigning.setContextClassLoader(null);
    resigning.start();
  }

  @Override
  public MasterInfo self() {
    return self;
  }

  @Override
  public Optional<MasterInfo> leader() {
    // Of itself it knows better than any detector whether it leads: who sends clients to itself
    // sends them round in circles.
    return leading()
        ? Optional.of(self)
        : detected.filter(
            it ->
                !it.getId().equals(self.getId())
                    && !LeaderAddress.of(it).equals(LeaderAddress.of(self)));
  }

  @Override
  public boolean leading() {
    return term != null;
  }

  @Override
  public Optional<MasterState> state() {
    MasterTerm now = term;
    return now == null ? Optional.empty() : now.state();
  }

  /** The present term; null while another master leads. Safe for any thread. */
  public MasterTerm term() {
    return term;
  }

  /** Runs something with the present term on the event loop, or the other thing without one. */
  public void withTerm(Consumer<MasterTerm> action, Runnable otherwise) {
    loop.execute(
        () -> {
          MasterTerm now = term;
          if (now == null || now.state().isEmpty()) {
            otherwise.run();
          } else {
            action.accept(now);
          }
        });
  }

  /** Reads something off the state; the default without one. Safe for any thread. */
  public double measure(Function<MasterState, Number> gauge) {
    return state().map(gauge).map(Number::doubleValue).orElse(0.0);
  }

  @Override
  public AutoCloseable follow(Consumer<MasterState> begin, StateListener listener, Runnable ended) {
    AtomicBoolean over = new AtomicBoolean();
    AtomicReference<AutoCloseable> following = new AtomicReference<>();
    loop.execute(
        () -> {
          MasterTerm now = term;
          if (over.get()) {
            return;
          }
          if (now == null) {
            ended.run();
          } else {
            following.set(now.follow(begin, listener, ended));
          }
        });
    return () -> {
      over.set(true);
      loop.execute(
          () -> {
            try {
              AutoCloseable active = following.get();
              if (active != null) {
                active.close();
              }
            } catch (Exception e) {
              LOG.debug("A follower could not be closed", e);
            }
          });
    };
  }

  /** Resigns and ends the term; returns when both is done. */
  @Override
  public void close() {
    closed = true;
    if (candidacy != null) {
      candidacy.join().close();
    }
    CompletableFuture<Void> ended = new CompletableFuture<>();
    loop.execute(
        () -> {
          end("the daemon stops");
          ended.complete(null);
        });
    try {
      ended.get(2, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("The term did not end in time", e);
    }
    if (election != null) {
      election.close();
    }
  }
}
