package org.mezzo.master.agents;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Ping;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.Admissions;
import org.mezzo.master.transitions.AgentOperations;
import org.mezzo.master.transitions.Agents;
import org.mezzo.master.transitions.Disconnections;
import org.mezzo.master.transitions.Readmissions;
import org.mezzo.master.transitions.Registration;
import org.mezzo.master.transitions.Removals;
import org.mezzo.master.transitions.Settings;
import org.mezzo.master.transitions.Statuses;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Tasks;
import org.mezzo.master.transitions.Transition;
import org.mezzo.master.transitions.Unreachability;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The links of one term: which connection is which agent's, and whether it still answers. Messages
 * are converted on connector threads; everything else belongs to the event loop.
 */
public final class Links implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Links.class);

  /** Connections and timers that are ended in one turn. */
  private static final int CLOSED_AT_ONCE = 200;

  private static final String MARKINGS = "master/slave_unreachable_";

  private final EventLoop loop;
  private final Settings.Agents settings;
  private final MasterInfo self;
  private final Supplier<MasterState> state;
  private final Consumer<Step> run;
  private final MarkingQueue marking;
  private final AgentAuthorization authorization;
  private final AtomicLong numbers = new AtomicLong();
  private final Map<Long, Link> open = new HashMap<>();
  private final Map<String, Link> byAgent = new HashMap<>();
  private final Map<String, Health> health = new HashMap<>();

  /** On which connection each registered agent was admitted last, be it gone since. */
  private final Map<String, Origin> admitted = new HashMap<>();

  private volatile boolean closed;

  /**
   * Where a connection comes from.
   *
   * @param process random per process of an agent; empty when the agent did not say
   * @param epoch grows with each connection of the process
   */
  private record Origin(String process, long epoch) {}

  /** One connection. */
  private final class Link implements LinkServer.Listener {
    private final long number = numbers.incrementAndGet();
    private final LinkServer.Session session;
    private final Origin origin;
    private final Optional<String> principal;

    /** Whether it is being asked whether it may register. For the loop. */
    private boolean asking;

    /**
     * Whether a pong came since this was asked last; set as soon as one arrives, however long it
     * then waits for its turn on the loop.
     */
    private final AtomicBoolean answered = new AtomicBoolean();

    /** Set on the loop when the connection is known to be an agent's. */
    private volatile String agentId;

    private Link(LinkServer.Session session, Hello hello, Optional<String> principal) {
      this.session = session;
      this.principal = principal;
      this.origin = new Origin(hello.getProcessId(), hello.getConnectionEpoch());
    }

    @Override
    public void call(AgentCall call) {
      Runnable action;
      try {
        action = action(call);
      } catch (ResourceFormatException e) {
        LOG.warn("Agent at {} sent bad resources, ignored: {}", session.remote(), e.getMessage());
        return;
      }
      if (!closed) {
        loop.execute(
            () -> {
              if (!closed) {
                action.run();
              }
            });
      }
    }

    /**
     * What is done about a call on the event loop. Whether the link may say such a thing is decided
     * there, before any step begins.
     */
    private Runnable action(AgentCall call) throws ResourceFormatException {
      switch (call.getCallCase()) {
        case REGISTER -> {
          var registration = Registration.of(number, call.getRegister());
          return allowed(
              registration,
              "master/messages_register_slave",
              () -> {
                if (!superseded(this, state.get().agentsByPid().get(registration.pid()))) {
                  run.accept(tx -> Admissions.register(tx, registration));
                }
              });
        }
        case REREGISTER -> {
          var registration = Registration.of(number, call.getReregister());
          return allowed(
              registration,
              "master/messages_reregister_slave",
              () -> {
                if (!superseded(this, registration.info().getId().getValue())) {
                  run.accept(tx -> Readmissions.reregister(tx, registration, call.getReregister()));
                }
              });
        }
        case PONG -> {
          answered.set(true);
          return () -> pong(this);
        }
        case STATUS_UPDATE -> {
          return bound((tx, agent) -> Statuses.update(tx, agent, call.getStatusUpdate()));
        }
        case EXECUTOR_EXITED -> {
          return bound((tx, agent) -> Agents.executorExited(tx, agent, call.getExecutorExited()));
        }
        case FRAMEWORK_MESSAGE -> {
          return bound((tx, agent) -> Tasks.executorMessage(tx, agent, call.getFrameworkMessage()));
        }
        case UPDATE_AGENT -> {
          Resources oversubscribed = Resources.of(call.getUpdateAgent().getOversubscribedList());
          return bound(
              (tx, agent) -> Agents.update(tx, agent, call.getUpdateAgent(), oversubscribed));
        }
        case OPERATION_UPDATE -> {
          return bound((tx, agent) -> AgentOperations.update(tx, agent, call.getOperationUpdate()));
        }
        case UNREGISTER -> {
          return bound(Removals::unregister);
        }
        default -> {
          return () -> {};
        }
      }
    }

    /**
     * A registration goes on when the agent may register (rules 135 and 136); one that was marked
     * gone is told that in any case. What comes while this is being asked is ignored.
     *
     * @param metric that counts such messages, for those that go no further
     */
    private Runnable allowed(Registration registration, String metric, Runnable then) {
      if (!authorization.demanded()) {
        return then;
      }
      return () -> {
        if (asking) {
          return;
        }
        if (state.get().goneAgents().containsKey(registration.info().getId().getValue())) {
          then.run();
          return;
        }
        asking = true;
        authorization
            .refusal(principal, registration.total())
            .thenAccept(refusal -> loop.execute(() -> decided(refusal, metric, then)));
      };
    }

    private void decided(Optional<String> refusal, String metric, Runnable then) {
      asking = false;
      if (closed || !open.containsKey(number)) {
        return;
      }
      if (refusal.isEmpty()) {
        then.run();
        return;
      }
      LOG.warn("The agent at {} is not registered: {}", session.remote(), refusal.get());
      run.accept(tx -> tx.count(metric));
      refuse(number, refusal.get());
    }

    /** A call before the registration was answered, or on a link that was replaced, is dropped. */
    private Runnable bound(BiConsumer<Transition, String> step) {
      return () -> {
        String agent = agentId;
        if (agent != null && byAgent.get(agent) == this) {
          run.accept(tx -> step.accept(tx, agent));
        }
      };
    }

    @Override
    public void closed(String reason) {
      loop.execute(() -> gone(this, reason));
    }
  }

  /** Whether an agent answers. */
  private static final class Health {
    private int misses;
    private boolean pinged;
    private long sequence;

    /** When it was pinged last, {@link System#nanoTime}. */
    private long at;

    private EventLoop.Timer timer = () -> {};
  }

  /**
   * No link yet.
   *
   * @param authorization who may register
   * @param state the published root
   * @param run runs a step as a transition
   */
  public Links(
      EventLoop loop,
      Settings.Agents settings,
      MasterInfo self,
      RemovalRate removalRate,
      AgentAuthorization authorization,
      Supplier<MasterState> state,
      Consumer<Step> run) {
    this.loop = loop;
    this.settings = settings;
    this.self = self;
    this.state = state;
    this.run = run;
    this.authorization = authorization;
    this.marking = new MarkingQueue(loop, removalRate);
  }

  /**
   * An agent opened a link; called on a connector thread.
   *
   * @param principal who it is, as far as known
   */
  public void opened(LinkServer.Session session, Hello hello, Optional<String> principal) {
    if (closed) {
      session.refuse(Refusal.newBuilder().setReason("This master's term is over").build());
      return;
    }
    Link link = new Link(session, hello, principal);
    loop.execute(
        () -> {
          if (closed) {
            session.close();
            return;
          }
          open.put(link.number, link);
        });
    session.accept(
        Welcome.newBuilder()
            .setMajor(hello.getMajor())
            .setMinor(hello.getMinor())
            .setSoftwareVersion(Versions.MEZZO)
            .setMasterId(self.getId())
            .build(),
        link);
  }

  private void gone(Link link, String reason) {
    open.remove(link.number);
    if (link.agentId != null && byAgent.remove(link.agentId, link)) {
      LOG.info("Link of agent {} closed: {}", link.agentId, reason);
      if (!closed) {
        run.accept(tx -> Disconnections.disconnected(tx, link.agentId));
      }
    }
  }

  /**
   * Whether an agent was admitted on a newer connection than this one, which is refused then: what
   * comes late on it must not replace what the agent has said since.
   */
  private boolean superseded(Link link, String agentId) {
    Origin last = agentId == null ? null : admitted.get(agentId);
    if (last == null) {
      return false;
    }
    Link bound = byAgent.get(agentId);
    boolean sameProcess = !last.process().isEmpty() && last.process().equals(link.origin.process());
    boolean older =
        sameProcess
            ? link.origin.epoch() < last.epoch()
            : bound != null && link.number < bound.number;
    if (older) {
      LOG.warn(
          "Registration of agent {} on an old connection from {} is refused: it was admitted on a"
              + " newer one",
          agentId,
          link.session.remote());
      refuse(link.number, "This agent was admitted on a newer connection");
    }
    return older;
  }

  /** Sends to whoever is behind a link, whether it is an agent's or not. */
  public void sendTo(long number, MasterEvent.Builder event) {
    Link link = open.get(number);
    if (link != null) {
      link.session.send(event);
    }
  }

  /** Tells whoever is behind a link why it is not admitted, and closes the link. */
  public void refuse(long number, String reason) {
    Link link = open.get(number);
    if (link != null) {
      link.session.refuse(Refusal.newBuilder().setReason(reason).build());
    }
  }

  /** Makes a link that of an agent that was admitted on it. */
  public void bind(String agentId, long number) {
    Link link = open.get(number);
    if (link == null) {
      loop.execute(
          () -> {
            if (!closed && !byAgent.containsKey(agentId)) {
              run.accept(tx -> Disconnections.disconnected(tx, agentId));
            }
          });
      return;
    }
    String other = link.agentId;
    if (other != null && !other.equals(agentId) && byAgent.remove(other, link)) {
      LOG.warn("The link of agent {} is that of agent {} now", other, agentId);
      loop.execute(
          () -> {
            if (!closed && !byAgent.containsKey(other)) {
              run.accept(tx -> Disconnections.disconnected(tx, other));
            }
          });
    }
    link.agentId = agentId;
    admitted.put(agentId, link.origin);
    if (marking.cancel(agentId)) {
      countLater("canceled");
    }
    Link before = byAgent.put(agentId, link);
    if (before != null && before != link) {
      before.session.close();
    }
  }

  /** Sends to an agent. */
  public void send(String agentId, MasterEvent.Builder event) {
    Link link = byAgent.get(agentId);
    if (link != null) {
      link.session.send(event);
    }
  }

  /** Closes the link of an agent that is not registered any more. */
  public void end(String agentId) {
    admitted.remove(agentId);
    marking.cancel(agentId);
    Health known = health.remove(agentId);
    if (known != null) {
      known.timer.cancel();
    }
    Link link = byAgent.remove(agentId);
    if (link != null) {
      link.session.close();
    }
  }

  /** Begins to ping an agent at once, or forgives what it missed (rule 140). */
  public void ping(String agentId) {
    Health known = health.computeIfAbsent(agentId, unused -> new Health());
    known.timer.cancel();
    known.misses = 0;
    known.pinged = false;
    known.timer = loop.every(settings.pingTimeout(), () -> interval(agentId));
    interval(agentId);
  }

  private void interval(String agentId) {
    Health known = health.get(agentId);
    if (known == null || closed) {
      return;
    }
    Link link = byAgent.get(agentId);
    long now = System.nanoTime();
    // After the process was held up, what has arrived must be read before silence is judged.
    boolean late = now - known.at > 2 * settings.pingTimeout().toNanos();
    if (link != null && link.answered.getAndSet(false)) {
      known.misses = 0;
    } else if (known.pinged && !late && ++known.misses >= settings.maxPingTimeouts()) {
      markLater(agentId, () -> silent(agentId));
    }
    known.pinged = true;
    known.at = now;
    known.sequence++;
    send(
        agentId,
        MasterEvent.newBuilder()
            .setPing(Ping.newBuilder().setSequence(known.sequence).setConnected(link != null)));
  }

  /** Marks an agent whose pongs are missed, unless one waits for its turn. */
  private void silent(String agentId) {
    Link link = byAgent.get(agentId);
    if (link == null || !link.answered.get()) {
      run.accept(tx -> Unreachability.mark(tx, agentId, "health check timed out"));
    }
  }

  private void pong(Link link) {
    Health known = link.agentId == null ? null : health.get(link.agentId);
    if (known != null && byAgent.get(link.agentId) == link) {
      known.misses = 0;
      if (marking.cancel(link.agentId)) {
        run.accept(tx -> tx.count(MARKINGS + "canceled"));
      }
    }
  }

  /** Has an agent marked unreachable in its turn, unless it shows before that it lives. */
  public void markLater(String agentId, Step mark) {
    markLater(agentId, () -> run.accept(mark));
  }

  private void markLater(String agentId, Runnable mark) {
    if (marking.add(agentId, mark)) {
      countLater("scheduled");
    }
  }

  private void countLater(String what) {
    loop.execute(() -> run.accept(tx -> tx.count(MARKINGS + what)));
  }

  /** Drops every connection; many of them in several turns of the loop. */
  @Override
  public void close() {
    closed = true;
    loop.executeEach(health.values(), CLOSED_AT_ONCE, it -> it.timer.cancel());
    health.clear();
    marking.close();
    loop.executeEach(open.values(), CLOSED_AT_ONCE, link -> link.session.close());
    open.clear();
    byAgent.clear();
  }
}
