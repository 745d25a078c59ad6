package org.mezzo.master.election;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * The open streams of schedulers during one term, and whose they are. A stream is nobody's until
 * its SUBSCRIBE has succeeded. Belongs to the event loop.
 */
final class SchedulerStreams implements AutoCloseable {
  private static final int CUT_AT_ONCE = 200;

  private static final Encoded<Event> HEARTBEAT =
      Encoded.of(Event.newBuilder().setType(Event.Type.HEARTBEAT).build());

  private final EventLoop loop;
  private final Duration heartbeatInterval;
  private final BiConsumer<String, Event> sent;
  private final Map<String, EventStream<Event>> streams = new HashMap<>();
  private final Map<String, String> frameworkOf = new HashMap<>();

  /**
   * No stream yet.
   *
   * @param sent told the framework and the event of whatever goes out on a framework's stream
   */
  SchedulerStreams(EventLoop loop, Duration heartbeatInterval, BiConsumer<String, Event> sent) {
    this.loop = loop;
    this.heartbeatInterval = heartbeatInterval;
    this.sent = sent;
  }

  /** A stream was opened by a SUBSCRIBE that is not decided yet. */
  void opened(String streamId, EventStream<Event> stream) {
    streams.put(streamId, stream);
  }

  /** Makes a stream that of a framework. */
  void bind(String streamId, String frameworkId) {
    frameworkOf.put(streamId, frameworkId);
  }

  /** Sends on a stream; nothing when it is not open any more. */
  void send(String streamId, Event event) {
    EventStream<Event> stream = streams.get(streamId);
    if (stream != null) {
      stream.send(event);
      count(streamId, event);
    }
  }

  /** Sends a heartbeat at once, and from then on in regular intervals (rule 30). */
  void heartbeat(String streamId) {
    EventStream<Event> stream = streams.get(streamId);
    if (stream != null) {
      stream.send(HEARTBEAT);
      count(streamId, HEARTBEAT.message());
      stream.heartbeat(
          loop, heartbeatInterval, HEARTBEAT, () -> count(streamId, HEARTBEAT.message()));
    }
  }

  private void count(String streamId, Event event) {
    String frameworkId = frameworkOf.get(streamId);
    if (frameworkId != null) {
      sent.accept(frameworkId, event);
    }
  }

  /** Ends a stream in order; nobody is told of it. */
  void end(String streamId) {
    frameworkOf.remove(streamId);
    EventStream<Event> stream = streams.remove(streamId);
    if (stream != null) {
      stream.end();
    }
  }

  /** A stream closed; the framework whose it was, empty when it was nobody's or had ended. */
  Optional<String> closed(String streamId) {
    streams.remove(streamId);
    return Optional.ofNullable(frameworkOf.remove(streamId));
  }

  /** Cuts every stream; many of them in several turns of the loop. */
  @Override
  public void close() {
    loop.executeEach(streams.values(), CUT_AT_ONCE, EventStream::abort);
    streams.clear();
    frameworkOf.clear();
  }
}
