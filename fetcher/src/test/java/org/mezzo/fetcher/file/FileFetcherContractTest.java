package org.mezzo.fetcher.file;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.testing.contract.FetcherContract;

class FileFetcherContractTest extends FetcherContract {
  @TempDir Path served;

  @Override
  protected Fetcher module() {
    return new FileFetcher();
  }

  @Override
  protected URI serve(String name, byte[] content) throws Exception {
    return Files.write(served.resolve(name), content).toUri();
  }

  @Override
  protected URI missing() {
    return served.resolve("missing").toUri();
  }
}
