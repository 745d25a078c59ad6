package com.example;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
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

  private HttpClient http;
  private String endpoint;

  @Override
  public void open(DaemonContext context) {
    http = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
    endpoint = context.parameters().getOrDefault("endpoint", "https://s3.amazonaws.com");
  }

  @Override
  public Set<String> schemes() {
    return Set.of("s3");
  }

  /** The agent sees the file grow, and takes the call back when it does not. */
  @Override
  public void fetch(Request request) throws IOException, InterruptedException {
    HttpRequest get = to(request.uri(), request.stallTimeout()).GET().build();
    request.progress().accept("Downloading " + get.uri());
    check(http.send(get, BodyHandlers.ofFile(request.target())));
  }

  /** What the agent's cache asks: how much room it takes, and whether it is still the same. */
  @Override
  public Description describe(URI uri) throws IOException, InterruptedException {
    HttpRequest head =
        to(uri, Duration.ofSeconds(10)).method("HEAD", HttpRequest.BodyPublishers.noBody()).build();
    HttpResponse<Void> response = http.send(head, BodyHandlers.discarding());
    check(response);
    long length = response.headers().firstValueAsLong("Content-Length").orElse(-1);
    return new Description(
        length < 0 ? Optional.empty() : Optional.of(length), response.headers().firstValue("ETag"));
  }

  private HttpRequest.Builder to(URI uri, Duration timeout) {
    return HttpRequest.newBuilder(
            URI.create(endpoint + "/" + uri.getRawAuthority() + uri.getRawPath()))
        .timeout(timeout);
  }

  /** What is thrown fails the task, with this message. */
  private static void check(HttpResponse<?> response) throws IOException {
    if (response.statusCode() != OK) {
      throw new IOException("Status " + response.statusCode() + " for " + response.uri());
    }
  }
}
