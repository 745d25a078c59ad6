package org.mezzo.fetcher.ftp;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Set;
import javax.net.ssl.TrustManager;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.fetcher.TargetFile;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Fetches from FTP servers ({@code ftp}; {@code ftps}, which is encrypted from the start; rule
 * 322), in passive mode and as {@code anonymous} unless the URI has a user.
 */
@Component(service = Fetcher.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Fetcher.KIND,
    name = "ftp",
    version = "0.2.0",
    author = "Mezzo",
    description = "fetches ftp and ftps URIs")
public final class FtpFetcher implements Fetcher {
  private static final Duration DESCRIPTION_LIMIT = Duration.ofSeconds(10);

  private final TrustManager trust;
  private FtpThreads threads;

  public FtpFetcher() {
    this(null);
  }

  /**
   * @param trust judges certificates; null for what this machine trusts
   */
  FtpFetcher(TrustManager trust) {
    this.trust = trust;
  }

  @Override
  public void open(DaemonContext context) {
    threads = new FtpThreads(context.daemon());
  }

  @Override
  public Set<String> schemes() {
    return Set.of("ftp", "ftps");
  }

  @Override
  public void fetch(Request request) throws IOException, InterruptedException {
    TargetFile.write(
        request.target(),
        out ->
            threads.run(
                new FtpSession(request.uri(), request.stallTimeout(), trust),
                session -> session.read(out)));
    request.progress().accept("Downloaded " + Files.size(request.target()) + " bytes");
  }

  @Override
  public Description describe(URI uri) throws IOException, InterruptedException {
    return threads.run(new FtpSession(uri, DESCRIPTION_LIMIT, trust), FtpSession::describe);
  }

  @Override
  public void close() {
    if (threads != null) {
      threads.close();
    }
  }
}
