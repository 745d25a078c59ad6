package org.mezzo.cli;

import java.time.Duration;
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
  private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(10);

  private final LeaderLocator locator;
  private final Optional<Coordination.Session> session;
  private final Optional<ExecutorService> events;

  private Masters(
      LeaderLocator locator,
      Optional<Coordination.Session> session,
      Optional<ExecutorService> events) {
    this.locator = locator;
    this.session = session;
    this.events = events;
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
      Coordination.Session session =
          Coordinations.create().zooKeeper(text, SESSION_TIMEOUT, events);
      session.detect(leader::set);
      return new Masters(LeaderLocator.of(leader::get), Optional.of(session), Optional.of(events));
    } catch (IllegalArgumentException e) {
      throw new FlagException("flag --master: " + e.getMessage());
    }
  }

  LeaderLocator locator() {
    return locator;
  }

  @Override
  public void close() {
    session.ifPresent(Coordination.Session::close);
    events.ifPresent(ExecutorService::shutdown);
  }
}
