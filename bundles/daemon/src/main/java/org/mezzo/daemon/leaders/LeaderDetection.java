package org.mezzo.daemon.leaders;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.mezzo.api.Metrics;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.Subscription;
import org.mezzo.protocol.v1.MasterInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the leading master that a module reports, from the start of a daemon to its end, whoever
 * leads meanwhile. The last one that could be believed stays until another is reported: also when
 * the module fails, is swapped or goes away.
 */
public final class LeaderDetection implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LeaderDetection.class);

  /** So many changes are followed at once within the window; then the newest waits. */
  static final int MOST_CHANGES = 10;

  static final Duration WINDOW = Duration.ofSeconds(10);

  /** Told of leaders, on the loop. */
  public interface Listener {
    /** Another master leads, or nobody does. Told once one of both is known. */
    void leader(Optional<MasterInfo> leader);

    /** The leader is the same, and more is known of it. */
    default void described(MasterInfo leader) {}
  }

  private final EventLoop loop;
  private final DaemonModules modules;
  private final Listener listener;
  private final Metrics.Counter ignored;
  private final Metrics.Counter delayed;

  /** Empty while no module is selected; guarded by this. */
  private Optional<ModuleLease<MasterDetector>> lease = Optional.empty();

  private volatile boolean closed;

  // For the loop only.

  private final Deque<Long> changes = new ArrayDeque<>();
  private boolean heard;
  private Optional<MasterInfo> told = Optional.empty();
  private Optional<MasterInfo> latest = Optional.empty();
  private String problem = "";
  private EventLoop.Timer later = () -> {};

  /**
   * Follows nobody before {@link #select}.
   *
   * @param prefix what the daemon's own metrics begin with, for example {@code slave}
   */
  public LeaderDetection(
      DaemonModules modules, EventLoop loop, Metrics metrics, String prefix, Listener listener) {
    this.modules = modules;
    this.loop = loop;
    this.listener = listener;
    ignored = metrics.counter(prefix + "/mezzo/leader_reports_ignored");
    delayed = metrics.counter(prefix + "/mezzo/leader_changes_delayed");
  }

  /**
   * Lets that module say who leads, from when it has opened; empty for none, which leaves the
   * leader that is known. Safe for any thread.
   */
  public synchronized void select(Optional<String> module) {
    if (closed) {
      return;
    }
    if (module.isEmpty()) {
      lease.ifPresent(ModuleLease::close);
      lease = Optional.empty();
    } else if (lease.isPresent()) {
      lease.get().select(module.get());
    } else {
      lease =
          Optional.of(
              modules
                  .leases()
                  .lease(
                      modules
                          .request(Kinds.MASTER_DETECTOR, module.get(), loop)
                          .subscribe(
                              Subscription.level(
                                  "leader",
                                  MasterDetector::detect,
                                  (leader, epoch) -> reported(leader)))));
    }
  }

  private void reported(Optional<MasterInfo> leader) {
    Optional<String> wrong = leader.flatMap(LeaderAddress::problem);
    if (wrong.isPresent()) {
      ignored.increment();
      if (!problem.equals(wrong.get())) {
        problem = wrong.get();
        LOG.warn(
            "A leading master that the detector reports is ignored: {}; {} stays",
            problem,
            told.map(it -> LeaderAddress.of(it).toString()).orElse("none"));
      }
      return;
    }
    problem = "";
    latest = leader;
    later.cancel();
    follow();
  }

  private void follow() {
    if (closed || isKnown()) {
      return;
    }
    long now = System.nanoTime();
    while (!changes.isEmpty() && now - changes.peek() >= WINDOW.toNanos()) {
      changes.remove();
    }
    if (changes.size() >= MOST_CHANGES) {
      delayed.increment();
      later =
          loop.schedule(
              Duration.ofNanos(WINDOW.toNanos() - (now - changes.element())), this::follow);
      return;
    }
    changes.add(now);
    heard = true;
    told = latest;
    listener.leader(told);
  }

  /** Whether the latest is who is known to lead; what else it says of itself is noted. */
  private boolean isKnown() {
    if (!heard || told.isPresent() != latest.isPresent()) {
      return false;
    }
    if (told.isEmpty()) {
      return true;
    }
    if (!LeaderAddress.isSame(told.get(), latest.get())) {
      return false;
    }
    // Without an id a report says less than what is known.
    if (!latest.get().getId().isEmpty() && !told.equals(latest)) {
      told = latest;
      listener.described(told.get());
    }
    return true;
  }

  @Override
  public synchronized void close() {
    closed = true;
    lease.ifPresent(ModuleLease::close);
    lease = Optional.empty();
  }
}
