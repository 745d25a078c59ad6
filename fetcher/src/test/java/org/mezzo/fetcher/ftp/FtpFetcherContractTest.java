package org.mezzo.fetcher.ftp;

import java.net.URI;
import javax.net.ServerSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.testing.contract.FetcherContract;

class FtpFetcherContractTest extends FetcherContract {
  private FtpServer server;
  private int changes;

  @BeforeEach
  void start() throws Exception {
    server = new FtpServer(ServerSocketFactory.getDefault());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Override
  protected Fetcher module() {
    return new FtpFetcher();
  }

  @Override
  protected URI serve(String name, byte[] content) {
    server.files.put(name, content);
    server.times.put(name, "%014d".formatted(20_200_102_030_400L + ++changes));
    return at(name);
  }

  @Override
  protected URI missing() {
    return at("missing");
  }

  private URI at(String name) {
    return URI.create("ftp://" + server.base() + "/" + name);
  }
}
