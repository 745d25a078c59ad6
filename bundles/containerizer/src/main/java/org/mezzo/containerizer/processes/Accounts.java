package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
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
    if (!root()) {
      if (!user.get().equals(System.getProperty("user.name"))
          && warned.compareAndSet(false, true)) {
        LOG.warn(
            "Tasks run as '{}', not as '{}': only root can switch users",
            System.getProperty("user.name"),
            user.get());
      }
      return Optional.empty();
    }
    Account account = lookUp(user.get());
    if (account.uid() == 0 && !rootAllowed) {
      throw new LaunchException(
          "User '"
              + user.get()
              + "' is root on this agent, which the master's --no-root_submissions does not allow;"
              + " name another user");
    }
    if (account.uid() == ownUid) {
      return Optional.empty();
    }
    if (tools.setpriv().isEmpty()) {
      throw new LaunchException(
          "Cannot run as '" + user.get() + "': setpriv of util-linux is not installed");
    }
    return Optional.of(account);
  }

  private Account lookUp(String user) throws LaunchException {
    Known found = known.get(user);
    if (found == null || !found.fresh(System.currentTimeMillis())) {
      found = ask(user);
      if (known.size() > MOST_REMEMBERED) {
        known.clear();
      }
      known.put(user, found);
    }
    String problem = found.problem();
    return found.account().orElseThrow(() -> new LaunchException(problem));
  }

  private Known ask(String user) {
    String problem = "Failed to get user information for '" + user + "'";
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
