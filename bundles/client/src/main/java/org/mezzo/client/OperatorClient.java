package org.mezzo.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Event;
import org.mezzo.protocol.v1.master.Response;

/** Calls of operators, to the leading master or to an agent. */
public final class OperatorClient implements AutoCloseable {
  private static final String PATH = "/api/v1";

  /** Called one at a time on the stream's thread. */
  public interface Listener {
    /** Any event, also SUBSCRIBED with the whole state and HEARTBEAT. */
    void event(Event event);

    /** The stream is gone; it is opened again by itself and begins with SUBSCRIBED. */
    void disconnected(String reason);

    /** The master refuses the subscription for good. */
    void failed(String message);
  }

  private final Transport transport;

  public OperatorClient(ClientOptions options) {
    this.transport = new Transport(options);
  }

  /**
   * Any call but SUBSCRIBE.
   *
   * @return completes with the default instance when the answer has no body; exceptionally with
   *     {@link ApiException} when the call is refused
   */
  public CompletableFuture<Response> call(Call call) {
    return transport
        .callLeader(PATH, transport.encode(call), Map.of())
        .thenApply(body -> decode(body, Response.getDefaultInstance()));
  }

  /** Any call without stream to the agent at an address such as {@code http://host:5051}. */
  public CompletableFuture<org.mezzo.protocol.v1.agent.Response> call(
      URI agent, org.mezzo.protocol.v1.agent.Call call) {
    return transport
        .call(agent, PATH, transport.encode(call), Map.of())
        .thenApply(body -> decode(body, org.mezzo.protocol.v1.agent.Response.getDefaultInstance()));
  }

  /** Follows what happens in the cluster until the answer is closed. */
  public AutoCloseable subscribe(Listener listener) {
    Stream stream = new Stream(listener);
    stream.subscription.start();
    return stream.subscription;
  }

  /** Ends the client's threads; subscriptions are closed one by one. */
  @Override
  public void close() {
    transport.close();
  }

  private <M extends com.google.protobuf.Message> M decode(byte[] body, M type) {
    try {
      return body.length == 0 ? type : transport.decode(body, type);
    } catch (IOException e) {
      throw new UncheckedIOException("The answer could not be read: " + e.getMessage(), e);
    }
  }

  private final class Stream implements Subscription.Owner {
    private final Listener listener;
    private final Subscription subscription = new Subscription("operator-client", this);

    Stream(Listener listener) {
      this.listener = listener;
    }

    @Override
    public CompletableFuture<byte[]> open(Transport.Records records) {
      Call call = Call.newBuilder().setType(Call.Type.SUBSCRIBE).build();
      return transport.streamFromLeader(PATH, transport.encode(call), Map.of(), records);
    }

    @Override
    public void opened(HttpHeaders headers) {
      // Everything of interest comes in the first event.
    }

    @Override
    public void record(byte[] record) throws IOException {
      Event event = transport.decode(record, Event.getDefaultInstance());
      if (event.getType() == Event.Type.SUBSCRIBED) {
        double seconds = event.getSubscribed().getHeartbeatIntervalSeconds();
        subscription.established(Duration.ofMillis((long) (seconds * 1000)));
      }
      listener.event(event);
    }

    @Override
    public void disconnected(String reason) {
      listener.disconnected(reason);
    }

    @Override
    public void refused(ApiException refusal) {
      listener.failed(refusal.getMessage());
    }
  }
}
