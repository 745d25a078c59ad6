package org.mezzo.master.scheduler;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells which users are root on the master's machine: by name, by number, or as another name of the
 * user id 0. The name service of the machine may be slow or hang, so it is asked on threads that do
 * nothing else, at most two; who does not get an answer in time goes on as if the user were not
 * root, for agents look again before anything runs. Safe for any thread.
 */
public final class RootAccounts {
  private static final Logger LOG = LoggerFactory.getLogger(RootAccounts.class);
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final Duration REMEMBERED = Duration.ofMinutes(1);
  private static final int MOST_REMEMBERED = 1000;
  private static final int THREADS = 2;
  private static final int MOST_WAITING = 64;

  /** Whether a name is one of the user id 0; may block. */
  @FunctionalInterface
  interface NameService {
    boolean root(String user) throws IOException;
  }

  private record Known(boolean root, long since) {}

  private final NameService names;
  private final Executor threads;
  private final Duration limit;
  private final Map<String, Known> known = new ConcurrentHashMap<>();

  /** Asks the name service of this machine. */
  public RootAccounts() {
    this(RootAccounts::machineKnows, threads(), LIMIT);
  }

  RootAccounts(NameService names, Executor threads, Duration limit) {
    this.names = names;
    this.threads = threads;
    this.limit = limit;
  }

  private static Executor threads() {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MOST_WAITING),
            task -> {
              Thread thread = new Thread(task, "master-root-accounts");
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /** The platform reads a number where no account has that name, as agents do. */
  private static boolean machineKnows(String user) throws IOException {
    UserPrincipalLookupService service = FileSystems.getDefault().getUserPrincipalLookupService();
    UserPrincipal root = service.lookupPrincipalByName("0");
    return service.lookupPrincipalByName(user).equals(root);
  }

  /** Those of some users that are root. Never fails, and is done within five seconds. */
  public CompletionStage<Set<String>> among(Collection<String> users) {
    Set<String> root = ConcurrentHashMap.newKeySet();
    CompletableFuture<?> all = CompletableFuture.completedFuture(null);
    for (String user : new HashSet<>(users)) {
      all =
          all.thenCombine(
              isRoot(user),
              (before, is) -> {
                if (is) {
                  root.add(user);
                }
                return null;
              });
    }
    return all.thenApply(done -> root);
  }

  private CompletableFuture<Boolean> isRoot(String user) {
    if (user.isEmpty() || user.equals("root")) {
      return CompletableFuture.completedFuture(!user.isEmpty());
    }
    Known before = known.get(user);
    if (before != null && System.nanoTime() - before.since() < REMEMBERED.toNanos()) {
      return CompletableFuture.completedFuture(before.root());
    }
    try {
      return CompletableFuture.supplyAsync(() -> ask(user), threads)
          .orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
          .exceptionally(
              failure -> {
                LOG.warn(
                    "Whether user '{}' is root cannot be told: the name service of this machine"
                        + " does not answer. Agents look again",
                    user);
                return false;
              });
    } catch (RejectedExecutionException e) {
      LOG.warn("Whether user '{}' is root is left to agents: too many ask at a time", user);
      return CompletableFuture.completedFuture(false);
    }
  }

  private boolean ask(String user) {
    boolean root;
    try {
      root = names.root(user);
    } catch (IOException e) {
      // Nobody here has that name; on an agent somebody may.
      root = false;
    }
    if (known.size() >= MOST_REMEMBERED) {
      known.clear();
    }
    known.put(user, new Known(root, System.nanoTime()));
    return root;
  }
}
