package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.Metrics;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLease.Terms;
import org.mezzo.protocol.v1.CommandInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the URIs of commands into sandboxes (rules 320-327), on threads that do nothing else.
 * Transfer is the work of fetcher modules; which URIs are refused, names, extraction and
 * permissions are decided here.
 *
 * <p>What a module fetches goes into a folder closed to others, and from there to its place. When
 * the agent is root and the task is not, nothing of a sandbox is written and no file of the machine
 * is read as root: a task gets no file that its user may not read, and links that an archive or
 * another task of that user plants lead nowhere its user could not go. Local files are copied
 * without a module then.
 */
public final class UriFetcher implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UriFetcher.class);

  /** So many fetches run at a time; the others wait in line. */
  static final int AT_A_TIME = 32;

  private static final int MOST_WAITING = 100_000;

  /** A fetch may take so many stall timeouts to notice by itself that nothing comes. */
  private static final int STALLS = 2;

  private static final Duration LONGEST_PROGRAM = Duration.ofDays(1);
  private static final Duration SHORT_CALL = Duration.ofSeconds(10);

  /** So long one that was not used yet may take to open before another one is asked. */
  private static final Duration OPENING = Duration.ofSeconds(1);

  private static final Set<String> TAR_SUFFIXES =
      Set.of(".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz");

  /** Exit statuses of the scripts below that tell what went wrong. */
  private static final int NO_FILE = 43;

  private static final int NOT_READABLE = 44;
  private static final int LEADS_OUT = 45;

  /** What unzip says when it unpacked everything and had something to remark. */
  private static final int UNZIP_WARNED = 1;

  /**
   * Enters the folder $1, which must be below $2 in truth, and writes what it reads to $3 there;
   * whatever links are made meanwhile, it stays in that folder.
   */
  private static final String WRITE =
      "cd -- \"$1\" || exit 1; case \"$(pwd -P)/\" in \"$2\"/*) ;; *) exit "
          + LEADS_OUT
          + ";; esac; rm -f -- \"./$3\"; set -C; cat >\"./$3\" || exit 1;"
          + " [ \"$4\" != x ] || exec chmod 755 \"./$3\"";

  private static final String COPY_FILE =
      "[ -r \"$5\" ] || exit "
          + NOT_READABLE
          + "; [ -f \"$5\" ] || exit "
          + NO_FILE
          + "; exec <\"$5\"; "
          + WRITE;

  private static final String GUNZIP = "rm -f -- \"$2\"; set -C; exec gzip -d -c -- \"$1\" >\"$2\"";

  private final ContainerizerHost host;
  private final ContainerizerOptions options;
  private final Executor events;
  private final Path staging;
  private final ThreadPoolExecutor lane;
  private final Commands commands;
  private final Map<String, ModuleLease<Fetcher>> leases = new ConcurrentHashMap<>();

  /**
   * Forgets what an earlier process of this agent did not finish.
   *
   * @param events where replies of modules arrive
   */
  public UriFetcher(ContainerizerHost host, ContainerizerOptions options, Executor events)
      throws IOException {
    this.host = host;
    this.options = options;
    this.events = events;
    this.staging = host.agent().workDir().resolve("fetching");
    try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(staging)) {
      for (Path file : unfinished) {
        Files.deleteIfExists(file);
      }
    } catch (NoSuchFileException e) {
      // Nothing was fetched here yet.
    }
    String name = host.agent().daemon();
    lane =
        new ThreadPoolExecutor(
            AT_A_TIME,
            AT_A_TIME,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MOST_WAITING),
            threads(name + "-fetching-"));
    lane.allowCoreThreadTimeOut(true);
    commands = new Commands(LONGEST_PROGRAM, threads(name + "-fetching-output-"));
    Metrics metrics = host.agent().metrics();
    metrics.gauge("containerizer/fetches_active", lane::getActiveCount);
    metrics.gauge("containerizer/fetch_queue_length", () -> lane.getQueue().size());
  }

  private static ThreadFactory threads(String prefix) {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, prefix + count.incrementAndGet());
      thread.setDaemon(true);
      thread.setContextClassLoader(null);
      return thread;
    };
  }

  /**
   * Begins to fetch everything a command asks for; returns at once.
   *
   * @param user whose rights count and whom the files belong to; empty for the agent's own
   * @return fails when something is refused or cannot be fetched; the sandbox's stderr says more
   */
  public Fetch begin(List<CommandInfo.URI> uris, Path sandbox, Optional<TaskUser> user)
      throws LaunchException {
    Fetch fetch = new Fetch(() -> fetch(uris, sandbox, user), lane);
    try {
      fetch.begin();
    } catch (RejectedExecutionException e) {
      throw new LaunchException("Too many fetches are waiting on this agent", e);
    }
    return fetch;
  }

  /** Fetches; blocks. */
  void fetch(List<CommandInfo.URI> uris, Path sandbox, Optional<TaskUser> user)
      throws LaunchException, InterruptedException {
    List<Item> items = new ArrayList<>();
    for (CommandInfo.URI uri : uris) {
      items.add(Item.of(uri, sandbox, options.frameworksHome()));
    }
    try (FetchLog log = FetchLog.open(sandbox, items)) {
      for (Item item : items) {
        log.tell("Fetching URI '" + item.shown() + "' into '" + item.target() + "'");
        try {
          if (user.isPresent()) {
            transferAs(user.get(), item, sandbox, log);
          } else {
            Path staged = staged();
            try {
              transfer(item, staged, log);
              Placement.move(staged, sandbox, item.target(), item.executable());
            } finally {
              Files.deleteIfExists(staged);
            }
          }
          if (!item.executable() && item.extract()) {
            extract(user, item.target(), sandbox, log);
          }
        } catch (IOException e) {
          String message =
              "Failed to fetch '"
                  + item.shown()
                  + "': "
                  + log.masked(String.valueOf(e.getMessage()));
          log.tell(message);
          throw new LaunchException(message, e);
        }
      }
    }
  }

  private Path staged() throws IOException {
    Files.createDirectories(
        staging,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    return staging.resolve(UUID.randomUUID().toString());
  }

  private void transferAs(TaskUser user, Item item, Path sandbox, FetchLog log)
      throws IOException, InterruptedException {
    Optional<TaskUser> as = Optional.of(user);
    Path folder = item.target().getParent();
    if (!folder.equals(sandbox)) {
      check("mkdir", commands.run(as, log, null, "mkdir", "-p", "--", folder.toString()));
    }
    List<String> write =
        List.of(
            "sh",
            folder.toString(),
            sandbox.toRealPath().toString(),
            item.target().getFileName().toString(),
            item.executable() ? "x" : "");
    if (item.scheme().equals("file")) {
      String source = Path.of(item.uri()).toString();
      List<String> copy = new ArrayList<>(List.of("sh", "-c", COPY_FILE));
      copy.addAll(write);
      copy.add(source);
      int status = commands.run(as, log, null, copy.toArray(String[]::new));
      if (status == NOT_READABLE) {
        throw new IOException(
            "the task's user '"
                + user.name()
                + "' may not read '"
                + source
                + "', or it does not"
                + " exist on this agent's machine; make it readable for that user, or run the task"
                + " as one that may read it");
      }
      if (status == NO_FILE) {
        throw new IOException(
            "'" + source + "' is not a file; name a file, for example an archive");
      }
      checkCopied(item, status);
      return;
    }
    Path staged = staged();
    try {
      transfer(item, staged, log);
      List<String> take = new ArrayList<>(List.of("sh", "-c", WRITE));
      take.addAll(write);
      checkCopied(item, commands.run(as, log, staged, take.toArray(String[]::new)));
    } finally {
      Files.deleteIfExists(staged);
    }
  }

  private static void checkCopied(Item item, int status) throws IOException {
    if (status == LEADS_OUT) {
      throw Placement.leadsOut(item.target());
    }
    check("copying the file", status);
  }

  /**
   * Fetches; once more if the module was swapped meanwhile, with its successor. Each attempt has a
   * file of its own, because the first may still be at work on its one.
   */
  private void transfer(Item item, Path target, FetchLog log)
      throws IOException, InterruptedException {
    Path first = target.resolveSibling(target.getFileName() + ".1");
    Path second = target.resolveSibling(target.getFileName() + ".2");
    Path fetched = first;
    try {
      try {
        transferOnce(item, first, log);
      } catch (IOException e) {
        if (!(e.getCause() instanceof ModuleException module)
            || module.kind() != ModuleException.Kind.STALE
                && module.kind() != ModuleException.Kind.ABSENT) {
          throw e;
        }
        log.tell("The fetcher was replaced (" + e.getMessage() + "); trying its successor");
        fetched = second;
        transferOnce(item, second, log);
      }
      if (!Files.isRegularFile(fetched, LinkOption.NOFOLLOW_LINKS)) {
        throw new IOException("the fetcher module made no file");
      }
      Files.move(fetched, target);
    } finally {
      Files.deleteIfExists(first);
      Files.deleteIfExists(second);
    }
  }

  private void transferOnce(Item item, Path target, FetchLog log)
      throws IOException, InterruptedException {
    ModuleLease<Fetcher> lease = server(item.scheme());
    Fetcher.Request request =
        Fetcher.Request.of(item.uri(), target, options.fetcherStallTimeout(), log::tell);
    AtomicBoolean unwanted = new AtomicBoolean();
    boolean fetched = false;
    try {
      awaitFetch(
          lease.tell(
              "fetch",
              fetcher -> {
                try {
                  fetcher.fetch(request);
                } finally {
                  // Whoever asked is gone, and looked for the file before it was there.
                  if (unwanted.get()) {
                    Files.deleteIfExists(target);
                  }
                }
              }),
          target);
      fetched = true;
    } finally {
      unwanted.set(!fetched);
    }
  }

  /**
   * The fetcher that serves a scheme. Those that hold their lease are asked first; one that does
   * not open in time, or does not say what it serves, is passed over.
   */
  private ModuleLease<Fetcher> server(String scheme) throws IOException, InterruptedException {
    Map<String, ModuleLease<Fetcher>> left = new TreeMap<>();
    long begin = System.nanoTime();
    Duration opening = Duration.ZERO;
    for (ModuleDescription module : host.modules().leases().modules()) {
      if (module.kind().equals(Fetcher.KIND)) {
        opening = leases.containsKey(module.name()) ? opening : OPENING;
        left.put(module.name(), leases.computeIfAbsent(module.name(), this::lease));
      }
    }
    StringBuilder failures = new StringBuilder();
    while (!left.isEmpty()) {
      long passed = System.nanoTime() - begin;
      boolean late = passed >= SHORT_CALL.toNanos();
      // The first by name, or else, once new ones had time to open, the first that is there.
      Optional<String> present =
          left.keySet().stream()
              .limit(passed < opening.toNanos() ? 1 : left.size())
              .filter(name -> left.get(name).epoch() != 0)
              .findFirst();
      if (present.isEmpty()) {
        if (late) {
          break;
        }
        Thread.sleep(5);
        continue;
      }
      ModuleLease<Fetcher> lease = left.get(present.get());
      try {
        if (schemes(lease).contains(scheme)) {
          return lease;
        }
        left.remove(present.get());
      } catch (IOException e) {
        if (late || !ModuleException.isDeparture(e)) {
          LOG.warn("Fetcher '{}' is passed over: {}", present.get(), e.getMessage());
          failures.append("; '").append(present.get()).append("' failed: ").append(e.getMessage());
          left.remove(present.get());
        }
      }
    }
    throw new IOException(
        "No fetcher module serves '"
            + scheme
            + "'; install one (modules of kind 'fetcher')"
            + failures);
  }

  /** The set is the module's code, which runs on its thread. */
  private static Set<String> schemes(ModuleLease<Fetcher> lease)
      throws IOException, InterruptedException {
    return await(
        lease.ask(
            Terms.of("schemes").within(SHORT_CALL), fetcher -> Set.copyOf(fetcher.schemes())));
  }

  private ModuleLease<Fetcher> lease(String name) {
    return host.modules().lease(Kinds.FETCHER, name, events);
  }

  /**
   * Waits for a fetch as long as its file grows; one that has stopped, and does not give up by
   * itself, is taken back.
   */
  private void awaitFetch(CompletionStage<Void> stage, Path target)
      throws IOException, InterruptedException {
    CompletableFuture<Void> reply = stage.toCompletableFuture();
    Duration limit = options.fetcherStallTimeout().multipliedBy(STALLS);
    long size = -1;
    try {
      while (true) {
        try {
          reply.get(limit.toNanos(), TimeUnit.NANOSECONDS);
          return;
        } catch (TimeoutException e) {
          long now = size(target);
          if (now == size) {
            throw new IOException("no byte came for " + limit.toSeconds() + " s", e);
          }
          size = now;
        } catch (ExecutionException e) {
          throw failure(e);
        }
      }
    } finally {
      reply.cancel(true);
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      return -1;
    }
  }

  /** Waits for a module; who does not wait any longer takes the call back. */
  private static <R> R await(CompletionStage<R> stage) throws IOException, InterruptedException {
    CompletableFuture<R> reply = stage.toCompletableFuture();
    try {
      return reply.get();
    } catch (ExecutionException e) {
      throw failure(e);
    } finally {
      reply.cancel(true);
    }
  }

  private static IOException failure(ExecutionException e) {
    Throwable cause = e.getCause();
    while (cause.getCause() != null
        && (cause instanceof ModuleException || cause instanceof UncheckedIOException)) {
      cause = cause.getCause();
    }
    return new IOException(
        cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
  }

  /** Unpacks into the sandbox itself, wherever in it the archive is (rule 324). */
  private void extract(Optional<TaskUser> user, Path file, Path sandbox, FetchLog log)
      throws IOException, InterruptedException {
    String name = file.getFileName().toString();
    String root = sandbox.toString();
    if (TAR_SUFFIXES.stream().anyMatch(name::endsWith)) {
      // With -o the members belong to whoever unpacks, root as well (rule 327).
      check("tar", commands.run(user, log, null, "tar", "-C", root, "-x", "-o", "-f", "" + file));
    } else if (name.endsWith(".zip")) {
      int status = commands.run(user, log, null, "unzip", "-o", "-q", "-d", root, "" + file);
      check("unzip", status == UNZIP_WARNED ? 0 : status);
    } else if (name.endsWith(".gz") && name.length() > 3) {
      String output = sandbox.resolve(name.substring(0, name.length() - 3)).toString();
      check("gzip", commands.run(user, log, null, "sh", "-c", GUNZIP, "sh", "" + file, output));
    }
  }

  private static void check(String what, int status) throws IOException {
    if (status != 0) {
      throw new IOException(what + " ended with status " + status + "; see the sandbox's stderr");
    }
  }

  @Override
  public void close() {
    lane.shutdownNow();
    commands.close();
    leases.values().forEach(ModuleLease::close);
  }
}
