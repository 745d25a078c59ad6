package org.mezzo.client;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.executor.Call;
import org.mezzo.protocol.v1.executor.Event;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An executor's connection to its agent. Updates are kept until the agent acknowledges them and are
 * sent again after a reconnection, together with the tasks whose updates were never acknowledged.
 */
public final class ExecutorClient implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ExecutorClient.class);
  private static final String PATH = "/api/v1/executor";

  /** Rule 192. */
  private static final Duration HEARTBEAT = Duration.ofMinutes(30);

  /** Called one at a time on the client's thread. */
  public interface Listener {
    /** Subscribed, for the first time or again. */
    void subscribed(Event.Subscribed subscribed);

    /** LAUNCH, LAUNCH_GROUP, KILL, MESSAGE or SHUTDOWN. */
    void event(Event event);

    /** The stream is gone; it is opened again by itself. */
    void disconnected(String reason);

    /** The agent refuses this executor for good. */
    void failed(String message);
  }

  private final Transport transport;
  private final URI agent;
  private final FrameworkID frameworkId;
  private final ExecutorID executorId;
  private final Listener listener;
  private final Subscription subscription;

  /** Updates by uuid, in the order in which they were sent. For the thread only. */
  private final Map<ByteString, Call.Update> unacknowledgedUpdates = new LinkedHashMap<>();

  /** Launched tasks without an acknowledged update. For the thread only. */
  private final Map<TaskID, TaskInfo> unacknowledgedTasks = new LinkedHashMap<>();

  /** What goes with every call. */
  private final Map<String, String> headers;

  /** For the thread only. */
  private boolean subscribed;

  /** Ends with the last call; calls go one after the other, so that updates keep their order. */
  private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

  /**
   * Does nothing before {@link #start}.
   *
   * @param options whose masters are not asked
   * @param agent such as {@code http://host:5051}
   */
  public ExecutorClient(
      ClientOptions options,
      URI agent,
      FrameworkID frameworkId,
      ExecutorID executorId,
      Listener listener) {
    this(options, agent, frameworkId, executorId, Map.of(), listener);
  }

  private ExecutorClient(
      ClientOptions options,
      URI agent,
      FrameworkID frameworkId,
      ExecutorID executorId,
      Map<String, String> headers,
      Listener listener) {
    this.headers = headers;
    this.transport = new Transport(options);
    this.agent = agent;
    this.frameworkId = frameworkId;
    this.executorId = executorId;
    this.listener = listener;
    this.subscription = new Subscription("executor-client", new Stream());
  }

  /**
   * The client of the executor that this process is, as its agent's environment says; with the
   * token that the agent gave it, if it did.
   */
  public static ExecutorClient fromEnvironment(Map<String, String> environment, Listener listener) {
    String endpoint = required(environment, "MESOS_AGENT_ENDPOINT");
    String token = environment.get("MESOS_EXECUTOR_AUTHENTICATION_TOKEN");
    return new ExecutorClient(
        ClientOptions.of(LeaderLocator.of(endpoint)),
        URI.create("http://" + endpoint),
        FrameworkID.newBuilder().setValue(required(environment, "MESOS_FRAMEWORK_ID")).build(),
        ExecutorID.newBuilder().setValue(required(environment, "MESOS_EXECUTOR_ID")).build(),
        token == null ? Map.of() : Map.of("Authorization", "Bearer " + token),
        listener);
  }

  private static String required(Map<String, String> environment, String name) {
    String value = environment.get(name);
    if (value == null || value.isEmpty()) {
      throw new IllegalArgumentException(
          name + " is not set; an executor is started by an agent, which sets it");
    }
    return value;
  }

  /** Subscribes in the background and stays subscribed. */
  public void start() {
    subscription.start();
    subscription
        .thread()
        .scheduleWithFixedDelay(
            this::heartbeat, HEARTBEAT.toMinutes(), HEARTBEAT.toMinutes(), TimeUnit.MINUTES);
  }

  private void heartbeat() {
    if (subscribed) {
      send(Call.newBuilder().setType(Call.Type.HEARTBEAT));
    }
  }

  /** Sends a status until the agent has it; uuid, time, source and executor are filled in. */
  public void update(TaskStatus.Builder status) {
    UUID random = UUID.randomUUID();
    ByteBuffer uuid =
        ByteBuffer.allocate(16)
            .putLong(random.getMostSignificantBits())
            .putLong(random.getLeastSignificantBits())
            .flip();
    TaskStatus full =
        status
            .setUuid(ByteString.copyFrom(uuid))
            .setTimestamp(System.currentTimeMillis() / 1000.0)
            .setSource(TaskStatus.Source.SOURCE_EXECUTOR)
            .setExecutorId(executorId)
            .build();
    subscription.execute(
        () -> {
          Call.Update update = Call.Update.newBuilder().setStatus(full).build();
          unacknowledgedUpdates.put(full.getUuid(), update);
          if (subscribed) {
            send(Call.newBuilder().setType(Call.Type.UPDATE).setUpdate(update));
          }
        });
  }

  /** Sends bytes to the framework; may be lost. */
  public void message(byte[] data) {
    subscription.execute(
        () ->
            send(
                Call.newBuilder()
                    .setType(Call.Type.MESSAGE)
                    .setMessage(Call.Message.newBuilder().setData(ByteString.copyFrom(data)))));
  }

  @Override
  public void close() {
    subscription.close();
    transport.close();
  }

  private void send(Call.Builder call) {
    byte[] body =
        transport.encode(call.setFrameworkId(frameworkId).setExecutorId(executorId).build());
    last =
        last.handle((nothing, failure) -> null)
            .thenCompose(nothing -> transport.call(agent, PATH, body, headers))
            .whenComplete(
                (nothing, failure) -> {
                  if (failure != null) {
                    LOG.warn("The agent did not take a call: {}", Transport.describe(failure));
                  }
                });
  }

  private final class Stream implements Subscription.Owner {
    @Override
    public CompletableFuture<byte[]> open(Transport.Records records) {
      Call call =
          Call.newBuilder()
              .setType(Call.Type.SUBSCRIBE)
              .setFrameworkId(frameworkId)
              .setExecutorId(executorId)
              .setSubscribe(
                  Call.Subscribe.newBuilder()
                      .addAllUnacknowledgedTasks(unacknowledgedTasks.values())
                      .addAllUnacknowledgedUpdates(unacknowledgedUpdates.values()))
              .build();
      return transport.stream(agent, PATH, transport.encode(call), headers, records);
    }

    @Override
    public void opened(HttpHeaders headers) {
      // Everything of interest comes in the first event.
    }

    @Override
    public void record(byte[] record) throws IOException {
      Event event = transport.decode(record, Event.getDefaultInstance());
      switch (event.getType()) {
        case SUBSCRIBED -> {
          subscribed = true;
          subscription.established(HEARTBEAT);
          listener.subscribed(event.getSubscribed());
        }
        case ACKNOWLEDGED -> {
          unacknowledgedUpdates.remove(event.getAcknowledged().getUuid());
          unacknowledgedTasks.remove(event.getAcknowledged().getTaskId());
        }
        case LAUNCH -> {
          TaskInfo task = event.getLaunch().getTask();
          unacknowledgedTasks.put(task.getTaskId(), task);
          listener.event(event);
        }
        case LAUNCH_GROUP -> {
          for (TaskInfo task : event.getLaunchGroup().getTaskGroup().getTasksList()) {
            unacknowledgedTasks.put(task.getTaskId(), task);
          }
          listener.event(event);
        }
        case ERROR -> {
          subscription.close();
          listener.failed(event.getError().getMessage());
        }
        case HEARTBEAT, UNKNOWN -> LOG.trace("Heartbeat");
        default -> listener.event(event);
      }
    }

    @Override
    public void disconnected(String reason) {
      subscribed = false;
      listener.disconnected(reason);
    }

    @Override
    public void refused(ApiException refusal) {
      subscribed = false;
      listener.failed(refusal.getMessage());
    }
  }
}
