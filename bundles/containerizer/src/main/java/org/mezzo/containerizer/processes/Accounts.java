package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.mezzo.containerizer.LaunchException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The account of the agent and those that containers run as. Safe for any thread. */
final class Accounts {
  private static final Logger LOG = LoggerFactory.getLogger(Accounts.class);
  private static final long REMEMBERED_MILLIS = 60_000;
  private static final long LOOK_UP_SECONDS = 10;

  /** An account of the host. */
  record Account(String name, long uid, long gid) {}

  private record Known(Account account, long since) {}

  private final SystemTools tools;
  private final boolean switchUser;
  private final long ownUid;
  private final Map<String, Known> known = new ConcurrentHashMap<>();
  private final AtomicBoolean warned = new AtomicBoolean();

  Accounts(SystemTools tools, boolean switchUser) throws IOException {
    this.tools = tools;
    this.switchUser = switchUser;
    this.ownUid = uid();
  }

  boolean root() {
    return ownUid == 0;
  }

  /**
   * The account to switch to; empty when the container runs as the agent itself.
   *
   * @throws LaunchException when there is no such account or it cannot be switched to
   */
  Optional<Account> target(Optional<String> user) throws LaunchException {
    if (user.isEmpty() || user.get().isEmpty() || !switchUser) {
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
    Known hit = known.get(user);
    long now = System.currentTimeMillis();
    if (hit != null && now - hit.since() < REMEMBERED_MILLIS) {
      return hit.account();
    }
    if (user.startsWith("-")) {
      throw new LaunchException("Failed to get user information for '" + user + "'");
    }
    Account account = new Account(user, id("-u", user), id("-g", user));
    if (known.size() > 1000) {
      known.clear();
    }
    known.put(user, new Known(account, now));
    return account;
  }

  private long id(String option, String user) throws LaunchException {
    try {
      Process process =
          new ProcessBuilder(List.of(tools.id().orElseThrow().toString(), option, user))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      try {
        process.getOutputStream().close();
        // A number fits into a pipe that nobody reads yet, and a name service may hang.
        if (process.waitFor(LOOK_UP_SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0) {
          byte[] answer = process.getInputStream().readNBytes(64);
          return Long.parseLong(new String(answer, StandardCharsets.US_ASCII).trim());
        }
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException | NumberFormatException | java.util.NoSuchElementException e) {
      throw new LaunchException("Failed to get user information for '" + user + "'", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new LaunchException("Failed to get user information for '" + user + "'");
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
