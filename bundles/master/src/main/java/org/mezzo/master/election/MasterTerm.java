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
import java.util.function.Consumer;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.coordination.Registry;
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
import org.mezzo.master.transitions.Consultation;
import org.mezzo.master.transitions.Effect;
import org.mezzo.master.transitions.Frameworks;
import org.mezzo.master.transitions.Rehearsal;
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
  private final RegistryWrites writes;
  private final MetricsRegistry.Timer fetchTime;
  private final SchedulerStreams streams;
  private final Effects effects = new Effects();
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
    this.writes =
        new RegistryWrites(
            parts.loop(),
            registry,
            parts.registryTimes().store(),
            parts.metrics(),
            timeout -> failures.failed("its registry cannot be written", timeout));
    this.streams =
        new SchedulerStreams(
            parts.loop(),
            parts.settings().heartbeatInterval(),
            (frameworkId, event) -> frameworkMetrics.ifPresent(it -> it.sent(frameworkId, event)));
    parts.metrics().counter(STORES_REFUSED);
    this.state =
        MasterState.begin(self, parts.clock().instant(), parts.limits(), counters)
            .withPolicy(HashTreePMap.from(parts.weights()), HashTreePMap.empty());
    this.links =
        new Links(
            parts.loop(), parts.settings(), self, parts.removalRate(), () -> state, this::run);
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
              return writes
                  .apply(List.of(new Registry.Change(MASTER_INFO, state.self().toByteArray())))
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
    assert Rehearsal.repeats(step, tx);
    MasterState after = tx.state();
    if (after != before) {
      state = after;
      frameworkMetrics.ifPresent(it -> it.published(before, after, tx.happenings()));
      for (Follower follower : followers) {
        follower.listener().published(before, after, tx.happenings());
      }
    }
    tx.effects().forEach(effect -> effect.accept(effects));
  }

  /** Carries out what transitions want done. */
  private final class Effects implements Effect.Handler {
    @Override
    public void bindStream(Effect.BindStream effect) {
      streams.bind(effect.streamId(), effect.frameworkId());
    }

    @Override
    public void send(Effect.Send effect) {
      streams.send(effect.streamId(), effect.event());
    }

    @Override
    public void heartbeat(Effect.Heartbeat effect) {
      streams.heartbeat(effect.streamId());
    }

    @Override
    public void endStream(Effect.EndStream effect) {
      streams.end(effect.streamId());
    }

    @Override
    public void toAgent(Effect.ToAgent effect) {
      links.send(effect.agentId(), effect.event());
    }

    @Override
    public void toLink(Effect.ToLink effect) {
      links.sendTo(effect.linkNumber(), effect.event());
    }

    @Override
    public void refuseLink(Effect.RefuseLink effect) {
      links.refuse(effect.linkNumber(), effect.reason());
    }

    @Override
    public void bindLink(Effect.BindLink effect) {
      allocation.agentAdded(effect.agentId());
      links.bind(effect.agentId(), effect.linkNumber());
    }

    @Override
    public void endLink(Effect.EndLink effect) {
      allocation.agentRemoved(effect.agentId());
      links.end(effect.agentId());
    }

    @Override
    public void ping(Effect.Ping effect) {
      links.ping(effect.agentId());
    }

    @Override
    public void tell(Effect.Tell effect) {
      allocation.tell(effect.operation(), effect.change());
    }

    @Override
    public void allocate(Effect.Allocate effect) {
      allocation.request(effect.agentId());
    }

    @Override
    public void markUnreachable(Effect.MarkUnreachable effect) {
      links.markLater(effect.agentId(), effect.mark());
    }

    @Override
    public void store(Effect.Store effect) {
      MasterTerm.this.store(effect);
    }

    @Override
    public void after(Effect.After effect) {
      cancel(effect.name());
      named.put(
          effect.name(),
          timers.schedule(
              effect.delay(),
              () -> {
                named.remove(effect.name());
                run(effect.step());
              }));
    }

    @Override
    public void callOff(Effect.CallOff effect) {
      cancel(effect.name());
    }

    @Override
    public void answer(Effect.Answer effect) {
      effect.answer().run();
    }

    @Override
    public void next(Effect.Next effect) {
      parts.loop().execute(() -> run(effect.step()));
    }

    @Override
    public void agentLost(Effect.AgentLost effect) {
      parts.consultant().agentLost(effect.agent());
    }

    @Override
    public void consult(Effect.Consult effect) {
      Consultation question = effect.consultation();
      parts
          .consultant()
          .ask(question)
          .thenAccept(answer -> run(tx -> question.then().apply(tx, answer)));
    }

    @Override
    public void count(Effect.Count effect) {
      parts.metrics().counter(effect.metric()).add(effect.by());
    }
  }

  private void cancel(String name) {
    EventLoop.Timer timer = named.remove(name);
    if (timer != null) {
      timer.cancel();
    }
  }

  private void store(Effect.Store store) {
    writes
        .apply(store.changes())
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
    streams.opened(streamId, stream);
    run(tx -> Frameworks.subscribe(tx, request, streamId, refusal));
    stream.onClosed(cause -> parts.loop().execute(() -> streamClosed(streamId)));
  }

  private void streamClosed(String streamId) {
    streams
        .closed(streamId)
        .ifPresent(
            frameworkId -> {
              LOG.info("Framework {} is disconnected: its stream closed", frameworkId);
              run(tx -> Frameworks.disconnected(tx, frameworkId, streamId));
            });
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
    writes.close();
    timers.close();
    named.clear();
    frameworkMetrics.ifPresent(FrameworkMetrics::close);
    allocation.close();
    links.close();
    streams.close();
    followers.forEach(follower -> follower.ended().run());
    followers.clear();
    // Connections that are still closing may know the term; the cluster's past is not theirs.
    state = MasterState.begin(state.self(), state.elected(), parts.limits(), state.counters());
  }
}
