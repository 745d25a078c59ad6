package org.mezzo.client;

import java.io.IOException;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A framework's connection to the leading master: subscribes, follows the leader, subscribes again
 * under the same id when the stream breaks.
 */
public final class SchedulerClient implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SchedulerClient.class);
  private static final String PATH = "/api/v1/scheduler";
  private static final String STREAM_ID = "Mesos-Stream-Id";

  /** Called one at a time on the client's thread; must not block for long. */
  public interface Listener {
    /** Subscribed, for the first time or again: what is not known to be over must be reconciled. */
    void subscribed(Event.Subscribed subscribed);

    /** Any event but SUBSCRIBED, HEARTBEAT and ERROR. */
    void event(Event event);

    /** The stream is gone; it is opened again by itself. */
    void disconnected(String reason);

    /** The master refuses this framework for good; nothing more is tried. */
    void failed(String message);
  }

  private final Transport transport;
  private final Listener listener;
  private final Subscription subscription;
  private volatile FrameworkInfo framework;
  private volatile String streamId;

  /**
   * Does nothing before {@link #start}.
   *
   * @param framework with id to take over from an earlier client
   */
  public SchedulerClient(ClientOptions options, FrameworkInfo framework, Listener listener) {
    this.transport = new Transport(options);
    this.framework = framework;
    this.listener = listener;
    this.subscription = new Subscription("scheduler-client", new Stream());
  }

  /** Subscribes in the background and stays subscribed. */
  public void start() {
    subscription.start();
  }

  /** The id the master gave; empty before the first subscription. */
  public Optional<FrameworkID> frameworkId() {
    return framework.hasId() ? Optional.of(framework.getId()) : Optional.empty();
  }

  /**
   * Sends a call, to which the framework's id is added.
   *
   * @return completes when the master has taken the call, which is before its effect; exceptionally
   *     with {@link ApiException} when it refuses it
   */
  public CompletableFuture<Void> call(Call.Builder call) {
    String id = streamId;
    if (id == null) {
      return CompletableFuture.failedFuture(new IOException("The framework is not subscribed"));
    }
    byte[] body = transport.encode(call.setFrameworkId(framework.getId()).build());
    return transport.callLeader(PATH, body, Map.of(STREAM_ID, id)).thenApply(nothing -> null);
  }

  /** Acknowledges a status that must be; does nothing for others (rule 48). */
  public CompletableFuture<Void> acknowledge(TaskStatus status) {
    if (!status.hasUuid()) {
      return CompletableFuture.completedFuture(null);
    }
    return call(
        Call.newBuilder()
            .setType(Call.Type.ACKNOWLEDGE)
            .setAcknowledge(
                Call.Acknowledge.newBuilder()
                    .setAgentId(status.getAgentId())
                    .setTaskId(status.getTaskId())
                    .setUuid(status.getUuid())));
  }

  /** Ends the framework and all its tasks. */
  public CompletableFuture<Void> teardown() {
    return call(Call.newBuilder().setType(Call.Type.TEARDOWN));
  }

  /** The thread of the listener, for work that must not overlap with it. */
  ScheduledExecutorService thread() {
    return subscription.thread();
  }

  Transport transport() {
    return transport;
  }

  /** Leaves; the framework lives on for its failover timeout. */
  @Override
  public void close() {
    subscription.close();
    transport.close();
  }

  private final class Stream implements Subscription.Owner {
    @Override
    public CompletableFuture<byte[]> open(Transport.Records records) {
      Call.Builder call =
          Call.newBuilder()
              .setType(Call.Type.SUBSCRIBE)
              .setSubscribe(Call.Subscribe.newBuilder().setFrameworkInfo(framework));
      if (framework.hasId()) {
        call.setFrameworkId(framework.getId());
      }
      return transport.streamFromLeader(PATH, transport.encode(call.build()), Map.of(), records);
    }

    @Override
    public void opened(HttpHeaders headers) {
      streamId = headers.firstValue(STREAM_ID).orElse(null);
    }

    @Override
    public void record(byte[] record) throws IOException {
      Event event = transport.decode(record, Event.getDefaultInstance());
      switch (event.getType()) {
        case SUBSCRIBED -> {
          framework = framework.toBuilder().setId(event.getSubscribed().getFrameworkId()).build();
          subscription.established(
              Duration.ofMillis(
                  (long) (event.getSubscribed().getHeartbeatIntervalSeconds() * 1000)));
          listener.subscribed(event.getSubscribed());
        }
        case HEARTBEAT -> LOG.trace("Heartbeat");
        case ERROR -> {
          streamId = null;
          subscription.close();
          listener.failed(event.getError().getMessage());
        }
        case UNKNOWN -> LOG.debug("An event of unknown kind is skipped");
        default -> listener.event(event);
      }
    }

    @Override
    public void disconnected(String reason) {
      streamId = null;
      listener.disconnected(reason);
    }

    @Override
    public void refused(ApiException refusal) {
      streamId = null;
      listener.failed(refusal.getMessage());
    }
  }
}
