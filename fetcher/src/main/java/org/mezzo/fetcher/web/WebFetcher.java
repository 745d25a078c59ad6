package org.mezzo.fetcher.web;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Uris;
import org.mezzo.fetcher.TargetFile;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Fetches from web servers ({@code http}, {@code https}; rule 322). Messages name the URI without
 * user, password and query, which may be secrets.
 */
@Component(service = Fetcher.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Fetcher.KIND,
    name = "web",
    version = "0.2.0",
    author = "Mezzo",
    description = "fetches http and https URIs")
public final class WebFetcher implements Fetcher {
  private static final Duration DESCRIPTION_LIMIT = Duration.ofSeconds(10);

  private WebClient web;

  @Override
  public void open(DaemonContext context) {
    web = new WebClient(context.daemon());
  }

  @Override
  public Set<String> schemes() {
    return Set.of("http", "https");
  }

  @Override
  public void fetch(Request request) throws IOException, InterruptedException {
    URI uri = request.uri();
    TargetFile.write(
        request.target(), out -> web.get(uri, out, request.stallTimeout(), request.progress()));
    request
        .progress()
        .accept("Downloaded " + shown(uri) + ": " + Files.size(request.target()) + " bytes");
  }

  @Override
  public Description describe(URI uri) throws IOException, InterruptedException {
    return web.describe(uri, DESCRIPTION_LIMIT);
  }

  /** The URI as it may be shown, in quotes. */
  static String shown(URI uri) {
    return "'" + Uris.shown(uri) + "'";
  }

  @Override
  public void close() {
    if (web != null) {
      web.close();
    }
  }
}
