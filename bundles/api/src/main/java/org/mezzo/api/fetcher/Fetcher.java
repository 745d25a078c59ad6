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
 * names, the cache, extraction, permissions and ownership (rules 320-334) are the agent's work.
 *
 * <p>Threading: unlike other kinds, {@link #fetch} and {@link #describe} are called on one of
 * several fetching threads, several calls at a time. There is no deadline as long as bytes arrive
 * in the target or in a file beside it; a call that stalls for longer than the request's stall
 * timeout should fail by itself and is interrupted when the launch is cancelled. {@link #schemes}
 * is asked before each fetch and returns at once.
 *
 * <p>A fetch that throws fails the launch of that task with the exception's message in the
 * sandbox's {@code stderr}. A fetch whose fetcher is swapped meanwhile, and does not end in time,
 * is begun anew with the successor, so one that is cut off must leave nothing that disturbs another
 * one. While no fetcher serves a scheme, tasks that need it fail with a message that names the
 * scheme, and others run. A fetcher holds no state that a successor needs: it is told nothing when
 * it appears.
 */
@ConsumerType
public interface Fetcher extends Module {

  /** The value of {@code mezzo.module.kind} of fetchers. */
  String KIND = "fetcher";

  /** Among the {@link #schemes} of a fetcher that is asked for what no other one serves. */
  String ANY_OTHER = "*";

  /**
   * The schemes served, in lower case, for example {@code http}; {@link #ANY_OTHER} stands for all
   * that no other fetcher names.
   */
  Set<String> schemes();

  /**
   * Fetches into {@code request.target()}, which does not exist yet, in a folder that is this
   * call's alone. What is there when this throws, or beside the target, is thrown away.
   */
  void fetch(Request request) throws IOException, InterruptedException;

  /**
   * What can be told without fetching. The agent asks before it fetches into its cache, which keeps
   * nothing of unknown size (rule 330), and when it is about to use what an earlier process of it
   * has kept.
   *
   * @throws IOException when it cannot be found out; what is to be cached is then fetched past the
   *     cache, what was kept is used
   */
  default Description describe(URI uri) throws IOException, InterruptedException {
    return Description.UNKNOWN;
  }

  /**
   * What is known of a URI.
   *
   * @param size in bytes
   * @param version changes when the content does, as an ETag or a time of change; empty when
   *     nothing like it is known
   */
  record Description(Optional<Long> size, Optional<String> version) {
    /** Nothing. */
    public static final Description UNKNOWN = new Description(Optional.empty(), Optional.empty());
  }

  /** One thing to fetch. There may be more to say of it in later versions. */
  @ProviderType
  interface Request {
    /** What to fetch. */
    URI uri();

    /** Where to; absolute. Its directory exists, is empty and this request's alone. */
    Path target();

    /** Give up when no byte came for so long. */
    Duration stallTimeout();

    /** Takes lines for the sandbox's {@code stderr}; safe for any thread. */
    Consumer<String> progress();

    /** Starts programs that work for this fetch; others may outlive it, and the agent. */
    default Programs programs() {
      return Programs.UNBOUND;
    }

    /** A request, for tests of fetchers too. */
    static Request of(URI uri, Path target, Duration stallTimeout, Consumer<String> progress) {
      return of(uri, target, stallTimeout, progress, Programs.UNBOUND);
    }

    /** The same with what starts programs. */
    static Request of(
        URI uri, Path target, Duration stallTimeout, Consumer<String> progress, Programs programs) {
      record Plain(
          URI uri, Path target, Duration stallTimeout, Consumer<String> progress, Programs programs)
          implements Request {}
      return new Plain(uri, target, stallTimeout, progress, programs);
    }
  }
}
