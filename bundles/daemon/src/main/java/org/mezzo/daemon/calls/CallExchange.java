package org.mezzo.daemon.calls;

import com.google.protobuf.Message;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.border.TimedExchange;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.StreamBound;

/**
 * A v1 call that was read and checked, with its ways to answer. Exactly one of them is used, on any
 * thread, an event loop included: encoding and writing happen on worker threads: those of answers,
 * or of the reader that answers, so that no reader of large state delays a small answer.
 */
public final class CallExchange {
  private final HttpExchange exchange;
  private final Optional<Principal> principal;
  private final ContentType contentType;
  private final ContentType accept;
  private final boolean recordIo;
  private final Optional<CallRecords<?>> records;
  private final Workers workers;

  CallExchange(
      HttpExchange exchange,
      Optional<Principal> principal,
      ContentType contentType,
      ContentType accept,
      boolean recordIo,
      Optional<CallRecords<?>> records,
      Workers workers) {
    this.exchange = exchange;
    this.principal = principal;
    this.contentType = contentType;
    this.accept = accept;
    this.recordIo = recordIo;
    this.records = records;
    this.workers = workers;
  }

  /** The same, whose answer ends a measurement that begins now when it begins to be sent. */
  CallExchange timed(MetricsRegistry.Timer timer) {
    return new CallExchange(
        new TimedExchange(exchange, timer),
        principal,
        contentType,
        accept,
        recordIo,
        records,
        workers);
  }

  /** The request below. */
  public HttpExchange http() {
    return exchange;
  }

  /** Who sent the call; empty when nobody was asked. */
  public Optional<Principal> principal() {
    return principal;
  }

  /** The text of {@link #principal}, where there is one. */
  public Optional<String> principalName() {
    return principal.flatMap(Principal::value);
  }

  /** The first value of a request header. */
  public Optional<String> header(String name) {
    return exchange.header(name);
  }

  /** How the call was written. */
  public ContentType contentType() {
    return contentType;
  }

  /** How the answer will be written: what the client prefers, JSON when it was not asked. */
  public ContentType accept() {
    return accept;
  }

  /** Answers 200 with a message. */
  public void respond(Message message) {
    offload(
        () ->
            Router.guard(
                exchange,
                it ->
                    it.respond(
                        new HttpResponse(
                            200,
                            Map.of("Content-Type", accept.text()),
                            Encoded.bytes(message, accept)))));
  }

  /** Answers 200 without body. */
  public void ok() {
    answer(HttpResponse.status(200));
  }

  /** Answers 202 without body. */
  public void accepted() {
    answer(HttpResponse.status(202));
  }

  /** Runs what answers this call; what it throws is the answer, as in {@link Router#guard}. */
  void guard(Served served) {
    Router.guard(exchange, it -> served.run());
  }

  /** Something that answers this call and may fail. */
  @FunctionalInterface
  interface Served {
    void run() throws Exception;
  }

  /** Goes on when a result is there; failures are answered, as in {@link Router#when}. */
  public <T> void when(CompletionStage<T> stage, Executor executor, Router.Then<T> then) {
    Router.when(exchange, stage, executor, then);
  }

  /** Answers 200 with a message once it is there; failures are answered as in {@link #when}. */
  public void respondWhen(CompletionStage<? extends Message> answer) {
    when(answer, Runnable::run, this::respond);
  }

  /** Answers 200 with a message that is made where readers make theirs, for that takes a while. */
  public void respondFrom(Supplier<? extends Message> answer) {
    Router.guard(
        exchange,
        it -> workers.execute(() -> Router.guard(exchange, same -> respond(answer.get()))));
  }

  /** Answers with an error and its text. */
  public void reject(int status, String text) {
    answer(HttpResponse.text(status, text));
  }

  /** Answers 501: a call that is known to the API and not served by this daemon (rule 11). */
  public void notServed(Enum<?> type) {
    notServed(type.name());
  }

  /** As above, by the name that clients write. */
  void notServed(String type) {
    reject(
        501,
        type.equals("UNKNOWN")
            ? "501 Not Implemented."
            : "501 Not Implemented. The call "
                + type
                + " is not served by this version of Mezzo ("
                + Versions.MEZZO
                + ").");
  }

  /** Answers with anything. */
  public void answer(HttpResponse response) {
    offload(() -> exchange.respond(response));
  }

  /**
   * What follows the call, where the request is a stream.
   *
   * @param <C> the call message of the API
   * @throws IllegalStateException where it is none
   */
  @SuppressWarnings("unchecked")
  public <C extends Message> CallRecords<C> records() {
    return (CallRecords<C>)
        records.orElseThrow(() -> new IllegalStateException("The request is no stream"));
  }

  /**
   * Answers 200 with a stream of events in the client's preferred type, which it may have said to
   * be RecordIO (rule 19).
   */
  public <E extends Message> EventStream<E> stream(Map<String, String> headers, StreamBound bound) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    if (recordIo) {
      all.put("Content-Type", ContentType.RECORDIO.text());
      all.put("Message-Content-Type", accept.text());
    }
    return EventStream.open(exchange, accept, all, workers.events(), bound);
  }

  private void offload(Runnable answer) {
    try {
      workers.answer(answer);
    } catch (RejectedExecutionException e) {
      exchange.respond(Router.overloaded());
    }
  }
}
