package org.mezzo.testing.contract;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Fetcher.Description;
import org.mezzo.api.fetcher.Fetcher.Request;
import org.mezzo.api.fetcher.Uris;

/**
 * The rules of {@link Fetcher}: all of what a URI names comes, byte by byte, into the target, and
 * nothing anywhere else; what is not there is an {@link IOException} that says so; a fetch that is
 * taken back ends, and can be begun anew. {@link ModuleContract} says how to extend it.
 *
 * <p>You bring the server: {@link #serve} makes content available where your fetcher can get it.
 */
public abstract class FetcherContract extends ParallelContract<Fetcher> {
  private static final Duration PATIENT = Duration.ofSeconds(60);
  private static final int LARGE = 300_007;

  private final AtomicInteger lastFetch = new AtomicInteger();
  private byte[] content;
  private URI uri;

  /** For subclasses. */
  protected FetcherContract() {}

  /**
   * Has some content served under a name, instead of what was served under it before.
   *
   * @param name a file name
   * @return what names it
   */
  protected abstract URI serve(String name, byte[] content) throws Exception;

  /** A URI that is served as the others and names nothing. */
  protected abstract URI missing() throws Exception;

  /**
   * A URI from which no byte comes, for as long as the test takes; empty when there can be none, as
   * of local files. Then nothing is checked of fetches that hang.
   */
  protected Optional<URI> stalling() throws Exception {
    return Optional.empty();
  }

  @Override
  Role role() {
    return Role.AGENT;
  }

  /** There is none as long as bytes come; so long is more than the kit's need. */
  @Override
  Duration deadline() {
    return Duration.ofSeconds(10);
  }

  @Override
  int callers() {
    return 32;
  }

  @Override
  void begin(Instance<Fetcher> fetcher) {
    try {
      synchronized (this) {
        if (uri == null) {
          content = bytes(LARGE);
          uri = serve("large", content);
        }
      }
    } catch (Exception e) {
      throw new AssertionError("serve failed: " + e, e);
    }
  }

  @Override
  void use(Instance<Fetcher> fetcher, Random random) throws Exception {
    Set<String> schemes = fetcher.ask("schemes", Fetcher::schemes);
    check(
        schemes.contains(uri.getScheme()) || schemes.contains(Fetcher.ANY_OTHER),
        "schemes are " + schemes + ", without that of " + uri);
    for (int i = 0; i < 2; i++) {
      Path target = target();
      fetch(fetcher, uri, target);
      same(target, content);
    }
  }

  private byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    random().nextBytes(bytes);
    return bytes;
  }

  private Path target() throws IOException {
    Path folder = kitFolder.resolve("fetch-" + lastFetch.incrementAndGet());
    return Files.createDirectories(folder).resolve("target");
  }

  private static void fetch(Instance<Fetcher> fetcher, URI from, Path to) {
    fetcher.tell("fetch", it -> it.fetch(Request.of(from, to, PATIENT, line -> {})));
  }

  private static void same(Path target, byte[] expected) throws IOException {
    check(Files.isRegularFile(target), "after fetch there is no file " + target);
    byte[] got = Files.readAllBytes(target);
    check(
        Arrays.equals(got, expected),
        "fetch brought "
            + got.length
            + " bytes, which are not the "
            + expected.length
            + " that are served");
  }

  /** Large and empty contents come as they are, and nothing is written beside folder and target. */
  @Test
  public void bringsAllOfItIntoTheTargetAlone() throws Exception {
    Instance<Fetcher> fetcher = opened();
    use(fetcher, random());
    URI empty = serve("empty", new byte[0]);
    URI small = serve("small", new byte[] {0, 13, 10, -1});
    Set<String> before = below(kitFolder);
    Path target = target();
    List<String> lines = new CopyOnWriteArrayList<>();
    fetcher.tell("fetch", it -> it.fetch(Request.of(small, target, PATIENT, lines::add)));
    same(target, new byte[] {0, 13, 10, -1});
    Set<String> after = below(kitFolder);
    after.removeAll(before);
    String own = kitFolder.relativize(target.getParent()).toString();
    after.removeIf(each -> each.equals(own) || each.startsWith(own + "/"));
    check(after.isEmpty(), "fetch wrote outside of its folder: " + after);
    check(!lines.contains(null), "fetch reported a line that is null");
    Path none = target();
    fetch(fetcher, empty, none);
    same(none, new byte[0]);
    fetcher.close();
  }

  /**
   * What {@code describe} says is so: the size is that of what comes, and what has changed has
   * another version.
   */
  @Test
  public void describesWhatIsThere() throws Exception {
    Instance<Fetcher> fetcher = opened();
    Description first = fetcher.ask("describe", it -> it.describe(uri));
    check(
        first.size().isEmpty() || first.size().get() == content.length,
        "describe says " + first.size() + " bytes of " + content.length);
    Description again = fetcher.ask("describe", it -> it.describe(uri));
    check(first.equals(again), "describe says " + again + " of what it called " + first);
    byte[] other = bytes(LARGE + 1);
    serve("large", other);
    Description changed = fetcher.ask("describe", it -> it.describe(uri));
    check(
        first.version().isEmpty() || !first.version().equals(changed.version()),
        "the version is " + changed.version() + " as before, and the content another one");
    Path target = target();
    fetch(fetcher, uri, target);
    same(target, other);
    fetcher.close();
  }

  /** What is not there, or no URI that can be, is an {@code IOException} with a message. */
  @Test
  public void saysWhatIsNotThere() throws Exception {
    Instance<Fetcher> fetcher = opened();
    failed(fetcher, missing());
    for (String odd : List.of("host.invalid", "/%00", "/%2e%2e/%ff", "host.invalid:99/a b|c")) {
      try {
        failed(fetcher, Uris.parse(uri.getScheme() + "://" + odd));
      } catch (URISyntaxException e) {
        // Whoever writes that is told so by the agent, and no fetcher is asked.
        continue;
      }
    }
    use(fetcher, random());
    fetcher.close();
  }

  private void failed(Instance<Fetcher> fetcher, URI from) throws IOException {
    Path target = target();
    Optional<Path> done =
        fetcher.attempt(
            "fetch of " + from,
            it -> {
              it.fetch(Request.of(from, target, Duration.ofSeconds(5), line -> {}));
              return target;
            });
    check(done.isEmpty(), "fetch of " + from + " has returned, as if all of it was there");
    fetcher.attempt("describe of " + from, it -> it.describe(from));
  }

  /** Schemes are in lower case, there is one at least, and they stay the same. */
  @Test
  public void servesSchemes() throws Exception {
    Instance<Fetcher> fetcher = opened();
    Set<String> schemes = fetcher.ask("schemes", Fetcher::schemes);
    check(!schemes.isEmpty(), "schemes is empty, so that nobody ever asks");
    for (String each : schemes) {
      check(each.equals(each.toLowerCase(Locale.ROOT)), "'" + each + "' is not in lower case");
    }
    use(fetcher, random());
    check(schemes.equals(fetcher.ask("schemes", Fetcher::schemes)), "the schemes have changed");
    fetcher.close();
  }

  /**
   * A fetch from which no byte comes ends when it is taken back, fails by itself once the stall
   * timeout is over, and keeps no other one from its bytes.
   */
  @Test
  public void isNotHeldUpByWhatNeverComes() throws Exception {
    Optional<URI> stalling = stalling();
    if (stalling.isEmpty()) {
      return;
    }
    Instance<Fetcher> fetcher = opened();
    for (int round = 0; round < 2; round++) {
      Path target = target();
      fetcher.takeBack(0, Duration.ofMillis(200).toNanos());
      try {
        fetch(fetcher, stalling.get(), target);
        throw new AssertionError("fetch returned, though no byte came");
      } catch (Instance.TakenBack e) {
        use(fetcher, random());
      }
    }
    Path target = target();
    Optional<Path> done =
        fetcher.attempt(
            "fetch of what stalls",
            it -> {
              it.fetch(Request.of(stalling.get(), target, Duration.ofSeconds(1), line -> {}));
              return target;
            });
    check(done.isEmpty(), "fetch returned, though no byte came");
    fetcher.close();
  }
}
