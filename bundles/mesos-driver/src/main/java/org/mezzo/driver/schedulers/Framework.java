package org.mezzo.driver.schedulers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.mezzo.driver.wire.MessageReader;
import org.mezzo.driver.wire.MessageWriter;

/**
 * What a driver knows of its framework, to subscribe with it again: its info, its id once a master
 * has given one, and the roles it wants no offers for. Thread-safe.
 */
public final class Framework {
  private static final int USER = 1;
  private static final int ID = 3;
  private static final int ROLE = 6;
  private static final int HOSTNAME = 7;
  private static final int CAPABILITIES = 10;
  private static final int ROLES = 12;
  private static final int PARTITION_AWARE = 5;

  private byte[] info;
  private Optional<byte[]> id;
  private final Set<String> suppressed;

  /**
   * @param info an encoded {@code FrameworkInfo}
   * @param user for a framework that names none
   * @param hostname for a framework that names none
   * @throws IOException when the info is no message
   */
  public Framework(byte[] info, Collection<String> suppressedRoles, String user, String hostname)
      throws IOException {
    MessageReader read = new MessageReader(info);
    this.info = completed(read, info, user, hostname);
    this.id = read.bytes(ID);
    this.suppressed = new TreeSet<>(suppressedRoles);
  }

  private static byte[] completed(MessageReader read, byte[] info, String user, String hostname) {
    byte[] completed = info;
    if (read.text(USER).orElse("").isEmpty()) {
      completed = appended(completed, new MessageWriter().text(USER, user));
    }
    if (read.text(HOSTNAME).orElse("").isEmpty()) {
      completed = appended(completed, new MessageWriter().text(HOSTNAME, hostname));
    }
    return completed;
  }

  /** Of a field that is there twice the last one counts, so that setting one is appending it. */
  private static byte[] appended(byte[] message, MessageWriter fields) {
    byte[] more = fields.toBytes();
    byte[] all = new byte[message.length + more.length];
    System.arraycopy(message, 0, all, 0, message.length);
    System.arraycopy(more, 0, all, message.length, more.length);
    return all;
  }

  /** The call that subscribes it, with its id if it has one. */
  public synchronized byte[] subscribe() {
    return Calls.subscribe(id, withId(), suppressed);
  }

  private byte[] withId() {
    return id.map(it -> appended(info, new MessageWriter().bytes(ID, it))).orElse(info);
  }

  public synchronized void id(byte[] given) {
    id = Optional.of(given);
  }

  /** Its encoded id; none before a master has given one. */
  public synchronized Optional<byte[]> id() {
    return id;
  }

  /**
   * Takes another info, and the roles that go with it; comes back with the call that says so.
   *
   * @throws IOException when the info is no message
   */
  public synchronized byte[] update(
      byte[] changed, Collection<String> suppressedRoles, Optional<byte[]> constraints)
      throws IOException {
    MessageReader before = new MessageReader(info);
    info =
        completed(
            new MessageReader(changed),
            changed,
            before.text(USER).orElse(""),
            before.text(HOSTNAME).orElse(""));
    suppressed.clear();
    suppressed.addAll(suppressedRoles);
    return Calls.updateFramework(
        id.orElseThrow(() -> new IOException("the framework has no id yet")),
        withId(),
        suppressedRoles,
        constraints);
  }

  /**
   * @param roles all that it has when there are none
   */
  public synchronized void suppress(Collection<String> roles) {
    suppressed.addAll(roles.isEmpty() ? roles() : roles);
  }

  /**
   * @param roles all that it has when there are none
   */
  public synchronized void revive(Collection<String> roles) {
    if (roles.isEmpty()) {
      suppressed.clear();
    } else {
      suppressed.removeAll(roles);
    }
  }

  private Collection<String> roles() {
    List<String> roles = new ArrayList<>();
    MessageReader read = reader();
    for (byte[] role : read.all(ROLES)) {
      roles.add(new String(role, StandardCharsets.UTF_8));
    }
    if (roles.isEmpty()) {
      roles.add(read.text(ROLE).orElse("*"));
    }
    return roles;
  }

  /** Whether it can tell a task that never ran from one that may run. */
  public synchronized boolean partitionAware() {
    try {
      for (byte[] capability : reader().all(CAPABILITIES)) {
        if (new MessageReader(capability).number(1, 0) == PARTITION_AWARE) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      return false;
    }
  }

  private MessageReader reader() {
    try {
      return new MessageReader(info);
    } catch (IOException e) {
      throw new IllegalStateException("it was read before", e);
    }
  }
}
