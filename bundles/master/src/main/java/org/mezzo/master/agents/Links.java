package org.mezzo.master.agents;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.mezzo.daemon.EventLoop;
import org.mezzo.daemon.Versions;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Ping;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.mezzo.master.transitions.Admissions;
import org.mezzo.master.transitions.Agents;
import org.mezzo.master.transitions.Disconnections;
import org.mezzo.master.transitions.Readmissions;
import org.mezzo.master.transitions.Registration;
import org.mezzo.master.transitions.Removals;
import org.mezzo.master.transitions.ReportedTasks;
import org.mezzo.master.transitions.Settings;
import org.mezzo.master.transitions.Statuses;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Tasks;
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

  private final EventLoop loop;
  private final Settings settings;
  private final MasterInfo self;
  private final Consumer<Step> run;
  private final RemovalRate removalRate;
  private final AtomicLong numbers = new AtomicLong();
  private final Map<Long, Link> open = new HashMap<>();
  private final Map<String, Link> byAgent = new HashMap<>();
  private final Map<String, Health> health = new HashMap<>();
  private final ArrayDeque<String> toMark = new ArrayDeque<>();
  private final Set<String> queued = new HashSet<>();
  private boolean marking;
  private EventLoop.Timer turn = () -> {};
  private volatile boolean closed;

  /** One connection. */
  private final class Link implements LinkServer.Listener {
    private final long number = numbers.incrementAndGet();
    private final LinkServer.Session session;

    /** Set on the loop when the connection is known to be an agent's. */
    private volatile String agentId;

    private Link(LinkServer.Session session) {
      this.session = session;
    }

    @Override
    public void call(AgentCall call) {
      Step step;
      try {
        step = step(call);
      } catch (ResourceFormatException e) {
        LOG.warn("Agent at {} sent bad resources, ignored: {}", session.remote(), e.getMessage());
        return;
      }
      if (step != null && !closed) {
        loop.execute(
            () -> {
              if (!closed) {
                run.accept(step);
              }
            });
      }
    }

    /** What a call means; null when it means nothing, or nothing yet. */
    private Step step(AgentCall call) throws ResourceFormatException {
      switch (call.getCallCase()) {
        case REGISTER -> {
          var registration = Registration.of(number, call.getRegister());
          return tx -> Admissions.register(tx, registration);
        }
        case REREGISTER -> {
          var registration = Registration.of(number, call.getReregister());
          return tx -> Readmissions.reregister(tx, registration, call.getReregister());
        }
        case PONG -> {
          return tx -> pong(this);
        }
        case STATUS_UPDATE -> {
          return tx -> bound(() -> Statuses.update(tx, agentId, call.getStatusUpdate()));
        }
        case EXECUTOR_EXITED -> {
          return tx -> bound(() -> Agents.executorExited(tx, agentId, call.getExecutorExited()));
        }
        case FRAMEWORK_MESSAGE -> {
          return tx -> bound(() -> Tasks.executorMessage(tx, agentId, call.getFrameworkMessage()));
        }
        case UPDATE_AGENT -> {
          Resources oversubscribed = Resources.of(call.getUpdateAgent().getOversubscribedList());
          return tx ->
              bound(() -> Agents.update(tx, agentId, call.getUpdateAgent(), oversubscribed));
        }
        case UNREGISTER -> {
          return tx -> bound(() -> Removals.unregister(tx, agentId));
        }
        case TASKS_RECONCILED -> {
          return tx -> bound(() -> ReportedTasks.unknown(tx, agentId, call.getTasksReconciled()));
        }
        default -> {
          return null;
        }
      }
    }

    /** A call before the registration was answered, or on a link that was replaced, is dropped. */
    private void bound(Runnable action) {
      if (agentId != null && byAgent.get(agentId) == this) {
        action.run();
      }
    }

    @Override
    public void closed(String reason) {
      loop.execute(() -> gone(this, reason));
    }
  }

  /** Whether an agent answers. */
  private static final class Health {
    private int misses;
    private boolean awaiting;
    private long sequence;
    private EventLoop.Timer timer = () -> {};
  }

  /**
   * No link yet.
   *
   * @param run runs a step as a transition
   */
  public Links(
      EventLoop loop,
      Settings settings,
      MasterInfo self,
      RemovalRate removalRate,
      Consumer<Step> run) {
    this.loop = loop;
    this.settings = settings;
    this.self = self;
    this.removalRate = removalRate;
    this.run = run;
  }

  /** An agent opened a link; called on a connector thread. */
  public void opened(LinkServer.Session session, Hello hello) {
    if (closed) {
      session.refuse(Refusal.newBuilder().setReason("This master's term is over").build());
      return;
    }
    Link link = new Link(session);
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

  /** Makes a link that of an agent. */
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
    link.agentId = agentId;
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
    known.awaiting = false;
    known.timer = loop.every(settings.agentPingTimeout(), () -> interval(agentId));
    interval(agentId);
  }

  private void interval(String agentId) {
    Health known = health.get(agentId);
    if (known == null || closed) {
      return;
    }
    if (known.awaiting && ++known.misses >= settings.maxAgentPingTimeouts()) {
      if (queued.add(agentId)) {
        toMark.add(agentId);
        mark();
      }
    }
    known.awaiting = true;
    known.sequence++;
    send(
        agentId,
        MasterEvent.newBuilder()
            .setPing(
                Ping.newBuilder()
                    .setSequence(known.sequence)
                    .setConnected(byAgent.containsKey(agentId))));
  }

  private void pong(Link link) {
    Health known = link.agentId == null ? null : health.get(link.agentId);
    if (known != null && byAgent.get(link.agentId) == link) {
      known.awaiting = false;
      known.misses = 0;
      if (queued.remove(link.agentId)) {
        toMark.remove(link.agentId);
      }
    }
  }

  /** Has an agent that never came back marked unreachable, in its turn. */
  public void markLater(String agentId) {
    if (queued.add(agentId)) {
      toMark.add(agentId);
      mark();
    }
  }

  private void mark() {
    if (marking || toMark.isEmpty() || closed) {
      return;
    }
    Optional<Duration> wait = removalRate.acquire();
    if (wait.isPresent()) {
      marking = true;
      turn =
          loop.schedule(
              wait.get(),
              () -> {
                marking = false;
                mark();
              });
      return;
    }
    String agentId = toMark.poll();
    queued.remove(agentId);
    run.accept(tx -> Unreachability.mark(tx, agentId, "health check timed out"));
    loop.execute(this::mark);
  }

  /** Drops every connection. */
  @Override
  public void close() {
    closed = true;
    turn.cancel();
    health.values().forEach(it -> it.timer.cancel());
    open.values().forEach(link -> link.session.close());
    open.clear();
    byAgent.clear();
  }
}
