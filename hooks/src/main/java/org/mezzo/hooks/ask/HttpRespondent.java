package org.mezzo.hooks.ask;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A service that gets each question as the body of a POST and answers with 200 and an object of
 * JSON, or 204 where nothing is to be changed. Connections are kept. One that is late or cannot be
 * reached is left alone for a while.
 */
final class HttpRespondent implements Respondent {
  private static final int LONGEST_ANSWER = CommandRespondent.LONGEST_ANSWER;

  private final URI uri;
  private final Map<String, String> headers;
  private final Rest rest;
  private HttpClient client;

  /** Asks there, with headers of one's own. */
  HttpRespondent(URI uri, Map<String, String> headers, Rest rest, Duration limit) {
    this.uri = uri;
    this.headers = headers;
    this.rest = rest;
    client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(limit)
            .build();
    request(new byte[0]);
  }

  private HttpRequest request(byte[] question) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(question));
    headers.forEach(request::header);
    return request.build();
  }

  @Override
  public boolean ready() {
    return !rest.lasts();
  }

  @Override
  public Answer ask(long id, byte[] question, Duration limit)
      throws IOException, InterruptedException {
    CompletableFuture<HttpResponse<byte[]>> response =
        client.sendAsync(request(question), ignored -> new Bounded());
    HttpResponse<byte[]> answer;
    try {
      answer = response.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      rest.needed();
      throw new IOException("the service cannot be asked: " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      response.cancel(true);
      rest.needed();
      throw new IOException("the service did not answer within " + limit.toMillis() + " ms", e);
    }
    rest.over();
    return switch (answer.statusCode()) {
      case 200 -> Answer.read(answer.body());
      case 204 -> Answer.NOTHING;
      default -> throw new IOException("the service answered with status " + answer.statusCode());
    };
  }

  @Override
  public void close() {
    // Its threads end with it.
    client = null;
  }

  /** A body that is not longer than it may be. */
  private static final class Bounded implements HttpResponse.BodySubscriber<byte[]> {
    private final java.io.ByteArrayOutputStream body = new java.io.ByteArrayOutputStream();
    private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
    private Flow.Subscription subscription;

    @Override
    public CompletionStage<byte[]> getBody() {
      return whole;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> parts) {
      for (ByteBuffer part : parts) {
        if (body.size() + part.remaining() > LONGEST_ANSWER) {
          subscription.cancel();
          whole.completeExceptionally(
              new IOException("it answered more than " + LONGEST_ANSWER + " bytes"));
          return;
        }
        byte[] bytes = new byte[part.remaining()];
        part.get(bytes);
        body.writeBytes(bytes);
      }
    }

    @Override
    public void onError(Throwable failure) {
      whole.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
      whole.complete(body.toByteArray());
    }
  }
}
