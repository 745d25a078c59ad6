package org.mezzo.itests.swap.modules;

import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.nio.file.Files;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.fetcher.Fetcher;

/**
 * Writes a file of ten lines, slowly: the host of the URI is how many milliseconds it takes. Goes
 * into test bundles.
 */
public final class SwappedFetcher implements Fetcher {
  /** Of the files that it makes. */
  public static final int LINES = 10;

  private static final long LARGEST = 100_000;

  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public Set<String> schemes() {
    return Set.of("swap");
  }

  @Override
  public void fetch(Request request) throws IOException, InterruptedException {
    try {
      witness.call("fetch", () -> write(request));
    } catch (IOException | InterruptedException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  /** As much as it may have; without it nothing would be kept in the agent's cache. */
  @Override
  public Description describe(URI uri) {
    return new Description(Optional.of(LARGEST), Optional.empty());
  }

  private boolean write(Request request) throws IOException, InterruptedException {
    long pause = Long.parseLong(request.uri().getHost()) / LINES;
    try (Writer file = Files.newBufferedWriter(request.target())) {
      for (int line = 0; line < LINES; line++) {
        Thread.sleep(pause);
        file.write(witness.signature() + "\n");
        file.flush();
      }
    }
    return true;
  }
}
