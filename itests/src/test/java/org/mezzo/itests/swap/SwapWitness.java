package org.mezzo.itests.swap;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToIntBiFunction;
import org.mezzo.itests.swap.modules.Witness;

/**
 * Told by the modules of a proof what is done to them. It makes calls last, and while a version is
 * swapped it lets the successor open only when a call has begun in the version before it and
 * another one waits, so that every swap meets both.
 */
final class SwapWitness implements Function<Object[], Object>, AutoCloseable {
  /** How long a call lasts. */
  private static final Duration CALL = Duration.ofMillis(5);

  /** How long a call that was held for a successor's opening goes on after it. */
  private static final Duration AFTERWARDS = Duration.ofMillis(10);

  /** How long a call that has begun is held for another one to wait behind it. */
  private static final Duration HELD = Duration.ofMillis(300);

  /** How long a successor may wait for calls of its predecessor; opening has 30 s. */
  private static final Duration PATIENCE = Duration.ofSeconds(25);

  /** A call in a module. */
  private record Begun(Lease lease, int version) {}

  /** What is known of the modules of one kind in one daemon. */
  private static final class Lease {
    final String kind;
    final String daemon;
    final Map<Integer, Integer> inside = new TreeMap<>();

    /** Calls of versions before this one are held. */
    int opening;

    int known;

    /** Instances that are alive, by version. */
    final Map<Integer, Integer> alive = new TreeMap<>();

    Lease(String kind, String daemon) {
      this.kind = kind;
      this.daemon = daemon;
    }

    int begunBefore(int version) {
      return inside.entrySet().stream()
          .filter(entry -> entry.getKey() < version)
          .mapToInt(Map.Entry::getValue)
          .sum();
    }
  }

  private final ToIntBiFunction<String, String> backlog;
  private final Map<String, Lease> leases = new TreeMap<>();
  private final Map<String, Integer> calls = new TreeMap<>();
  private final List<String> faults = new ArrayList<>();
  private String swapped = "";
  private int expected;
  private boolean queueing;
  private int met;
  private long heldNanos;
  private int serving;

  /**
   * Makes itself known to modules.
   *
   * @param backlog how many calls wait now, by kind and daemon
   */
  SwapWitness(ToIntBiFunction<String, String> backlog) {
    this.backlog = backlog;
    System.getProperties().put(Witness.PROPERTY, this);
  }

  /**
   * A version is about to take over.
   *
   * @param version the one that waits for calls of its predecessor when it is opened
   * @param mustQueue whether a call must wait besides one that has begun
   */
  synchronized void expect(String kind, int version, boolean mustQueue) {
    swapped = kind;
    expected = version;
    queueing = mustQueue;
    met = 0;
    heldNanos = 0;
  }

  /** For how long at most a call was held for the version that was expected last. */
  synchronized long heldNanos() {
    return heldNanos;
  }

  /**
   * That version has taken over from all before; calls of those are faults from now on.
   *
   * @return in how many daemons a call had begun and one waited when it was opened
   */
  synchronized int served(int version) {
    serving = version;
    return met;
  }

  /** Other modules are looked at next; those of before go on as they are. */
  synchronized void over() {
    swapped = "";
    serving = 0;
  }

  /** How many calls have begun in modules of a kind. */
  synchronized int calls(String kind) {
    return calls.getOrDefault(kind, 0);
  }

  /** How many calls of an operation have begun. */
  synchronized int calls(String kind, String operation) {
    return calls.getOrDefault(kind + " " + operation, 0);
  }

  /** How many calls have begun in a version. */
  synchronized int calls(String kind, int version) {
    return calls.getOrDefault(kind + " " + version, 0);
  }

  /** What must not have been. */
  synchronized List<String> faults(String kind) {
    return faults.stream().filter(fault -> fault.startsWith(kind + " ")).toList();
  }

  /** How much the modules of a kind say they know, in all daemons. */
  synchronized int known(String kind) {
    return leases.values().stream()
        .filter(lease -> lease.kind.equals(kind))
        .mapToInt(lease -> lease.known)
        .sum();
  }

  /** Whether in so many daemons an instance of that version is alive, and none of another. */
  synchronized boolean aloneAlive(String kind, int version, int daemons) {
    return leases.values().stream()
            .filter(lease -> lease.kind.equals(kind))
            .filter(lease -> lease.alive.equals(Map.of(version, 1)))
            .count()
        == daemons;
  }

  @Override
  public Object apply(Object[] words) {
    try {
      switch ((String) words[0]) {
        case "opening" -> opening(lease(words), (Integer) words[3]);
        case "begin" -> {
          return begin(lease(words), (Integer) words[3], (String) words[4]);
        }
        case "returning" -> returning((Begun) words[4]);
        case "end" -> end((Begun) words[4]);
        case "lives" -> lives(lease(words), (Integer) words[3], (Boolean) words[4]);
        case "knows" -> knows(lease(words), (Integer) words[4]);
        default -> fault(lease(words), (String) words[4]);
      }
      return "";
    } catch (InterruptedException e) {
      // A call that is taken back ends.
      Thread.currentThread().interrupt();
      return "";
    }
  }

  private synchronized Lease lease(Object[] words) {
    String kind = (String) words[1];
    String daemon = (String) words[2];
    return leases.computeIfAbsent(kind + " " + daemon, key -> new Lease(kind, daemon));
  }

  private void opening(Lease lease, int version) throws InterruptedException {
    synchronized (this) {
      if (!lease.kind.equals(swapped) || version != expected) {
        return;
      }
      lease.opening = version;
    }
    long end = System.nanoTime() + PATIENCE.toNanos();
    long heldSince = 0;
    boolean both = false;
    while (!both && System.nanoTime() < end) {
      int waiting = backlog.applyAsInt(lease.kind, lease.daemon);
      synchronized (this) {
        both = lease.begunBefore(version) > 0 && (!queueing || waiting > 0);
        long now = System.nanoTime();
        boolean begun = lease.begunBefore(version) > 0;
        heldSince = begun && heldSince == 0 ? now : heldSince;
        if (!both && heldSince != 0 && now - heldSince > HELD.toNanos()) {
          // Calls have deadlines: this one is let go, and the next one is held.
          lease.opening = 0;
          notifyAll();
          wait(20);
          lease.opening = version;
          heldSince = 0;
        } else if (!both) {
          wait(1);
        }
      }
    }
    synchronized (this) {
      if (both) {
        met++;
      }
      lease.opening = 0;
      notifyAll();
    }
  }

  private synchronized Object begin(Lease lease, int version, String operation) {
    calls.merge(lease.kind, 1, Integer::sum);
    calls.merge(lease.kind + " " + operation, 1, Integer::sum);
    calls.merge(lease.kind + " " + version, 1, Integer::sum);
    lease.inside.merge(version, 1, Integer::sum);
    if (lease.kind.equals(swapped) && version < serving) {
      fault(lease, operation + " went to version " + version + " after " + serving + " had it");
    }
    notifyAll();
    return new Begun(lease, version);
  }

  private void returning(Begun call) throws InterruptedException {
    TimeUnit.NANOSECONDS.sleep(CALL.toNanos());
    boolean held = false;
    long since = System.nanoTime();
    synchronized (this) {
      while (call.version < call.lease.opening) {
        held = true;
        wait();
      }
      if (held) {
        heldNanos = Math.max(heldNanos, System.nanoTime() - since + AFTERWARDS.toNanos());
      }
    }
    if (held) {
      TimeUnit.NANOSECONDS.sleep(AFTERWARDS.toNanos());
    }
  }

  private synchronized void end(Begun call) {
    call.lease.inside.merge(call.version, -1, Integer::sum);
    notifyAll();
  }

  private synchronized void knows(Lease lease, int things) {
    lease.known = things;
  }

  private synchronized void lives(Lease lease, int version, boolean now) {
    lease.alive.merge(version, now ? 1 : -1, Integer::sum);
    lease.alive.values().remove(0);
    if (lease.alive.isEmpty() && lease.kind.equals(swapped)) {
      fault(lease, "no instance was alive after the end of version " + version);
    }
  }

  private synchronized void fault(Lease lease, String what) {
    faults.add(lease.kind + " in " + lease.daemon + ": " + what);
  }

  @Override
  public void close() {
    System.getProperties().remove(Witness.PROPERTY);
  }
}
