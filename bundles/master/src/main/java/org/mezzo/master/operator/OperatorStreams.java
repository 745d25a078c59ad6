package org.mezzo.master.operator;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.http.SlowClientException;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.master.Event;

/**
 * The event streams of operators (rules 158 and 159). The event loop only hands roots and
 * happenings over to the feed of each subscriber; messages are made from them, in order, on worker
 * threads: the state, which may be large, by a reader, what happens then by the writers of events,
 * once for all subscribers. A subscriber whose feed grows beyond its bound is cut.
 */
public final class OperatorStreams {
  /** How often a heartbeat is sent. */
  static final Duration HEARTBEAT = Duration.ofSeconds(15);

  /** How many transitions may wait to be told to one subscriber. */
  private static final int MAX_FEED = 100_000;

  private static final OperatorEvents NONE = new OperatorEvents(null, List.of());

  private final ClusterView cluster;
  private final EventLoop loop;
  private final Workers workers;
  private final int limit;
  private final Metrics.Counter cuts;

  /** Of the last transition that was told; for the event loop only. */
  private OperatorEvents last = NONE;

  private final ArrayDeque<Subscriber> subscribers = new ArrayDeque<>();

  /**
   * No streams yet.
   *
   * @param workers where events are made
   * @param limit how many may be open
   * @param cuts counts those that were cut
   */
  public OperatorStreams(
      ClusterView cluster, EventLoop loop, Workers workers, int limit, Metrics.Counter cuts) {
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
    private final ArrayDeque<OperatorEvents> feed = new ArrayDeque<>();

    /** Whether somebody is at the feed: first the reader that makes the state. */
    private boolean running = true;

    Subscriber(EventStream<Event> stream, Visibility visibility) {
      this.stream = stream;
      this.visibility = visibility;
    }

    void feed(OperatorEvents events) {
      synchronized (feed) {
        if (feed.size() >= MAX_FEED) {
          feed.clear();
          stream.abort(
              new SlowClientException(
                  MAX_FEED + " transitions wait to be made into events for the client"));
          return;
        }
        feed.add(events);
        if (running) {
          return;
        }
        running = true;
      }
      go();
    }

    /** Has the feed written. */
    void go() {
      run(workers.events(), this::drain);
    }

    /** A task that fails ends the stream: what its client gets would have a gap. */
    private void run(Executor lane, Runnable task) {
      try {
        lane.execute(
            () -> {
              try {
                task.run();
              } catch (RuntimeException | Error e) {
                stream.abort(e);
                throw e;
              }
            });
      } catch (RejectedExecutionException e) {
        stream.abort();
      }
    }

    private void drain() {
      while (true) {
        OperatorEvents events;
        synchronized (feed) {
          events = feed.poll();
          if (events == null) {
            running = false;
            return;
          }
        }
        events.forEach(visibility, stream::send);
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
            () -> {
              last = NONE;
              stream.end();
            });
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
    subscriber.run(
        workers,
        () -> {
          EventStream<Event> stream = subscriber.stream;
          Encoded<Event> snapshot =
              Encoded.of(
                  Event.newBuilder()
                      .setType(Event.Type.SUBSCRIBED)
                      .setSubscribed(
                          Event.Subscribed.newBuilder()
                              .setGetState(OperatorMessages.state(state, subscriber.visibility))
                              .setHeartbeatIntervalSeconds(HEARTBEAT.toSeconds()))
                      .build());
          // Encoded here: the writers of events serve schedulers as well.
          snapshot.record(stream.type());
          stream.send(snapshot);
          Encoded<Event> beat =
              Encoded.of(Event.newBuilder().setType(Event.Type.HEARTBEAT).build());
          stream.send(beat);
          stream.heartbeat(loop, HEARTBEAT, beat);
          subscriber.go();
        });
  }

  private void tell(Subscriber subscriber, MasterState state, List<Happening> happenings) {
    if (happenings.isEmpty()) {
      return;
    }
    subscriber.feed(events(state, happenings));
  }

  /** What all subscribers are told of a transition; on the event loop. */
  OperatorEvents events(MasterState state, List<Happening> happenings) {
    if (!last.ledTo(state)) {
      last = new OperatorEvents(state, happenings);
    }
    return last;
  }
}
