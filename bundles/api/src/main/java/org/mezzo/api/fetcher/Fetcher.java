package org.mezzo.api.fetcher;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.mezzo.api.Module;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Brings what one URI names into a file. Which handler serves a URI is decided by its scheme;
 * names, extraction, permissions and ownership (rules 320-327) are the agent's work.
 *
 * <p>Threading: unlike other kinds, {@link #fetch} and {@link #size} are called on one of several
 * fetching threads, several calls at a time. There is no deadline as long as bytes arrive; a call
 * that stalls for longer than the request's stall timeout should fail by itself and is interrupted
 * when the launch is cancelled. {@link #schemes} is asked before each fetch and returns at once.
 *
 * <p>A fetch that throws fails the launch of that task with the exception's message in the
 * sandbox's {@code stderr}. A fetch whose fetcher is swapped meanwhile is tried once more with the
 * successor, so a fetch that is cut off must leave nothing that disturbs another one. While no
 * fetcher serves a scheme, tasks that need it fail with a message that names the scheme, and others
 * run. A fetcher holds no state that a successor needs: it is told nothing when it appears.
 */
@ConsumerType
public interface Fetcher extends Module {

  /** The value of {@code mezzo.module.kind} of fetchers. */
  String KIND = "fetcher";

  /** The schemes served, in lower case, for example {@code http}. */
  Set<String> schemes();

  /** Fetches into {@code request.target()}, which does not exist yet. */
  void fetch(Request request) throws IOException, InterruptedException;

  /** The size in bytes, when it can be told without fetching. */
  default Optional<Long> size(URI uri) throws IOException, InterruptedException {
    return Optional.empty();
  }

  /** One thing to fetch. There may be more to say of it in later versions. */
  @ProviderType
  interface Request {
    /** What to fetch. */
    URI uri();

    /** Where to; absolute, its directory exists. */
    Path target();

    /** Give up when no byte came for so long. */
    Duration stallTimeout();

    /** Takes lines for the sandbox's {@code stderr}; safe for any thread. */
    Consumer<String> progress();

    /** A request, for tests of fetchers too. */
    static Request of(URI uri, Path target, Duration stallTimeout, Consumer<String> progress) {
      record Plain(URI uri, Path target, Duration stallTimeout, Consumer<String> progress)
          implements Request {}
      return new Plain(uri, target, stallTimeout, progress);
    }
  }
}
