package {{package}};

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.fetcher.Fetcher;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Fetches {@code {{scheme}}://place/file} as the file {@code /place/file} of the HTTP server that
 * the parameter {@code endpoint} names.
 */
@Component(service = Fetcher.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Fetcher.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "fetches URIs of the scheme {{scheme}}")
public final class {{class}} implements Fetcher {
  private static final int OK = 200;

  private HttpClient http;
  private String endpoint;

  @Override
  public void open(DaemonContext context) {
    http = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
    endpoint = context.parameters().getOrDefault("endpoint", "http://localhost");
  }

  @Override
  public Set<String> schemes() {
    return Set.of("{{scheme}}");
  }

  /** The agent sees the file grow, and takes the call back when it does not. */
  @Override
  public void fetch(Request request) throws IOException, InterruptedException {
    URI uri = request.uri();
    URI source = URI.create(endpoint + "/" + uri.getRawAuthority() + uri.getRawPath());
    request.progress().accept("Downloading " + source);
    HttpResponse<?> response =
        http.send(
            HttpRequest.newBuilder(source).timeout(request.stallTimeout()).build(),
            BodyHandlers.ofFile(request.target()));
    if (response.statusCode() != OK) {
      // What is thrown fails the task, with this message.
      throw new IOException("Status " + response.statusCode() + " for " + source);
    }
  }
}
