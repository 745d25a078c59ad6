package org.mezzo.containerizer.fetching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.FakeAgent;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.CommandInfo;

class FetchCacheTest {
  private static final String OWN = System.getProperty("user.name");

  @TempDir Path folder;
  private final Store store = new Store();
  private UriFetcher fetcher;
  private FakeAgent agent;
  private int sandboxes;

  /** A server of files with which anything may happen. */
  private static final class Store implements Fetcher {
    final Map<String, byte[]> files = new ConcurrentHashMap<>();
    final Map<String, AtomicInteger> fetches = new ConcurrentHashMap<>();
    final AtomicInteger interrupted = new AtomicInteger();
    volatile CountDownLatch gate = new CountDownLatch(0);
    volatile int more;
    volatile boolean sized = true;
    volatile String version = "1";
    volatile String describeFailure;

    @Override
    public Set<String> schemes() {
      return Set.of("store", "file");
    }

    int fetches(String name) {
      AtomicInteger count = fetches.get("/" + name);
      return count == null ? 0 : count.get();
    }

    @Override
    public void fetch(Request request) throws IOException, InterruptedException {
      // Whoever sees the fetch counted may open another gate for the next ones.
      CountDownLatch own = gate;
      String path = request.uri().getPath();
      fetches.computeIfAbsent(path, it -> new AtomicInteger()).incrementAndGet();
      byte[] content = files.get(path);
      if (content == null && Files.exists(Path.of(path))) {
        content = Files.readAllBytes(Path.of(path));
      }
      if (content == null) {
        throw new IOException("there is nothing like it");
      }
      request.progress().accept("The store has it");
      Files.write(request.target(), java.util.Arrays.copyOf(content, content.length / 2));
      try {
        own.await();
      } catch (InterruptedException e) {
        interrupted.incrementAndGet();
        throw e;
      }
      Files.write(request.target(), java.util.Arrays.copyOf(content, content.length + more));
    }

    @Override
    public Description describe(URI uri) throws IOException {
      if (describeFailure != null) {
        throw new IOException(describeFailure);
      }
      byte[] content = files.get(uri.getPath());
      return new Description(
          sized ? Optional.of(content == null ? 1000L : content.length) : Optional.empty(),
          Optional.of(version));
    }

    void has(String name, int size) {
      byte[] content = new byte[size];
      new Random(name.hashCode()).nextBytes(content);
      files.put("/" + name, content);
    }
  }

  @AfterEach
  void stop() {
    store.gate.countDown();
    if (fetcher != null) {
      fetcher.close();
    }
  }

  private void start(long capacity) throws IOException {
    start(capacity, true, Optional.empty());
  }

  private void start(long capacity, boolean persists, Optional<Path> cache) throws IOException {
    if (fetcher != null) {
      fetcher.close();
      fetcher = null;
    }
    agent = new FakeAgent(folder).with(Kinds.FETCHER, "store", store);
    ContainerizerOptions o = agent.options();
    fetcher =
        new UriFetcher(
            agent.host(),
            new ContainerizerOptions(
                o.isolation(),
                o.switchUser(),
                o.cgroups(),
                new ContainerizerOptions.Fetching(
                    Optional.empty(), Duration.ofMinutes(10), cache, capacity, persists, 10 << 20),
                o.shell(),
                o.launcher(),
                o.logging(),
                o.secretResolver()),
            Runnable::run);
  }

  private static CommandInfo.URI uri(String name) {
    return CommandInfo.URI.newBuilder().setValue("store:///" + name).setCache(true).build();
  }

  private Path sandbox() throws IOException {
    return Files.createDirectories(folder.resolve("sandboxes/" + sandboxes++));
  }

  private Fetch begin(Path sandbox, String... names) throws Exception {
    return fetcher.begin(
        Stream.of(names).map(FetchCacheTest::uri).toList(), sandbox, Optional.empty());
  }

  private static void await(Fetch fetch) throws Exception {
    try {
      fetch.done().toCompletableFuture().get(60, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw (Exception) e.getCause();
    }
  }

  /** Fetches into a sandbox of its own, and looks at what is there. */
  private Path fetch(String... names) throws Exception {
    Path sandbox = sandbox();
    await(begin(sandbox, names));
    for (String name : names) {
      assertThat(Files.readAllBytes(sandbox.resolve(name))).isEqualTo(store.files.get("/" + name));
    }
    return sandbox;
  }

  private Path cache() {
    return folder.resolve("work/fetcher-cache");
  }

  private List<Path> entries() throws IOException {
    Path home = cache().resolve(OWN);
    if (!Files.exists(home)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(home)) {
      return files.sorted().toList();
    }
  }

  private void assertNothingUnfinished() {
    for (Path path : List.of(cache().resolve(".part"), folder.resolve("work/fetching"))) {
      Await.until(
          path + " is empty",
          () -> {
            String[] left = path.toFile().list();
            return left == null || left.length == 0;
          });
    }
  }

  private String stderr(Path sandbox) throws IOException {
    return Files.readString(sandbox.resolve("stderr"));
  }

  @Test
  void twoHundredAtOnceAreOneDownloadAndTakeNoThreads() throws Exception {
    start(1000);
    store.has("a", 100);
    store.has("b", 50);
    store.gate = new CountDownLatch(1);
    List<Fetch> all = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      all.add(begin(sandbox(), "a"));
    }
    Await.until("it is fetched", () -> store.fetches("a") == 1);
    // All threads are free for others meanwhile.
    CommandInfo.URI other = uri("b").toBuilder().setCache(false).build();
    CountDownLatch gate = store.gate;
    store.gate = new CountDownLatch(0);
    for (int i = 0; i < UriFetcher.AT_A_TIME; i++) {
      await(fetcher.begin(List.of(other), sandbox(), Optional.empty()));
    }
    assertThat(all).noneMatch(fetch -> fetch.done().toCompletableFuture().isDone());
    gate.countDown();
    for (Fetch fetch : all) {
      await(fetch);
    }
    assertThat(store.fetches("a")).isEqualTo(1);
    for (int i = 0; i < 200; i++) {
      Path file = folder.resolve("sandboxes/" + i + "/a");
      assertThat(Files.readAllBytes(file)).isEqualTo(store.files.get("/a"));
      // Whoever writes into his file writes into nobody else's.
      assertThat(Files.getAttribute(file, "unix:nlink")).isEqualTo(1);
      assertThat(Files.isWritable(file)).isTrue();
    }
    assertThat(entries()).hasSize(1);
    assertThat(entries().get(0).getFileName()).hasToString("c1-a");
    assertThat(stderr(folder.resolve("sandboxes/7")))
        .contains("Fetching URI 'store:///a'", "The store has it", "Copying it from the cache");
    assertNothingUnfinished();
  }

  @Test
  void whatWasFetchedOutlivesTheAgent() throws Exception {
    start(1000);
    store.has("a", 100);
    store.has("a-name-of-much-more-than-twenty-letters", 100);
    fetch("a", "a", "a-name-of-much-more-than-twenty-letters");
    assertThat(entries().get(1).getFileName()).hasToString("c2-a-name-of-_ty-letters");
    start(1000);
    fetch("a-name-of-much-more-than-twenty-letters", "a");
    assertThat(store.fetches("a")).isEqualTo(1);
    // As in Mesos.
    start(1000, false, Optional.empty());
    assertThat(entries()).isEmpty();
    fetch("a");
    assertThat(store.fetches("a")).isEqualTo(2);
  }

  @Test
  void anEntryOfBeforeIsLookedAtFirst() throws Exception {
    start(1000);
    for (String name : List.of("changed", "shorter", "gone", "good")) {
      store.has(name, 100);
      fetch(name);
    }
    List<Path> files = entries();
    fetcher.close();
    fetcher = null;
    for (Path file : files) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }
    Files.write(files.get(0), new byte[100]);
    Files.write(files.get(1), new byte[99]);
    Files.delete(files.get(2));
    start(1000);
    fetch("changed", "shorter", "gone", "good");
    assertThat(store.fetches("changed")).isEqualTo(2);
    assertThat(store.fetches("shorter")).isEqualTo(2);
    assertThat(store.fetches("gone")).isEqualTo(2);
    assertThat(store.fetches("good")).isEqualTo(1);
    assertThat(entries()).hasSize(4);
  }

  @Test
  void anEntryOfBeforeIsFetchedAgainWhenThereIsSomethingNewer() throws Exception {
    start(1000);
    store.has("a", 100);
    fetch("a");
    start(1000);
    store.describeFailure = "no server";
    fetch("a");
    assertThat(store.fetches("a")).as("nobody knows better").isEqualTo(1);
    store.describeFailure = null;
    store.version = "2";
    fetch("a");
    assertThat(store.fetches("a")).as("while the agent runs it stays").isEqualTo(1);
    start(1000);
    assertThat(stderr(fetch("a"))).contains("is not what there is now");
    assertThat(store.fetches("a")).isEqualTo(2);
    assertThat(entries()).hasSize(1);
    start(1000);
    store.has("a", 101);
    fetch("a");
    assertThat(store.fetches("a")).isEqualTo(3);
  }

  @Test
  void whatAKilledAgentLeftIsNotTakenForWhole() throws Exception {
    start(1000);
    store.has("a", 100);
    store.has("b", 100);
    fetch("a");
    fetcher.close();
    fetcher = null;
    Path part = Files.createDirectories(cache().resolve(".part/0/attempt-1"));
    Files.writeString(part.resolve("fetched"), "half");
    // Killed between the file and its record, and while that was written.
    Files.writeString(cache().resolve(OWN).resolve("c9-b"), "half");
    Files.writeString(cache().resolve(".index/9.part"), "key=");
    Files.writeString(cache().resolve(".index/10"), "");
    start(1000);
    assertNothingUnfinished();
    assertThat(entries()).hasSize(1);
    assertThat(cache().resolve(".index").toFile().list()).containsExactly("1");
    fetch("a", "b");
    assertThat(store.fetches("a")).isEqualTo(1);
    assertThat(store.fetches("b")).isEqualTo(1);
  }

  @Test
  void theOldestThatNobodyRefersToGiveWay() throws Exception {
    start(300);
    for (String name : List.of("a", "b", "c", "d", "e")) {
      store.has(name, 100);
    }
    fetch("a", "b", "c", "a");
    fetch("d");
    fetch("a", "c");
    assertThat(store.fetches("a")).isEqualTo(1);
    assertThat(store.fetches("c")).isEqualTo(1);
    assertThat(entries()).hasSize(3);
    // Which is the oldest is known after a restart, too: d.
    start(300);
    fetch("e");
    fetch("a", "c");
    assertThat(store.fetches("a")).isEqualTo(1);
    assertThat(store.fetches("c")).isEqualTo(1);
    fetch("d");
    assertThat(store.fetches("d")).isEqualTo(2);
    // A smaller cache keeps the youngest.
    start(150);
    assertThat(entries()).hasSize(1);
    fetch("d");
    assertThat(store.fetches("d")).isEqualTo(2);
  }

  @Test
  void whatHasNoRoomIsFetchedPastTheCache() throws Exception {
    start(100);
    store.has("large", 101);
    assertThat(stderr(fetch("large"))).contains("no room for its 101 bytes");
    store.has("a", 60);
    store.has("b", 60);
    store.gate = new CountDownLatch(1);
    Path sandbox = sandbox();
    Fetch first = begin(sandbox, "a");
    Await.until("a is fetched", () -> store.fetches("a") == 1);
    CountDownLatch gate = store.gate;
    store.gate = new CountDownLatch(0);
    // Nobody's download gives way.
    fetch("b");
    gate.countDown();
    await(first);
    assertThat(entries()).hasSize(1);
    assertThat(entries().get(0).getFileName()).hasToString("c1-a");
    store.sized = false;
    store.has("unknown", 10);
    fetch("unknown");
    assertThat(stderr(fetch("unknown"))).contains("Its size is not known");
    assertThat(store.fetches("unknown")).isEqualTo(2);
    store.sized = true;
    store.has("empty", 0);
    fetch("empty");
    assertThat(entries()).hasSize(1);
    assertNothingUnfinished();
  }

  @Test
  void whatIsLargerThanItWasSaidToBeLeavesTheCache() throws Exception {
    start(1000);
    store.has("a", 100);
    store.more = 1;
    Path sandbox = sandbox();
    await(begin(sandbox, "a"));
    assertThat(Files.size(sandbox.resolve("a"))).isEqualTo(101);
    assertThat(entries()).isEmpty();
    assertThat(cache().resolve(".index")).isEmptyDirectory();
    // And one that is smaller counts with what it has.
    store.more = -40;
    for (String name : List.of("b", "c")) {
      store.has(name, 500);
      await(begin(sandbox, name));
    }
    store.more = 0;
    store.has("d", 80);
    fetch("d");
    assertThat(entries()).hasSize(3);
  }

  @Test
  void aFailureIsEverybodysAndLeavesNothing() throws Exception {
    start(1000);
    store.has("a", 100);
    store.gate = new CountDownLatch(1);
    List<Fetch> all = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      all.add(begin(sandbox(), "missing"));
    }
    for (Fetch fetch : all) {
      assertThatThrownBy(() -> await(fetch))
          .hasMessageContaining("Failed to fetch 'store:///missing'")
          .hasMessageContaining("there is nothing like it");
    }
    store.gate.countDown();
    store.has("missing", 10);
    fetch("missing");
    assertThat(entries()).hasSize(1);
    assertNothingUnfinished();
  }

  @Test
  void aDownloadEndsWhenTheLastWhoWaitsIsGone() throws Exception {
    start(1000);
    store.has("a", 100);
    store.gate = new CountDownLatch(1);
    Fetch first = begin(sandbox(), "a");
    Await.until("it is fetched", () -> store.fetches("a") == 1);
    Fetch second = begin(sandbox(), "a");
    Fetch third = begin(sandbox(), "a");
    Await.until("all wait for it", () -> fetcher.waiting() == 3);
    first.cancel();
    assertThatThrownBy(() -> await(first)).hasMessageContaining("destroyed");
    second.cancel();
    assertThatThrownBy(() -> await(second)).hasMessageContaining("destroyed");
    assertThat(store.interrupted).hasValue(0);
    third.cancel();
    assertThatThrownBy(() -> await(third)).hasMessageContaining("destroyed");
    Await.until("the download ended", () -> store.interrupted.get() == 1);
    store.gate.countDown();
    fetch("a");
    assertThat(store.fetches("a")).isEqualTo(2);
    assertThat(entries()).hasSize(1);
    assertNothingUnfinished();
  }

  @Test
  void anEntryIsNamedAfterItsUriWhateverTheTaskCallsIt() throws Exception {
    start(1000);
    store.has("tool", 100);
    CommandInfo.URI uri =
        CommandInfo.URI
            .newBuilder()
            .setValue("store:///tool?key=secret")
            .setCache(true)
            .setOutputFile("d/data")
            .build();
    Path sandbox = sandbox();
    await(fetcher.begin(List.of(uri), sandbox, Optional.empty()));
    assertThat(sandbox.resolve("d/data")).hasSize(100);
    assertThat(entries()).containsExactly(cache().resolve(OWN).resolve("c1-tool"));
  }

  @Test
  void whatVanishedIsFetchedAgain() throws Exception {
    start(1000);
    store.has("a", 100);
    fetch("a");
    Files.delete(entries().get(0));
    fetch("a");
    assertThat(store.fetches("a")).isEqualTo(2);
    assertThat(cache().resolve(".index").toFile().list()).hasSize(1);
  }

  @Test
  void aFolderOfSomethingElseIsRefusedAndOneOfAnotherAgent() throws Exception {
    Path own = Files.createDirectory(folder.resolve("own"));
    Path precious = Files.writeString(own.resolve("precious"), "precious");
    assertThatThrownBy(() -> start(1000, false, Optional.of(own)))
        .hasMessageContaining("--fetcher_cache_dir=" + own)
        .hasMessageContaining("something else than a cache");
    assertThat(precious).hasContent("precious");
    Path shared = folder.resolve("shared");
    start(1000, true, Optional.of(shared));
    UriFetcher holder = fetcher;
    fetcher = null;
    try {
      assertThatThrownBy(() -> start(1000, true, Optional.of(shared)))
          .hasMessageContaining("is used by process")
          .hasMessageContaining("give each agent its own");
    } finally {
      holder.close();
    }
    start(1000, true, Optional.of(shared));
    store.has("a", 10);
    fetch("a");
    assertThat(shared.resolve(OWN).resolve("c1-a")).exists();
  }

  /** Needs root: the tasks of another agent have its own rights. */
  @Test
  void eachUserHasEntriesOfHisOwn() throws Exception {
    assumeTrue("root".equals(OWN), "only root can switch users");
    Path open = Files.createTempDirectory(Path.of("/tmp"), "mezzo-fetch");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
    TaskUser nobody =
        new TaskUser(
            "nobody",
            65534,
            65534,
            List.of("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"));
    start(1000);
    store.has("a", 100);
    fetch("a");
    Path secret = Files.writeString(open.resolve("secret"), "secret");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
    CommandInfo.URI local =
        CommandInfo.URI.newBuilder().setValue(secret.toString()).setCache(true).build();
    Path sandbox = Files.createDirectory(open.resolve("sandbox"));
    Files.setAttribute(sandbox, "unix:uid", 65534);
    try {
      await(fetcher.begin(List.of(local), sandbox(), Optional.empty()));
      // That root has it in the cache is of no use to others.
      assertThatThrownBy(() -> await(fetcher.begin(List.of(local), sandbox, Optional.of(nobody))))
          .hasMessageContaining("may not read");
      Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r--r--"));
      await(fetcher.begin(List.of(local, uri("a")), sandbox, Optional.of(nobody)));
    } finally {
      org.mezzo.files.TreeDeletion.delete(open);
    }
    assertThat(store.fetches("a")).isEqualTo(2);
    assertThat(cache().resolve("nobody").toFile().list()).hasSize(2);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(cache())))
        .isEqualTo("rwx------");
  }

  /** Whatever happens at once, what counts as used is what lies there. */
  @Test
  void theSumsHoldUnderLoad() throws Exception {
    start(1000);
    Random random = new Random(7);
    for (int i = 0; i < 12; i++) {
      store.has("f" + i, 50 + random.nextInt(300));
    }
    List<Fetch> all = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      Fetch fetch = begin(sandbox(), "f" + random.nextInt(13), "f" + random.nextInt(12));
      all.add(fetch);
      if (random.nextInt(4) == 0) {
        all.get(random.nextInt(all.size())).cancel();
      }
    }
    int complete = 0;
    for (Fetch fetch : all) {
      try {
        await(fetch);
        complete++;
      } catch (org.mezzo.containerizer.LaunchException e) {
        assertThat(e.getMessage())
            .containsAnyOf("destroyed while", "f12': there is nothing like it");
      }
    }
    assertThat(complete).isPositive();
    assertNothingUnfinished();
    FetchCache table = fetcher.cache().orElseThrow();
    Await.until(
        "sums agree",
        () -> {
          long bytes = 0;
          for (Path file : entries()) {
            bytes +=
                Files.readAttributes(
                        file,
                        java.nio.file.attribute.BasicFileAttributes.class,
                        LinkOption.NOFOLLOW_LINKS)
                    .size();
          }
          return bytes == table.usedBytes()
              && table.size() == entries().size()
              && cache().resolve(".index").toFile().list().length == table.size();
        });
    assertThat(table.usedBytes()).isLessThanOrEqualTo(1000);
  }
}
