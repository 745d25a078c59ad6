package org.mezzo.master.reads;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.http.SlowClientException;
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
final class OperatorStreams {
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

  OperatorStreams(
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
  synchronized int size() {
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
          Announcing announcing =
              new Announcing(state, subscriber.visibility, subscriber.stream::send);
          happenings.forEach(happening -> happening.accept(announcing));
        });
  }

  /** Makes events of what one transition brought, of what its reader may see. */
  private record Announcing(MasterState state, Visibility visibility, Consumer<Event> to)
      implements Happening.Visitor {

    private void announce(Event.Type type, Event.Builder event) {
      to.accept(event.setType(type).build());
    }

    @Override
    public void taskAdded(Happening.TaskAdded happening) {
      if (visible(happening.task().frameworkId())) {
        announce(
            Event.Type.TASK_ADDED,
            Event.newBuilder()
                .setTaskAdded(Event.TaskAdded.newBuilder().setTask(happening.task().message())));
      }
    }

    @Override
    public void taskUpdated(Happening.TaskUpdated happening) {
      String frameworkId = happening.task().frameworkId();
      if (visible(frameworkId)) {
        announce(
            Event.Type.TASK_UPDATED,
            Event.newBuilder()
                .setTaskUpdated(
                    Event.TaskUpdated.newBuilder()
                        .setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId))
                        .setStatus(happening.status())
                        .setState(happening.task().state())));
      }
    }

    @Override
    public void frameworkAdded(Happening.FrameworkAdded happening) {
      if (visibility.framework(happening.framework())) {
        announce(
            Event.Type.FRAMEWORK_ADDED,
            Event.newBuilder()
                .setFrameworkAdded(
                    Event.FrameworkAdded.newBuilder()
                        .setFramework(OperatorMessages.announced(state, happening.framework()))));
      }
    }

    @Override
    public void frameworkUpdated(Happening.FrameworkUpdated happening) {
      if (visibility.framework(happening.framework())) {
        announce(
            Event.Type.FRAMEWORK_UPDATED,
            Event.newBuilder()
                .setFrameworkUpdated(
                    Event.FrameworkUpdated.newBuilder()
                        .setFramework(OperatorMessages.announced(state, happening.framework()))));
      }
    }

    @Override
    public void frameworkRemoved(Happening.FrameworkRemoved happening) {
      if (visibility.framework(happening.framework())) {
        announce(
            Event.Type.FRAMEWORK_REMOVED,
            Event.newBuilder()
                .setFrameworkRemoved(
                    Event.FrameworkRemoved.newBuilder()
                        .setFrameworkInfo(happening.framework().info())));
      }
    }

    @Override
    public void agentAdded(Happening.AgentAdded happening) {
      announce(
          Event.Type.AGENT_ADDED,
          Event.newBuilder()
              .setAgentAdded(
                  Event.AgentAdded.newBuilder()
                      .setAgent(OperatorMessages.agent(happening.agent()))));
    }

    @Override
    public void agentRemoved(Happening.AgentRemoved happening) {
      announce(
          Event.Type.AGENT_REMOVED,
          Event.newBuilder()
              .setAgentRemoved(
                  Event.AgentRemoved.newBuilder()
                      .setAgentId(AgentID.newBuilder().setValue(happening.agent().id()))));
    }

    private boolean visible(String frameworkId) {
      return state
          .framework(frameworkId)
          .map(visibility::tasks)
          .orElse(visibility == Visibility.ALL);
    }
  }
}
