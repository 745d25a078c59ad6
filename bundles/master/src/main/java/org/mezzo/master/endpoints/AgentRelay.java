package org.mezzo.master.endpoints;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.border.Refused;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpResponse;
import org.mezzo.http.ResponseStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes answers of agents on to clients, piece by piece: the next piece is read of the agent when
 * the client has taken the last one, so that none is held for long and no thread waits. Safe for
 * any thread.
 */
final class AgentRelay {
  private static final Logger LOG = LoggerFactory.getLogger(AgentRelay.class);

  /** So many at a time; each holds a piece of some 16 KB, and two connections. */
  static final int MOST = 64;

  private static final Duration CONNECT = Duration.ofSeconds(5);

  /** What is larger than a piece of the agent's waits for none. */
  private static final long WAITING_BYTES = 1 << 20;

  /** Of the agent's headers those that say what the body is, and who may have it. */
  private static final List<String> HEADERS =
      List.of("Content-Type", "Content-Disposition", "WWW-Authenticate");

  private final HttpClient http;
  private final Executor answers;
  private final Duration patience;
  private final AtomicInteger open = new AtomicInteger();
  private final Metrics.Counter refused;

  /**
   * Asks nobody yet.
   *
   * @param answers where pieces are passed on, which takes no time
   * @param patience how long an agent may need for the begin of its answer, and agent and client
   *     for each piece
   */
  AgentRelay(Metrics metrics, Executor answers, Duration patience) {
    this.answers = answers;
    this.patience = patience;
    http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT)
            .executor(answers)
            .build();
    refused = metrics.counter("master/mezzo/agent_files_refused");
    metrics.gauge("master/mezzo/agent_files_open", open::get);
  }

  /**
   * Answers an exchange with what an agent answers to the caller's credentials.
   *
   * @throws Refused when too many are under way
   */
  void relay(HttpExchange exchange, String agentId, URI target) throws Refused {
    if (open.incrementAndGet() > MOST) {
      open.decrementAndGet();
      refused.add(1);
      throw new Refused(
          503,
          "The master passes on %d files of agents already: try again later, or ask the agent"
              .formatted(MOST));
    }
    HttpRequest.Builder request = HttpRequest.newBuilder(target).timeout(patience).GET();
    // The caller's, and nothing that the master might have.
    exchange.header("Authorization").ifPresent(value -> request.header("Authorization", value));
    Passage passage = new Passage(exchange);
    CompletableFuture<java.net.http.HttpResponse<Void>> asked;
    try {
      asked = http.sendAsync(request.build(), passage);
    } catch (IllegalArgumentException e) {
      // A header that this client does not send.
      passage.over();
      throw new Refused(400, "The header 'Authorization' cannot be passed on");
    } catch (RuntimeException e) {
      passage.over();
      throw e;
    }
    asked.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            passage.failed(agentId, target, failure);
          }
          passage.over();
        });
  }

  /** One answer on its way. */
  private final class Passage implements BodyHandler<Void>, BodySubscriber<Void> {
    private final HttpExchange exchange;
    private final CompletableFuture<Void> body = new CompletableFuture<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private volatile ResponseStream stream;
    private volatile Flow.Subscription subscription;
    private volatile long movedNanos;

    Passage(HttpExchange exchange) {
      this.exchange = exchange;
    }

    /** Gives its place to another one, once. */
    void over() {
      if (over.compareAndSet(false, true)) {
        open.decrementAndGet();
      }
    }

    void failed(String agentId, URI target, Throwable failure) {
      Throwable cause =
          failure instanceof CompletionException && failure.getCause() != null
              ? failure.getCause()
              : failure;
      LOG.debug("Files of agent {} are not passed on", agentId, cause);
      if (stream != null) {
        // The answer has begun: that it is not whole shows in that it does not end in order.
        stream.abort(cause);
        return;
      }
      String agent = "Agent %s at %s:%d ".formatted(agentId, target.getHost(), target.getPort());
      exchange.respond(
          cause instanceof HttpTimeoutException
                  && !(cause instanceof java.net.http.HttpConnectTimeoutException)
              ? HttpResponse.text(
                  504, agent + "does not answer within " + patience.toMillis() + " ms")
              : HttpResponse.text(502, agent + "cannot be asked by the master: " + cause));
    }

    @Override
    public BodySubscriber<Void> apply(ResponseInfo info) {
      Map<String, String> headers = new LinkedHashMap<>();
      for (String name : HEADERS) {
        info.headers().firstValue(name).ifPresent(value -> headers.put(name, value));
      }
      stream = exchange.stream(info.statusCode(), headers, WAITING_BYTES);
      stream.onClosed(reason -> left(reason));
      return this;
    }

    /** The client's connection is over, or the whole answer is sent. */
    private void left(Throwable reason) {
      Flow.Subscription from = subscription;
      if (reason != null) {
        if (from != null) {
          from.cancel();
        }
        body.completeExceptionally(new IOException("The client left", reason));
      } else {
        body.complete(null);
      }
    }

    @Override
    public void onSubscribe(Flow.Subscription from) {
      subscription = from;
      next();
      watch();
    }

    private void next() {
      movedNanos = System.nanoTime();
      subscription.request(1);
    }

    @Override
    public void onNext(List<ByteBuffer> pieces) {
      movedNanos = System.nanoTime();
      for (ByteBuffer piece : pieces) {
        byte[] bytes = new byte[piece.remaining()];
        piece.get(bytes);
        if (!stream.write(bytes)) {
          return;
        }
      }
      stream.whenTaken(this::next);
    }

    @Override
    public void onError(Throwable failure) {
      body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
      stream.end();
    }

    @Override
    public CompletionStage<Void> getBody() {
      return body;
    }

    /** Cuts an answer that neither side moves, for as long as it lasts. */
    private void watch() {
      CompletableFuture.delayedExecutor(patience.toMillis(), TimeUnit.MILLISECONDS, answers)
          .execute(
              () -> {
                if (body.isDone()) {
                  return;
                }
                if (System.nanoTime() - movedNanos > patience.toNanos()) {
                  subscription.cancel();
                  body.completeExceptionally(
                      new HttpTimeoutException("Neither agent nor client went on"));
                } else {
                  watch();
                }
              });
    }
  }
}
