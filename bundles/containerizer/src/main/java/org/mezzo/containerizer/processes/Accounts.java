package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.mezzo.containerizer.LaunchException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The account of the agent and those that containers run as. Safe for any thread. */
final class Accounts {
  private static final Logger LOG = LoggerFactory.getLogger(Accounts.class);
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final long REMEMBERED_MILLIS = 60_000;
  private static final long FAILURE_REMEMBERED_MILLIS = 5_000;
  private static final int MOST_REMEMBERED = 1000;
  private static final Duration WAIT = Duration.ofSeconds(30);
  private static final String TOO_MANY =
      ": too many questions wait for the name service of the agent's machine; see why it is slow";

  /**
   * An account of the host.
   *
   * @param groups all of its groups, {@code gid} among them
   */
  record Account(String name, long uid, long gid, List<Long> groups) {}

  /** What was found of a name: an account, or why there is none. */
  private record Known(Optional<Account> account, String problem, long since) {
    boolean fresh(long now) {
      return now - since < (account.isPresent() ? REMEMBERED_MILLIS : FAILURE_REMEMBERED_MILLIS);
    }
  }

  private final SystemTools tools;
  private final boolean switchUser;
  private final long ownUid;
  private final Duration limit;
  private final Map<String, Known> known = new ConcurrentHashMap<>();
  private final Map<String, CompletableFuture<Known>> learning = new ConcurrentHashMap<>();
  private final AtomicBoolean warned = new AtomicBoolean();

  Accounts(SystemTools tools, boolean switchUser) throws IOException {
    this(tools, switchUser, uid(), LIMIT);
  }

  Accounts(SystemTools tools, boolean switchUser, long ownUid, Duration limit) {
    this.tools = tools;
    this.switchUser = switchUser;
    this.ownUid = ownUid;
    this.limit = limit;
  }

  /** Whether containers may run as others than the agent. */
  boolean switching() {
    return switchUser && root();
  }

  boolean root() {
    return ownUid == 0;
  }

  /**
   * The account to switch to; empty when the container runs as the agent itself. Asks the name
   * service of the machine, for ten seconds at most, and is not for an event loop.
   *
   * @param rootAllowed whether it may be one with the user id 0, whatever its name
   * @throws LaunchException when there is no such account or it cannot be switched to
   */
  Optional<Account> target(Optional<String> user, boolean rootAllowed) throws LaunchException {
    if (!asked(user)) {
      return own(user, rootAllowed);
    }
    Known found = known.get(user.get());
    return judged(
        user.get(), found != null && found.fresh(now()) ? found : learn(user.get()), rootAllowed);
  }

  /**
   * The same, without waiting: one question is asked at a time for each user.
   *
   * @param lookups where the name service is asked
   * @return completes within half a minute, with a {@link LaunchException} where {@link #target}
   *     throws one
   */
  CompletableFuture<Optional<Account>> find(
      Optional<String> user, boolean rootAllowed, Executor lookups) {
    try {
      if (!asked(user)) {
        return CompletableFuture.completedFuture(own(user, rootAllowed));
      }
      String name = user.get();
      Known found = known.get(name);
      if (found != null && found.fresh(now())) {
        return CompletableFuture.completedFuture(judged(name, found, rootAllowed));
      }
      return learning(name, lookups)
          .copy()
          .completeOnTimeout(
              new Known(Optional.empty(), problem(name) + TOO_MANY, now()),
              WAIT.toMillis(),
              TimeUnit.MILLISECONDS)
          .thenCompose(
              learned -> {
                try {
                  return CompletableFuture.completedFuture(judged(name, learned, rootAllowed));
                } catch (LaunchException e) {
                  return CompletableFuture.failedFuture(e);
                }
              });
    } catch (LaunchException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private CompletableFuture<Known> learning(String name, Executor lookups) {
    CompletableFuture<Known> mine = new CompletableFuture<>();
    CompletableFuture<Known> before = learning.putIfAbsent(name, mine);
    if (before != null) {
      return before;
    }
    try {
      lookups.execute(
          () -> {
            try {
              mine.complete(learn(name));
            } catch (RuntimeException | Error e) {
              mine.completeExceptionally(e);
            } finally {
              learning.remove(name, mine);
            }
          });
    } catch (RejectedExecutionException e) {
      learning.remove(name, mine);
      mine.complete(new Known(Optional.empty(), problem(name) + TOO_MANY, now()));
    }
    return mine;
  }

  /** Whether the name service has a say. */
  private boolean asked(Optional<String> user) {
    return switchUser && root() && user.isPresent() && !user.get().isEmpty();
  }

  private Optional<Account> own(Optional<String> user, boolean rootAllowed) throws LaunchException {
    if (!switchUser) {
      return Optional.empty();
    }
    if (user.isEmpty() || user.get().isEmpty()) {
      if (root() && !rootAllowed) {
        throw new LaunchException(
            "Without a user the task would run as root, like this agent, which the master's"
                + " --no-root_submissions does not allow; give the framework or the command a"
                + " user");
      }
      return Optional.empty();
    }
    if (!user.get().equals(System.getProperty("user.name")) && warned.compareAndSet(false, true)) {
      LOG.warn(
          "Tasks run as '{}', not as '{}': only root can switch users",
          System.getProperty("user.name"),
          user.get());
    }
    return Optional.empty();
  }

  private Optional<Account> judged(String user, Known found, boolean rootAllowed)
      throws LaunchException {
    Account account = found.account().orElseThrow(() -> new LaunchException(found.problem()));
    if (account.uid() == 0 && !rootAllowed) {
      throw new LaunchException(
          "User '"
              + user
              + "' is root on this agent, which the master's --no-root_submissions does not allow;"
              + " name another user");
    }
    if (account.uid() == ownUid) {
      return Optional.empty();
    }
    if (tools.setpriv().isEmpty()) {
      throw new LaunchException(
          "Cannot run as '" + user + "': setpriv of util-linux is not installed");
    }
    return Optional.of(account);
  }

  private Known learn(String user) {
    Known found = ask(user);
    if (known.size() > MOST_REMEMBERED) {
      known.clear();
    }
    known.put(user, found);
    return found;
  }

  private static long now() {
    return System.currentTimeMillis();
  }

  private static String problem(String user) {
    return "Failed to get user information for '" + user + "'";
  }

  private Known ask(String user) {
    String problem = problem(user);
    try {
      if (user.startsWith("-") || tools.id().isEmpty()) {
        return new Known(Optional.empty(), problem, System.currentTimeMillis());
      }
      long end = System.nanoTime() + limit.toNanos();
      long uid = Long.parseLong(id("-u", user, end));
      long gid = Long.parseLong(id("-g", user, end));
      List<Long> groups =
          Stream.of(id("-G", user, end).split(" "))
              .filter(word -> !word.isEmpty())
              .map(Long::valueOf)
              .toList();
      return new Known(
          Optional.of(new Account(user, uid, gid, groups)), "", System.currentTimeMillis());
    } catch (TimeoutException e) {
      problem +=
          ": the name service of the agent's machine did not answer within "
              + limit.toSeconds()
              + " s";
    } catch (IOException | NumberFormatException e) {
      LOG.debug("No account '{}'", user, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return new Known(Optional.empty(), problem, System.currentTimeMillis());
  }

  /** One answer of {@code id}; what it prints fits into a pipe, so it ends without being read. */
  private String id(String option, String user, long endNanos)
      throws IOException, InterruptedException, TimeoutException {
    Process process =
        new ProcessBuilder(tools.id().orElseThrow().toString(), option, user)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      process.getOutputStream().close();
      if (!process.waitFor(endNanos - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw new TimeoutException();
      }
      if (process.exitValue() != 0) {
        throw new IOException("id " + option + " ended with status " + process.exitValue());
      }
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
    } finally {
      process.destroyForcibly();
    }
  }

  private static long uid() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("Uid:")) {
        return Long.parseLong(line.split("\\s+")[2]);
      }
    }
    throw new IOException("/proc/self/status does not tell the user id");
  }
}
