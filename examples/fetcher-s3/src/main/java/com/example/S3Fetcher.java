package com.example;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.CallContext;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.fetcher.Fetcher;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Fetches {@code s3://bucket/key} from buckets that everybody may read, of AWS or of whatever
 * speaks its protocol at the parameter {@code endpoint}.
 */
@Component(service = Fetcher.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Fetcher.KIND,
    name = "s3",
    version = "1.0.0",
    author = "me",
    description = "fetches s3 URIs of public buckets")
public final class S3Fetcher implements Fetcher {
  private static final int OK = 200;
  private static final int MOST_MILLIS = 3_600_000;

  private String endpoint;

  @Override
  public void open(DaemonContext context) {
    endpoint = context.parameters().getOrDefault("endpoint", "https://s3.amazonaws.com");
  }

  @Override
  public Set<String> schemes() {
    return Set.of("s3");
  }

  /** The agent sees the file grow, and takes the call back when it does not. */
  @Override
  public void fetch(Request request) throws IOException {
    HttpURLConnection get = connect("GET", request.uri(), request.stallTimeout());
    request.progress().accept("Downloading " + get.getURL());
    try (InputStream in = checked(get).getInputStream();
        OutputStream out = Files.newOutputStream(request.target())) {
      long length = get.getContentLengthLong();
      long got = in.transferTo(out);
      if (length >= 0 && got != length) {
        throw new IOException(got + " bytes came of " + length + " from " + get.getURL());
      }
    } finally {
      get.disconnect();
    }
  }

  /** What the agent's cache asks: how much room it takes, and whether it is still the same. */
  @Override
  public Description describe(URI uri) throws IOException {
    HttpURLConnection head = connect("HEAD", uri, Duration.ofSeconds(10));
    try {
      long length = checked(head).getContentLengthLong();
      return new Description(
          length < 0 ? Optional.empty() : Optional.of(length),
          Optional.ofNullable(head.getHeaderField("ETag")));
    } finally {
      head.disconnect();
    }
  }

  private HttpURLConnection connect(String method, URI uri, Duration timeout) throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection)
            new URL(endpoint + "/" + uri.getRawAuthority() + uri.getRawPath()).openConnection();
    connection.setRequestMethod(method);
    int millis = (int) Math.max(1, Math.min(timeout.toMillis(), MOST_MILLIS));
    connection.setConnectTimeout(millis);
    connection.setReadTimeout(millis);
    // Nothing is to be left of a fetch: no connection, and no thread that looks after it.
    connection.setRequestProperty("Connection", "close");
    connection.connect();
    // An interrupt does not end a read; this does.
    CallContext.current().whenCancelled(connection::disconnect);
    return connection;
  }

  /** What is thrown fails the task, with this message. */
  private static HttpURLConnection checked(HttpURLConnection connection) throws IOException {
    int status = connection.getResponseCode();
    if (status != OK) {
      throw new IOException("Status " + status + " for " + connection.getURL());
    }
    return connection;
  }
}
