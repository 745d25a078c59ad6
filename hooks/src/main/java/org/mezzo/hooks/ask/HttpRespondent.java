package org.mezzo.hooks.ask;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A service that gets each question as the body of a POST and answers with 200 and an object of
 * JSON, or 204 where nothing is to be changed. Connections are kept. One that is late or cannot be
 * reached is left alone for a while.
 *
 * <p>Whoever asks waits in the socket itself: with one question after the other, a client that
 * hands each to threads of its own spends most of the time in waking them.
 */
final class HttpRespondent implements Respondent {
  private static final int LONGEST_ANSWER = CommandRespondent.LONGEST_ANSWER;

  private final URI uri;
  private final Map<String, String> headers;
  private final Rest rest;

  /** Ends what is late: the timeout of a socket is that of each piece of an answer. */
  private final ScheduledThreadPoolExecutor limits;

  /** Asks there, with headers of one's own. */
  HttpRespondent(URI uri, Map<String, String> headers, Rest rest) {
    this.uri = uri;
    this.headers = headers;
    this.rest = rest;
    // Says what cannot be a header, which a connection passes over in silence.
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    headers.forEach(request::header);
    limits =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "ask-limits");
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    limits.setRemoveOnCancelPolicy(true);
  }

  private HttpURLConnection connection(Duration limit) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection(Proxy.NO_PROXY);
    connection.setRequestMethod("POST");
    connection.setDoOutput(true);
    connection.setUseCaches(false);
    connection.setInstanceFollowRedirects(false);
    connection.setConnectTimeout((int) limit.toMillis());
    connection.setReadTimeout((int) limit.toMillis());
    connection.setRequestProperty("Content-Type", "application/json");
    connection.setRequestProperty("Accept", "application/json");
    headers.forEach(connection::setRequestProperty);
    return connection;
  }

  @Override
  public boolean ready() {
    return !rest.lasts();
  }

  @Override
  public Answer ask(long id, byte[] question, Duration limit) throws IOException {
    long due = System.nanoTime() + limit.toNanos();
    HttpURLConnection connection = connection(limit);
    ScheduledFuture<?> end =
        limits.schedule(connection::disconnect, limit.toNanos(), TimeUnit.NANOSECONDS);
    int status;
    byte[] body;
    try {
      try (OutputStream out = connection.getOutputStream()) {
        out.write(question);
      }
      status = connection.getResponseCode();
      body = body(connection, status);
    } catch (IOException e) {
      rest.needed();
      throw System.nanoTime() - due >= 0 || e instanceof SocketTimeoutException
          ? new IOException("the service did not answer within " + limit.toMillis() + " ms", e)
          : new IOException("the service cannot be asked: " + e, e);
    } finally {
      end.cancel(false);
    }
    rest.over();
    return switch (status) {
      case 200 -> Answer.read(body);
      case 204 -> Answer.NOTHING;
      default -> throw new IOException("the service answered with status " + status);
    };
  }

  /** The whole of it, so that the connection can be kept; it is closed where there is too much. */
  private static byte[] body(HttpURLConnection connection, int status) throws IOException {
    try (InputStream in =
        status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      byte[] body = in == null ? new byte[0] : in.readNBytes(LONGEST_ANSWER + 1);
      if (body.length > LONGEST_ANSWER) {
        connection.disconnect();
        throw new IOException("it answered more than " + LONGEST_ANSWER + " bytes");
      }
      return body;
    }
  }

  @Override
  public void close() {
    limits.shutdownNow();
  }
}
