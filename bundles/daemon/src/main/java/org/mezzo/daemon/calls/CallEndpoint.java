package org.mezzo.daemon.calls;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Endpoint;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.http.BodyTooLargeException;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;

/**
 * An endpoint of v1 calls of one message type: does the checks of rules 3 to 9 in the order of rule
 * 7 and hands on what passes them. Reading and parsing happen on the connector's bounded threads.
 * The calls of one HTTP/1.1 connection are handed on in the order in which they came, each after
 * the answer to the one before.
 *
 * <p>Built once and not changed after; then safe for any thread.
 *
 * @param <C> the call message
 */
public final class CallEndpoint<C extends Message> implements Endpoint {
  /** The largest call that is read when nothing else is set: 32 MB. */
  public static final int DEFAULT_MAX_BODY_BYTES = 32 << 20;

  /** Takes the calls that passed. */
  @FunctionalInterface
  public interface Handler<C> {
    /**
     * Must answer, now or later; called on a connector thread. An exception is answered with 500.
     */
    void handle(C call, CallExchange exchange) throws Exception;
  }

  private final C type;
  private final String name;
  private final Workers workers;
  private final Handler<C> handler;
  private Function<HttpExchange, Optional<HttpResponse>> gate = exchange -> Optional.empty();
  private Function<C, Optional<String>> validator = call -> Optional.empty();
  private Predicate<C> acceptMatters = call -> true;
  private ContentType[] understood = {ContentType.JSON, ContentType.PROTOBUF};
  private ContentType[] offered = {ContentType.JSON, ContentType.PROTOBUF};
  private int maxBodyBytes = DEFAULT_MAX_BODY_BYTES;

  /**
   * An endpoint without gate and validator.
   *
   * @param type the default instance of the call message
   * @param name as in validation errors, for example {@code scheduler::Call}
   * @param workers where answers are encoded and written
   */
  public CallEndpoint(C type, String name, Workers workers, Handler<C> handler) {
    this.type = type;
    this.name = name;
    this.workers = workers;
    this.handler = handler;
  }

  /** Looks at each request before anything else; an answer stops it (leader, recovery). */
  public CallEndpoint<C> gate(Function<HttpExchange, Optional<HttpResponse>> gate) {
    this.gate = gate;
    return this;
  }

  /** Looks at each parsed call; a text refuses it with 400 (rule 6). */
  public CallEndpoint<C> validate(Function<C, Optional<String>> validator) {
    this.validator = validator;
    return this;
  }

  /** For which calls the Accept header is looked at (rule 10); otherwise for all. */
  public CallEndpoint<C> acceptWhen(Predicate<C> acceptMatters) {
    this.acceptMatters = acceptMatters;
    return this;
  }

  /**
   * Also offers {@code application/recordio}, as the agent's API does. A request of that type is
   * refused here: an endpoint that streams requests takes it before it comes to this one.
   */
  public CallEndpoint<C> withRecordIo() {
    ContentType[] all = {ContentType.JSON, ContentType.PROTOBUF, ContentType.RECORDIO};
    this.understood = all;
    this.offered = all;
    return this;
  }

  /** The largest body that is read; a larger one is answered with 413. */
  public CallEndpoint<C> maxBodyBytes(int bytes) {
    this.maxBodyBytes = bytes;
    return this;
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    Optional<HttpResponse> stopped = gate.apply(exchange);
    if (stopped.isPresent()) {
      exchange.respond(stopped.get());
      return;
    }
    if (!exchange.method().equals("POST")) {
      exchange.respond(Router.methodNotAllowed(exchange.method(), "POST"));
      return;
    }
    Optional<String> header = exchange.header("Content-Type");
    if (header.isEmpty()) {
      refuse(exchange, 400, "Expecting 'Content-Type' to be present");
      return;
    }
    ContentType contentType = ContentType.exactly(header.get()).orElse(null);
    if (contentType == null || !Arrays.asList(understood).contains(contentType)) {
      refuse(
          exchange,
          415,
          "Expecting 'Content-Type' of "
              + Arrays.stream(understood)
                  .map(ContentType::text)
                  .collect(Collectors.joining(" or ")));
      return;
    }
    exchange
        .body(maxBodyBytes)
        .whenComplete(
            (body, failure) -> {
              if (failure == null) {
                Router.guard(exchange, it -> parsed(it, principal, contentType, body));
              } else {
                Throwable cause = failure.getCause() == null ? failure : failure.getCause();
                boolean large =
                    cause instanceof BodyTooLargeException
                        || failure instanceof BodyTooLargeException;
                refuse(exchange, large ? 413 : 400, String.valueOf(cause.getMessage()));
              }
            });
  }

  private void parsed(
      HttpExchange exchange, Optional<Principal> principal, ContentType contentType, byte[] body)
      throws Exception {
    C call;
    if (contentType == ContentType.JSON) {
      try {
        call = Json.decode(body, type);
      } catch (JsonFormatException e) {
        refuse(
            exchange,
            400,
            (e.kind() == JsonFormatException.Kind.SYNTAX
                    ? "Failed to parse body into JSON: "
                    : "Failed to convert JSON into Call protobuf: ")
                + e.getMessage());
        return;
      }
    } else if (contentType == ContentType.PROTOBUF) {
      try {
        @SuppressWarnings("unchecked")
        C message = (C) type.getParserForType().parseFrom(body);
        call = message;
      } catch (InvalidProtocolBufferException e) {
        refuse(exchange, 400, "Failed to parse body into Call protobuf");
        return;
      }
    } else {
      refuse(exchange, 415, "Expecting 'Content-Type' of application/recordio only for streams");
      return;
    }
    Optional<String> invalid = validator.apply(call);
    if (invalid.isPresent()) {
      refuse(exchange, 400, "Failed to validate " + name + ": " + invalid.get());
      return;
    }
    ContentType accept = ContentType.JSON;
    if (acceptMatters.test(call)) {
      Optional<ContentType> negotiated = ContentType.accepted(exchange, offered);
      if (negotiated.isEmpty()) {
        refuse(exchange, 406, notAcceptable());
        return;
      }
      accept = negotiated.get();
    }
    handler.handle(call, new CallExchange(exchange, principal, contentType, accept, workers));
  }

  private String notAcceptable() {
    return offered.length == 3
        ? "Expecting 'Accept' to allow application/json or application/x-protobuf or"
            + " application/recordio"
        : "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'";
  }

  private static void refuse(HttpExchange exchange, int status, String text) {
    exchange.respond(HttpResponse.text(status, text));
  }
}
