package org.mezzo.master.election;

import java.util.Optional;
import java.util.function.Consumer;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.master.agents.Links;
import org.mezzo.master.allocation.Allocation;
import org.mezzo.master.rollouts.Rollouts;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.StateListener;
import org.mezzo.master.transitions.Consultation;
import org.mezzo.master.transitions.Effect;
import org.mezzo.master.transitions.Frameworks;
import org.mezzo.master.transitions.Policies;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Subscribing;
import org.mezzo.protocol.v1.scheduler.Event;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that lives from election to loss, closed as a whole: the state, the streams of
 * frameworks, the links of agents, the allocator's lease. Belongs to the event loop, but for what
 * says otherwise.
 */
public final class MasterTerm implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MasterTerm.class);

  /** Why a term could not go on. */
  @FunctionalInterface
  public interface FailureListener {
    void failed(String reason, Throwable cause);
  }

  private final EventLoop loop;
  private final StateMachine machine;
  private final TermRegistry registry;
  private final RecoveredAgents recovered;
  private final Links links;
  private final Rollouts rollouts;
  private final Allocation allocation;
  private final Consultant consultant;
  private final SchedulerStreams streams;
  private Optional<FrameworkMetrics> frameworkMetrics = Optional.empty();
  private boolean closed;

  /** A term that has not begun; closes what it is made from. */
  public MasterTerm(
      EventLoop loop,
      StateMachine machine,
      TermRegistry registry,
      RecoveredAgents recovered,
      Links links,
      Rollouts rollouts,
      Allocation allocation,
      Consultant consultant) {
    this.loop = loop;
    this.machine = machine;
    this.registry = registry;
    this.recovered = recovered;
    this.links = links;
    this.rollouts = rollouts;
    this.allocation = allocation;
    this.consultant = consultant;
    streams =
        new SchedulerStreams(
            loop,
            machine.settings().frameworks().heartbeatInterval(),
            (frameworkId, event) -> frameworkMetrics.ifPresent(it -> it.sent(frameworkId, event)));
    machine.follow(new OperationTotals(machine::count));
    machine.carryOut(new Effects());
    links.tell(rollouts);
    machine.follow(rollouts.census());
  }

  /** Measures each framework by itself; to be called before {@link #begin}. */
  public void measure(FrameworkMetrics frameworks) {
    frameworkMetrics = Optional.of(frameworks);
    machine.follow(frameworks);
  }

  /** The numbers of single frameworks; empty when they are not wanted. */
  public Optional<FrameworkMetrics> frameworkMetrics() {
    return frameworkMetrics;
  }

  /** Reads the registry, writes this master into it, and then serves (rule 164). */
  public void begin(Runnable serving) {
    registry.recover(
        machine.state(),
        (root, modules) -> {
          machine.recovered(root);
          rollouts.begin(modules);
          machine.run(Policies::recovered);
          allocation.recovered(root.recoveredAgents().size());
          LOG.info("Recovered {} agents from the registry; serving", root.recoveredAgents().size());
          recovered.await();
          allocation.requestEvery(machine.settings().allocationInterval());
          registry.prune(machine::run);
          serving.run();
        });
  }

  /** The published root. Safe for any thread. */
  public Optional<MasterState> state() {
    return machine.serving() ? Optional.of(machine.state()) : Optional.empty();
  }

  /** The numbers to go on with in a later term of this process. */
  public MasterState.Counters counters() {
    return machine.state().counters();
  }

  /** The links of agents. */
  public Links links() {
    return links;
  }

  /** The module bundles that are wanted in the cluster. */
  public Rollouts rollouts() {
    return rollouts;
  }

  /** The allocator's side. */
  public Allocation allocation() {
    return allocation;
  }

  /** Runs a step, publishes the state and has the effects executed. Ignored once closed. */
  public void run(Step step) {
    machine.run(step);
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
      if (effect.voids()) {
        allocation.voidProposals();
      }
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
      registry.store(effect, machine::run);
    }

    @Override
    public void after(Effect.After effect) {
      machine.runAfter(effect.name(), effect.delay(), effect.step());
    }

    @Override
    public void callOff(Effect.CallOff effect) {
      machine.callOff(effect.name());
    }

    @Override
    public void answer(Effect.Answer effect) {
      effect.answer().run();
    }

    @Override
    public void next(Effect.Next effect) {
      machine.runNext(effect.step());
    }

    @Override
    public void agentLost(Effect.AgentLost effect) {
      consultant.agentLost(effect.agent());
    }

    @Override
    public void consult(Effect.Consult effect) {
      Consultation question = effect.consultation();
      consultant.ask(question).thenAccept(answer -> run(tx -> question.then().apply(tx, answer)));
    }

    @Override
    public void count(Effect.Count effect) {
      machine.count(effect.metric(), effect.by());
    }
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
    stream.onClosed(cause -> loop.execute(() -> streamClosed(streamId)));
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
    return machine.follow(begin, listener, ended);
  }

  /** Ends everything of the term. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    machine.close();
    registry.close();
    rollouts.close();
    recovered.close();
    frameworkMetrics.ifPresent(FrameworkMetrics::close);
    allocation.close();
    links.close();
    streams.close();
  }
}
