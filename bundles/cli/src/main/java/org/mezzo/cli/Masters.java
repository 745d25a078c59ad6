package org.mezzo.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import org.mezzo.client.LeaderLocator;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Coordinations;
import org.mezzo.flags.FlagException;
import org.mezzo.protocol.v1.MasterInfo;

/** The masters that {@code --master} names, by address or through ZooKeeper. */
final class Masters implements AutoCloseable {
  /** The variable that is asked for a master where no flag names one. */
  static final String VARIABLE = "MEZZO_MASTER";

  private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration LOOK = Duration.ofSeconds(15);

  private final LeaderLocator locator;
  private final Optional<Coordination.Election> session;
  private final Optional<ExecutorService> events;

  private Masters(
      LeaderLocator locator,
      Optional<Coordination.Election> session,
      Optional<ExecutorService> events) {
    this.locator = locator;
    this.session = session;
    this.events = events;
  }

  /** What names the masters: the flag, else the variable; an empty variable is none. */
  static Optional<String> given(String flag, Map<String, String> environment) {
    return Optional.ofNullable(flag)
        .or(() -> Optional.ofNullable(environment.get(VARIABLE)).filter(text -> !text.isBlank()));
  }

  /**
   * Begins to look.
   *
   * @param text {@code host:port}, several of them separated by commas, or {@code zk://...}
   */
  static Masters find(String text) throws FlagException {
    try {
      if (!text.startsWith("zk://")) {
        return new Masters(LeaderLocator.of(text), Optional.empty(), Optional.empty());
      }
      ExecutorService events =
          Executors.newSingleThreadExecutor(
              task -> {
                Thread thread = new Thread(task, "mezzo-detector");
                thread.setDaemon(true);
                return thread;
              });
      AtomicReference<Optional<MasterInfo>> leader = new AtomicReference<>(Optional.empty());
      Coordination.Election session =
          Coordinations.create().zooKeeper(text, SESSION_TIMEOUT, events);
      session.detect(leader::set);
      return new Masters(LeaderLocator.of(leader::get), Optional.of(session), Optional.of(events));
    } catch (IllegalArgumentException e) {
      throw new FlagException("flag --master (or " + VARIABLE + "): " + e.getMessage());
    }
  }

  LeaderLocator locator() {
    return locator;
  }

  /**
   * An address to ask first, {@code host:port}; waits for ZooKeeper to name one.
   *
   * @throws IOException when nobody leads
   */
  String address() throws IOException, InterruptedException {
    long end = System.nanoTime() + LOOK.toNanos();
    while (locator.candidates().isEmpty()) {
      if (System.nanoTime() > end) {
        throw new IOException("ZooKeeper names no leading master");
      }
      Thread.sleep(20);
    }
    return locator.candidates().get(0).getAuthority();
  }

  @Override
  public void close() {
    session.ifPresent(Coordination.Election::close);
    events.ifPresent(ExecutorService::shutdown);
  }
}
