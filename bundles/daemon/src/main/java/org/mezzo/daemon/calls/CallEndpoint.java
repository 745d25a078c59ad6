package org.mezzo.daemon.calls;

import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Endpoint;
import org.mezzo.daemon.border.Refused;
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

  /** The largest record of a request that is a stream: 4 MB. */
  private static final int MAX_RECORD_BYTES = 4 << 20;

  private static final ContentType[] MESSAGES = {ContentType.JSON, ContentType.PROTOBUF};
  private static final String MESSAGE_TYPE = "Message-Content-Type";
  private static final String MESSAGE_ACCEPT = "Message-Accept";

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
  private boolean recordIo;
  private Predicate<C> streamed = call -> false;
  private Predicate<C> answeredByStream = call -> false;
  private ContentType[] offered = MESSAGES;
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
   * Also understands and offers {@code application/recordio}, as the agent's API does (rule 19).
   *
   * @param requests which calls come as a stream, and in no other way
   * @param answers which calls may be answered by a stream of that type
   */
  public CallEndpoint<C> withRecordIo(Predicate<C> requests, Predicate<C> answers) {
    recordIo = true;
    streamed = requests;
    answeredByStream = answers;
    offered = new ContentType[] {ContentType.JSON, ContentType.PROTOBUF, ContentType.RECORDIO};
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
    if (contentType == null || contentType == ContentType.RECORDIO && !recordIo) {
      refuse(
          exchange,
          415,
          "Expecting 'Content-Type' of "
              + Arrays.stream(offered).map(ContentType::text).collect(Collectors.joining(" or ")));
      return;
    }
    Optional<String> messageType = recordIo ? exchange.header(MESSAGE_TYPE) : Optional.empty();
    if (contentType == ContentType.RECORDIO) {
      stream(exchange, principal, messageType);
      return;
    }
    if (messageType.isPresent()) {
      refuse(
          exchange,
          415,
          "Expecting '" + MESSAGE_TYPE + "' to be not set for non-streaming requests");
      return;
    }
    exchange
        .body(maxBodyBytes)
        .whenComplete(
            (body, failure) -> {
              if (failure == null) {
                Router.guard(
                    exchange,
                    it ->
                        parsed(
                            it,
                            principal,
                            contentType,
                            valid(parse(contentType, body)),
                            Optional.empty()));
              } else {
                Throwable cause = failure.getCause() == null ? failure : failure.getCause();
                boolean large =
                    cause instanceof BodyTooLargeException
                        || failure instanceof BodyTooLargeException;
                refuse(exchange, large ? 413 : 400, String.valueOf(cause.getMessage()));
              }
            });
  }

  /** A request of which each record is a call. */
  private void stream(
      HttpExchange exchange, Optional<Principal> principal, Optional<String> messageType) {
    if (messageType.isEmpty()) {
      refuse(exchange, 400, "Expecting '" + MESSAGE_TYPE + "' to be set for streaming requests");
      return;
    }
    Optional<ContentType> type =
        ContentType.exactly(messageType.get()).filter(it -> it != ContentType.RECORDIO);
    if (type.isEmpty()) {
      refuse(
          exchange,
          415,
          "Expecting '" + MESSAGE_TYPE + "' of application/json or application/x-protobuf");
      return;
    }
    First first = new First(exchange, principal);
    first.records =
        new CallRecords<>(record -> valid(parse(type.get(), record)), MAX_RECORD_BYTES, first);
    exchange.receive(first.records.listener());
  }

  private C valid(C call) throws Refused {
    Optional<String> invalid = validator.apply(call);
    if (invalid.isPresent()) {
      throw new Refused(400, "Failed to validate " + name + ": " + invalid.get());
    }
    return call;
  }

  /** The call that a stream begins with. */
  private final class First implements CallRecords.Taker<C> {
    private final HttpExchange exchange;
    private final Optional<Principal> principal;
    private CallRecords<C> records;

    First(HttpExchange exchange, Optional<Principal> principal) {
      this.exchange = exchange;
      this.principal = principal;
    }

    @Override
    public CompletionStage<?> take(C call) {
      Router.guard(
          exchange, it -> parsed(it, principal, ContentType.RECORDIO, call, Optional.of(records)));
      return CompletableFuture.completedStage(null);
    }

    @Override
    public void complete() {}

    @Override
    public void failed(Throwable cause) {
      Router.guard(
          exchange,
          it -> {
            throw cause instanceof Refused refused
                ? refused
                : new Refused(400, "Failed to read the stream: " + cause.getMessage());
          });
    }
  }

  private C parse(ContentType contentType, byte[] body) throws Refused {
    if (contentType == ContentType.JSON) {
      try {
        return Json.decode(body, type);
      } catch (JsonFormatException e) {
        throw new Refused(
            400,
            (e.kind() == JsonFormatException.Kind.SYNTAX
                    ? "Failed to parse body into JSON: "
                    : "Failed to convert JSON into Call protobuf: ")
                + e.getMessage());
      }
    }
    try {
      @SuppressWarnings("unchecked")
      C message = (C) type.getParserForType().parseFrom(body);
      return message;
    } catch (InvalidProtocolBufferException e) {
      throw new Refused(400, "Failed to parse body into Call protobuf");
    }
  }

  private void parsed(
      HttpExchange exchange,
      Optional<Principal> principal,
      ContentType contentType,
      C call,
      Optional<CallRecords<?>> records)
      throws Exception {
    if (records.isPresent() != streamed.test(call)) {
      throw new Refused(
          415,
          records.isPresent()
              ? "Streaming 'Content-Type' application/recordio is not supported for "
                  + typeOf(call)
                  + " call"
              : "Expecting 'Content-Type' to be application/recordio for "
                  + typeOf(call)
                  + " call");
    }
    ContentType accept = ContentType.JSON;
    boolean byRecordIo = false;
    if (acceptMatters.test(call)) {
      Optional<ContentType> negotiated = ContentType.accepted(exchange, offered);
      if (negotiated.isEmpty()) {
        throw new Refused(406, notAcceptable());
      }
      byRecordIo = negotiated.get() == ContentType.RECORDIO;
      accept = byRecordIo ? messages(exchange, call) : negotiated.get();
      if (recordIo && !byRecordIo && exchange.header(MESSAGE_ACCEPT).isPresent()) {
        throw new Refused(
            406, "Expecting '" + MESSAGE_ACCEPT + "' to be not set for non-streaming responses");
      }
    }
    handler.handle(
        call,
        new CallExchange(exchange, principal, contentType, accept, byRecordIo, records, workers));
  }

  /** How the records of an answer are to be written. */
  private ContentType messages(HttpExchange exchange, C call) throws Refused {
    Optional<ContentType> negotiated =
        ContentType.accepted(exchange, MESSAGE_ACCEPT.toLowerCase(Locale.ROOT), MESSAGES);
    if (negotiated.isEmpty()) {
      throw new Refused(
          406,
          "Expecting '" + MESSAGE_ACCEPT + "' to allow application/json or application/x-protobuf");
    }
    if (!answeredByStream.test(call)) {
      throw new Refused(406, "Streaming response is not supported for " + typeOf(call) + " call");
    }
    return negotiated.get();
  }

  private String typeOf(C call) {
    FieldDescriptor field = call.getDescriptorForType().findFieldByName("type");
    return field == null ? name : ((EnumValueDescriptor) call.getField(field)).getName();
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
