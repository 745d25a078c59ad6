package org.mezzo.master.operator;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.daemon.json.Masked;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.http.SlowClientException;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.master.Event;

/**
 * The event streams of operators (rules 158 and 159). The event loop only hands roots and
 * happenings over to the feed of each subscriber; messages are made from them, in order, on worker
 * threads. A subscriber whose feed grows beyond its bound is cut.
 */
public final class OperatorStreams {
  /** How often a heartbeat is sent. */
  static final Duration HEARTBEAT = Duration.ofSeconds(15);

  /** How many transitions may wait to be told to one subscriber. */
  private static final int MAX_FEED = 100_000;

  private final ClusterView cluster;
  private final EventLoop loop;
  private final Executor workers;
  private final int limit;
  private final Metrics.Counter cuts;
  private final ArrayDeque<Subscriber> subscribers = new ArrayDeque<>();

  /**
   * No streams yet.
   *
   * @param workers where events are made
   * @param limit how many may be open
   * @param cuts counts those that were cut
   */
  public OperatorStreams(
      ClusterView cluster, EventLoop loop, Executor workers, int limit, Metrics.Counter cuts) {
    this.cluster = cluster;
    this.loop = loop;
    this.workers = workers;
    this.limit = limit;
    this.cuts = cuts;
  }

  /** One stream and what is still to be made into its events. */
  private final class Subscriber {
    final EventStream<Event> stream;
    final Visibility visibility;
    private final ArrayDeque<Runnable> feed = new ArrayDeque<>();
    private boolean running;

    Subscriber(EventStream<Event> stream, Visibility visibility) {
      this.stream = stream;
      this.visibility = visibility;
    }

    void feed(Runnable step) {
      synchronized (feed) {
        if (feed.size() >= MAX_FEED) {
          feed.clear();
          stream.abort(
              new SlowClientException(
                  MAX_FEED + " transitions wait to be made into events for the client"));
          return;
        }
        feed.add(step);
        if (running) {
          return;
        }
        running = true;
      }
      try {
        workers.execute(this::drain);
      } catch (RejectedExecutionException e) {
        stream.abort();
      }
    }

    private void drain() {
      while (true) {
        Runnable step;
        synchronized (feed) {
          step = feed.poll();
          if (step == null) {
            running = false;
            return;
          }
        }
        step.run();
      }
    }
  }

  /** How many streams are open. */
  public synchronized int size() {
    return subscribers.size();
  }

  /**
   * Answers with a stream: the state, then a heartbeat, then what happens. The oldest stream is
   * closed when there are too many.
   */
  void subscribe(CallExchange exchange, Visibility visibility) {
    EventStream<Event> stream =
        exchange.<Event>stream(Map.of(), EventStream.DEFAULT_BOUND).countCut(cuts);
    Subscriber subscriber = new Subscriber(stream, visibility);
    AutoCloseable following =
        cluster.follow(
            state -> begin(subscriber, state),
            (before, after, happenings) -> tell(subscriber, after, happenings),
            stream::end);
    stream.onClosed(
        cause -> {
          synchronized (this) {
            subscribers.remove(subscriber);
          }
          close(following);
        });
  }

  private static void close(AutoCloseable following) {
    try {
      following.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void begin(Subscriber subscriber, MasterState state) {
    synchronized (this) {
      subscribers.add(subscriber);
      while (subscribers.size() > limit) {
        subscribers.poll().stream.end();
      }
    }
    subscriber.feed(
        () -> {
          EventStream<Event> stream = subscriber.stream;
          stream.send(
              Event.newBuilder()
                  .setType(Event.Type.SUBSCRIBED)
                  .setSubscribed(
                      Event.Subscribed.newBuilder()
                          .setGetState(OperatorMessages.state(state, subscriber.visibility))
                          .setHeartbeatIntervalSeconds(HEARTBEAT.toSeconds()))
                  .build());
          Encoded<Event> beat =
              Encoded.of(Event.newBuilder().setType(Event.Type.HEARTBEAT).build());
          stream.send(beat);
          stream.heartbeat(loop, HEARTBEAT, beat);
        });
  }

  private static void tell(Subscriber subscriber, MasterState state, List<Happening> happenings) {
    if (happenings.isEmpty()) {
      return;
    }
    subscriber.feed(
        () -> {
          for (Happening happening : happenings) {
            event(happening, state, subscriber.visibility).ifPresent(subscriber.stream::send);
          }
        });
  }

  private static Optional<Event> event(
      Happening happening, MasterState state, Visibility visibility) {
    Event.Builder event = Event.newBuilder();
    if (happening instanceof Happening.TaskAdded added) {
      if (!visible(state, added.task().frameworkId(), visibility)) {
        return Optional.empty();
      }
      event
          .setType(Event.Type.TASK_ADDED)
          .setTaskAdded(Event.TaskAdded.newBuilder().setTask(Masked.task(added.task().message())));
    } else if (happening instanceof Happening.TaskUpdated updated) {
      if (!visible(state, updated.task().frameworkId(), visibility)) {
        return Optional.empty();
      }
      event
          .setType(Event.Type.TASK_UPDATED)
          .setTaskUpdated(
              Event.TaskUpdated.newBuilder()
                  .setFrameworkId(FrameworkID.newBuilder().setValue(updated.task().frameworkId()))
                  .setStatus(updated.status())
                  .setState(updated.task().state()));
    } else if (happening instanceof Happening.FrameworkAdded added) {
      if (!visibility.framework(added.framework())) {
        return Optional.empty();
      }
      event
          .setType(Event.Type.FRAMEWORK_ADDED)
          .setFrameworkAdded(
              Event.FrameworkAdded.newBuilder()
                  .setFramework(OperatorMessages.announced(state, added.framework())));
    } else if (happening instanceof Happening.FrameworkUpdated updated) {
      if (!visibility.framework(updated.framework())) {
        return Optional.empty();
      }
      event
          .setType(Event.Type.FRAMEWORK_UPDATED)
          .setFrameworkUpdated(
              Event.FrameworkUpdated.newBuilder()
                  .setFramework(OperatorMessages.announced(state, updated.framework())));
    } else if (happening instanceof Happening.FrameworkRemoved removed) {
      if (!visibility.framework(removed.framework())) {
        return Optional.empty();
      }
      event
          .setType(Event.Type.FRAMEWORK_REMOVED)
          .setFrameworkRemoved(
              Event.FrameworkRemoved.newBuilder().setFrameworkInfo(removed.framework().info()));
    } else if (happening instanceof Happening.AgentAdded added) {
      event
          .setType(Event.Type.AGENT_ADDED)
          .setAgentAdded(
              Event.AgentAdded.newBuilder()
                  .setAgent(OperatorMessages.agent(added.agent(), visibility)));
    } else if (happening instanceof Happening.AgentRemoved removed) {
      event
          .setType(Event.Type.AGENT_REMOVED)
          .setAgentRemoved(
              Event.AgentRemoved.newBuilder()
                  .setAgentId(AgentID.newBuilder().setValue(removed.agent().id())));
    }
    return Optional.of(event.build());
  }

  private static boolean visible(MasterState state, String frameworkId, Visibility visibility) {
    return state.framework(frameworkId).map(visibility::tasks).orElse(visibility == Visibility.ALL);
  }
}
