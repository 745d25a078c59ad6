package org.mezzo.master.election;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Timers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.master.agents.Links;
import org.mezzo.master.agents.RemovalRate;
import org.mezzo.master.allocation.Allocation;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.StateListener;
import org.mezzo.master.transitions.AgentRegistry;
import org.mezzo.master.transitions.Effect;
import org.mezzo.master.transitions.Frameworks;
import org.mezzo.master.transitions.Settings;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Subscribing;
import org.mezzo.master.transitions.Transition;
import org.mezzo.master.transitions.Unreachability;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.scheduler.Event;
import org.pcollections.HashTreePMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that lives from election to loss, closed as a whole: the state, the streams of
 * frameworks, the links of agents, the allocator's lease. Belongs to the event loop, but for what
 * says otherwise.
 */
public final class MasterTerm implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MasterTerm.class);
  private static final String MASTER_INFO = "master/info";
  private static final String STORES_REFUSED = "registrar/mezzo/refused";
  private static final Duration STORE_WINDOW = Duration.ofDays(1);

  private static final Encoded<Event> HEARTBEAT =
      Encoded.of(Event.newBuilder().setType(Event.Type.HEARTBEAT).build());

  /** Why a term could not go on. */
  @FunctionalInterface
  public interface FailureListener {
    void failed(String reason, Throwable cause);
  }

  /**
   * What a term is made from.
   *
   * @param weights of roles, as given for a first start
   * @param recoveryLimit the share of recovered agents that may be marked unreachable, from 0 to 1
   */
  public record Parts(
      EventLoop loop,
      Clock clock,
      MetricsRegistry metrics,
      Settings settings,
      AllocatorOptions allocatorOptions,
      MasterState.Limits limits,
      Map<String, Double> weights,
      RemovalRate removalRate,
      double recoveryLimit,
      RegistryTimes registryTimes,
      Consultant consultant) {}

  /** How long the registry may take, and how long it remembers lost agents. */
  public record RegistryTimes(
      Duration fetch, Duration store, Duration pruneInterval, Duration maxAge, int maxCount) {}

  private record Follower(StateListener listener, Runnable ended) {}

  private final Parts parts;
  private final Registry registry;
  private final FailureListener failures;
  private final Links links;
  private final Allocation allocation;
  private Optional<FrameworkMetrics> frameworkMetrics = Optional.empty();
  private final AtomicInteger storesUnderWay = new AtomicInteger();

  /** When a write came to its end last, {@link System#nanoTime}. */
  private long storeProgress;

  private EventLoop.Timer storeWatch = () -> {};
  private final MetricsRegistry.Timer fetchTime;
  private final MetricsRegistry.Timer storeTime;
  private final Map<String, EventStream<Event>> streams = new HashMap<>();
  private final Map<String, String> frameworkOfStream = new HashMap<>();
  private final List<Follower> followers = new ArrayList<>();
  private final Timers timers;
  private final Map<String, EventLoop.Timer> named = new HashMap<>();
  private volatile MasterState state;
  private volatile boolean recovered;
  private volatile boolean closed;

  /** A term that has not begun. */
  public MasterTerm(
      Parts parts,
      MasterInfo self,
      MasterState.Counters counters,
      Registry registry,
      FailureListener failures) {
    this.parts = parts;
    this.registry = registry;
    this.failures = failures;
    this.timers = new Timers(parts.loop());
    this.fetchTime = parts.metrics().timer("registrar/state_fetch_ms", Duration.ZERO);
    this.storeTime = parts.metrics().timer("registrar/state_store_ms", STORE_WINDOW);
    parts.metrics().gauge("registrar/queued_operations", storesUnderWay::get);
    parts.metrics().counter(STORES_REFUSED);
    this.state =
        MasterState.begin(self, parts.clock().instant(), parts.limits(), counters)
            .withPolicy(HashTreePMap.from(parts.weights()), HashTreePMap.empty());
    this.links = new Links(parts.loop(), parts.settings(), self, parts.removalRate(), this::run);
    this.allocation =
        new Allocation(
            parts.loop(),
            parts.clock(),
            parts.allocatorOptions(),
            () -> state,
            this::run,
            parts.metrics());
  }

  /** Measures each framework by itself; to be called before {@link #begin}. */
  public void measureFrameworks() {
    frameworkMetrics = Optional.of(new FrameworkMetrics(parts.metrics(), () -> state));
  }

  /** The numbers of single frameworks; empty when they are not wanted. */
  public Optional<FrameworkMetrics> frameworkMetrics() {
    return frameworkMetrics;
  }

  /** Reads the registry, writes this master into it, and then serves (rule 164). */
  public void begin(Runnable serving) {
    RegistryTimes times = parts.registryTimes();
    long began = System.nanoTime();
    within(registry.load(), times.fetch(), "read")
        .thenCompose(
            stored -> {
              fetchTime.recordNanos(System.nanoTime() - began);
              MasterState next;
              try {
                next = AgentRegistry.recover(state, stored);
              } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException("The registry holds what is no agent", e);
              }
              return stored(List.of(new Registry.Change(MASTER_INFO, state.self().toByteArray())))
                  .thenApply(unused -> next);
            })
        .whenComplete(
            (next, failure) -> {
              if (closed) {
                return;
              }
              if (failure != null) {
                failures.failed("its registry cannot be recovered", failure);
                return;
              }
              state = next;
              recovered = true;
              LOG.info(
                  "Recovered {} agents from the registry; serving", next.recoveredAgents().size());
              recoveryTimer(next);
              timers.every(
                  parts.settings().allocationInterval(),
                  () -> allocation.request(Optional.empty()));
              timers.every(
                  times.pruneInterval(),
                  () -> run(tx -> AgentRegistry.forgetOld(tx, times.maxAge(), times.maxCount())));
              serving.run();
            });
  }

  /** Fails what takes longer than allowed (rule 163). */
  private <T> CompletableFuture<T> within(CompletionStage<T> stage, Duration limit, String done) {
    CompletableFuture<T> result = new CompletableFuture<>();
    EventLoop.Timer timer =
        timers.schedule(
            limit,
            () ->
                result.completeExceptionally(
                    new TimeoutException(
                        "it was not " + done + " within " + limit.toSeconds() + " s")));
    stage.whenComplete(
        (value, failure) -> {
          timer.cancel();
          if (failure != null) {
            result.completeExceptionally(failure);
          } else {
            result.complete(value);
          }
        });
    return result;
  }

  private CompletionStage<Void> stored(List<Registry.Change> changes) {
    long began = System.nanoTime();
    if (storesUnderWay.getAndIncrement() == 0) {
      storeProgress = began;
      watchStores(parts.registryTimes().store());
    }
    return registry
        .apply(changes)
        .whenComplete(
            (unused, failure) -> {
              storeProgress = System.nanoTime();
              if (storesUnderWay.decrementAndGet() == 0) {
                storeWatch.cancel();
              }
              if (failure == null) {
                storeTime.recordNanos(System.nanoTime() - began);
              }
            });
  }

  /**
   * Ends the term when no write comes to its end for as long as one may take (rule 163). Many that
   * wait for each other may take longer together.
   */
  private void watchStores(Duration wait) {
    Duration limit = parts.registryTimes().store();
    storeWatch =
        parts
            .loop()
            .schedule(
                wait,
                () -> {
                  Duration silent = Duration.ofNanos(System.nanoTime() - storeProgress);
                  if (silent.compareTo(limit) < 0) {
                    watchStores(limit.minus(silent));
                    return;
                  }
                  long progress = storeProgress;
                  // An answer may wait for its turn on a loop that was held up.
                  parts
                      .loop()
                      .execute(
                          () -> {
                            if (closed || storesUnderWay.get() == 0) {
                              return;
                            }
                            if (progress != storeProgress) {
                              watchStores(limit);
                              return;
                            }
                            failures.failed(
                                "its registry cannot be written",
                                new TimeoutException(
                                    "it was not written within " + limit.toSeconds() + " s"));
                          });
                });
  }

  private void recoveryTimer(MasterState begin) {
    int expected = begin.recoveredAgents().size();
    if (expected == 0) {
      return;
    }
    timers.schedule(
        parts.settings().agentReregisterTimeout(),
        () -> {
          var missing = state.recoveredAgents().keySet();
          if (missing.size() > expected * parts.recoveryLimit()) {
            failures.failed(
                missing.size()
                    + " of "
                    + expected
                    + " agents did not come back, more than --recovery_agent_removal_limit"
                    + " allows",
                null);
            return;
          }
          missing.forEach(id -> links.markLater(id, tx -> markMissing(tx, id)));
        });
  }

  private static void markMissing(Transition tx, String agentId) {
    if (tx.state().recoveredAgents().containsKey(agentId)) {
      Unreachability.mark(tx, agentId, "agent did not reregister after the change of leader");
    }
  }

  /** The published root. Safe for any thread. */
  public Optional<MasterState> state() {
    return recovered && !closed ? Optional.of(state) : Optional.empty();
  }

  /** The numbers to go on with in a later term of this process. */
  public MasterState.Counters counters() {
    return state.counters();
  }

  /** The links of agents. */
  public Links links() {
    return links;
  }

  /** The allocator's side. */
  public Allocation allocation() {
    return allocation;
  }

  /** Runs a step, publishes the state and has the effects executed. Ignored once closed. */
  public void run(Step step) {
    if (closed) {
      return;
    }
    MasterState before = state;
    Transition tx = new Transition(before, parts.clock().instant(), parts.settings());
    step.apply(tx);
    MasterState after = tx.state();
    if (after != before) {
      state = after;
      frameworkMetrics.ifPresent(it -> it.published(before, after, tx.happenings()));
      for (Follower follower : followers) {
        follower.listener().published(before, after, tx.happenings());
      }
    }
    for (Effect effect : tx.effects()) {
      execute(effect);
    }
  }

  private void execute(Effect effect) {
    if (effect instanceof Effect.Send send) {
      EventStream<Event> stream = streams.get(send.streamId());
      if (stream != null) {
        stream.send(send.event());
        sent(send.streamId(), send.event());
      }
    } else if (effect instanceof Effect.ToAgent toAgent) {
      links.send(toAgent.agentId(), toAgent.event());
    } else if (effect instanceof Effect.Tell tell) {
      allocation.tell(tell.operation(), tell.change());
    } else if (effect instanceof Effect.Count count) {
      parts.metrics().counter(count.metric()).add(count.by());
    } else if (effect instanceof Effect.Allocate allocate) {
      allocation.request(allocate.agentId());
    } else if (effect instanceof Effect.Heartbeat heartbeat) {
      EventStream<Event> stream = streams.get(heartbeat.streamId());
      if (stream != null) {
        stream.send(HEARTBEAT);
        sent(heartbeat.streamId(), HEARTBEAT.message());
        stream.heartbeat(
            parts.loop(),
            parts.settings().heartbeatInterval(),
            HEARTBEAT,
            () -> sent(heartbeat.streamId(), HEARTBEAT.message()));
      }
    } else if (effect instanceof Effect.EndStream end) {
      frameworkOfStream.remove(end.streamId());
      EventStream<Event> stream = streams.remove(end.streamId());
      if (stream != null) {
        stream.end();
      }
    } else if (effect instanceof Effect.BindLink bind) {
      allocation.agentAdded(bind.agentId());
      links.bind(bind.agentId(), bind.linkNumber());
    } else if (effect instanceof Effect.EndLink end) {
      allocation.agentRemoved(end.agentId());
      links.end(end.agentId());
    } else if (effect instanceof Effect.ToLink toLink) {
      links.sendTo(toLink.linkNumber(), toLink.event());
    } else if (effect instanceof Effect.RefuseLink refuse) {
      links.refuse(refuse.linkNumber(), refuse.reason());
    } else if (effect instanceof Effect.MarkUnreachable mark) {
      links.markLater(mark.agentId(), mark.mark());
    } else if (effect instanceof Effect.Ping ping) {
      links.ping(ping.agentId());
    } else if (effect instanceof Effect.Store store) {
      store(store);
    } else if (effect instanceof Effect.After after) {
      callOff(after.name());
      named.put(
          after.name(),
          timers.schedule(
              after.delay(),
              () -> {
                named.remove(after.name());
                run(after.step());
              }));
    } else if (effect instanceof Effect.CallOff callOff) {
      callOff(callOff.name());
    } else if (effect instanceof Effect.Answer answer) {
      answer.answer().run();
    } else if (effect instanceof Effect.Next next) {
      parts.loop().execute(() -> run(next.step()));
    } else if (effect instanceof Effect.Consult consult) {
      parts
          .consultant()
          .ask(consult.consultation())
          .thenAccept(answer -> run(tx -> consult.consultation().then().apply(tx, answer)));
    } else if (effect instanceof Effect.AgentLost lost) {
      parts.consultant().agentLost(lost.agent());
    }
  }

  private void callOff(String name) {
    EventLoop.Timer timer = named.remove(name);
    if (timer != null) {
      timer.cancel();
    }
  }

  private void sent(String streamId, Event event) {
    String frameworkId = frameworkOfStream.get(streamId);
    if (frameworkId != null) {
      frameworkMetrics.ifPresent(it -> it.sent(frameworkId, event));
    }
  }

  private void store(Effect.Store store) {
    stored(store.changes())
        .whenComplete(
            (unused, failure) -> {
              if (closed) {
                return;
              }
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              try {
                if (cause == null) {
                  run(store.then());
                } else if (cause instanceof Registry.RefusedException refused) {
                  parts.metrics().counter(STORES_REFUSED).add(1);
                  run(tx -> store.refused().apply(tx, refused.getMessage()));
                } else {
                  failures.failed("its registry cannot be written", cause);
                }
              } catch (RuntimeException e) {
                LOG.error("What follows a write of the registry failed", e);
              }
            });
  }

  /**
   * Subscribes a framework on a stream that is open already.
   *
   * @param refusal what the authorizer had against it
   */
  public void subscribe(
      String streamId, EventStream<Event> stream, Subscribing request, Optional<String> refusal) {
    if (closed) {
      stream.abort();
      return;
    }
    streams.put(streamId, stream);
    run(
        tx -> {
          Frameworks.subscribe(tx, request, streamId, refusal);
          tx.effects().stream()
              .filter(Effect.Heartbeat.class::isInstance)
              .findFirst()
              .ifPresent(unused -> remember(tx, streamId));
        });
    stream.onClosed(cause -> parts.loop().execute(() -> streamClosed(streamId)));
  }

  private void remember(Transition tx, String streamId) {
    for (Effect effect : tx.effects()) {
      if (effect instanceof Effect.Send send
          && send.streamId().equals(streamId)
          && send.event().hasSubscribed()) {
        frameworkOfStream.put(streamId, send.event().getSubscribed().getFrameworkId().getValue());
      }
    }
  }

  private void streamClosed(String streamId) {
    streams.remove(streamId);
    String frameworkId = frameworkOfStream.remove(streamId);
    if (frameworkId != null) {
      LOG.info("Framework {} is disconnected: its stream closed", frameworkId);
      run(tx -> Frameworks.disconnected(tx, frameworkId, streamId));
    }
  }

  /** Follows the roots; the first call of the listener follows the root given to begin. */
  public AutoCloseable follow(Consumer<MasterState> begin, StateListener listener, Runnable ended) {
    if (closed || !recovered) {
      return () -> {};
    }
    Follower follower = new Follower(listener, ended);
    followers.add(follower);
    begin.accept(state);
    return () -> parts.loop().execute(() -> followers.remove(follower));
  }

  /** Ends everything of the term. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    storeWatch.cancel();
    timers.close();
    named.clear();
    frameworkMetrics.ifPresent(FrameworkMetrics::close);
    allocation.close();
    links.close();
    streams.values().forEach(EventStream::abort);
    streams.clear();
    followers.forEach(follower -> follower.ended().run());
    followers.clear();
    // Connections that are still closing may know the term; the cluster's past is not theirs.
    state = MasterState.begin(state.self(), state.elected(), parts.limits(), state.counters());
  }
}
