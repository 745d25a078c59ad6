package org.mezzo.isolator.cgroups;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.Metrics;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports each container that reached its memory limit, once. The kernel tells: in version 2 by
 * changes of a file, which Java can be told of, in version 1 by an {@code eventfd}, for which Java
 * needs the agent's launcher. So cgroups are looked at when there is news of them, every two
 * seconds for what news may have missed, and ten times a second where nobody listens or something
 * is about to happen. A look costs next to nothing: a read of a file that stays open, of which
 * nothing is made while it says what it said before. One thread looks at all containers of an
 * agent, and with version 2 another one listens.
 */
final class MemoryWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryWatch.class);
  private static final long PERIOD_MILLIS = 100;
  private static final int LATER_LOOKS = 10;
  private static final long MEGABYTE = 1024 * 1024;
  private static final String KILLS = "oom_kill";
  private static final String UNIFIED_EVENTS = "memory.events";

  /** The kernel says of version 1 that it is going to kill; it takes about as long as this. */
  private static final List<Long> KILLING_MILLIS = List.of(5L, 10L, 20L, 50L);

  /** And this at most, with much to kill on a machine with much to do. */
  private static final long SUSPECT_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** More than the file has that tells of kills. */
  private static final int EVENT_BYTES = 1024;

  /** More digits than a number has. */
  private static final int NUMBER_BYTES = 32;

  private static final long UNKNOWN = -1;

  private static final String REASON = "REASON_CONTAINER_LIMITATION_MEMORY";

  /** One container; its own lock is held from the look that finds a reason until it is told. */
  private static final class Watched {
    private final ControlGroup group;
    private final Sink<ContainerLimitation> sink;
    private final long killsBefore;
    private final OpenFile events;
    private final OpenFile usage;
    private byte[] harmless = {};
    private boolean told;
    private Optional<WatchKey> key = Optional.empty();

    /** Whether the launcher was asked to listen; of version 1 only. */
    private boolean asked;

    /** Whether there will be news when there is a reason to look. */
    private volatile boolean listened;

    /** Until when it is looked at often all the same; of {@link System#nanoTime}. */
    private volatile long suspectUntil = System.nanoTime();

    /** In bytes; {@link #UNKNOWN} after a change. */
    private volatile long limit = UNKNOWN;

    /** What used most when it used much; the kernel may leave nothing to look at. */
    private volatile Optional<ProcessMemory> largest = Optional.empty();

    Watched(ControlGroup group, Sink<ContainerLimitation> sink, long killsBefore) {
      this.group = group;
      this.sink = sink;
      this.killsBefore = killsBefore;
      events = new OpenFile(group.folder(), eventFile(group), EVENT_BYTES);
      usage = new OpenFile(group.folder(), usageFile(group), NUMBER_BYTES);
    }

    /** Whether it is to be looked at ten times a second. */
    boolean often() {
      return !listened || suspectUntil - System.nanoTime() > 0;
    }

    void suspect() {
      suspectUntil = System.nanoTime() + SUSPECT_NANOS;
    }

    /** Whether it reached its limit. */
    boolean reached() {
      int size = events.read();
      if (Arrays.equals(events.bytes, 0, size, harmless, 0, harmless.length)) {
        return false;
      }
      Map<String, Long> numbers =
          ControlGroup.numbersIn(new String(events.bytes, 0, size, StandardCharsets.ISO_8859_1));
      if (numbers.getOrDefault(KILLS, 0L) > killsBefore
          || !group.unified() && numbers.getOrDefault("under_oom", 0L) > 0) {
        return true;
      }
      harmless = Arrays.copyOf(events.bytes, size);
      return false;
    }

    /** What it uses now. */
    long used() {
      long used = usage.readNumber();
      if (used > 0 && limit == UNKNOWN) {
        limit =
            group
                .number(group.unified() ? "memory.max" : "memory.limit_in_bytes")
                .orElse(Long.MAX_VALUE);
      }
      return used;
    }

    /** Whether it uses more than half of what it may. */
    boolean usesMuch() {
      return used() > limit / 2;
    }

    void close() {
      events.close();
      usage.close();
    }
  }

  /** In bytes; what is unlimited is some very large number. */
  record Amounts(long used, long limit) {}

  private record ProcessMemory(long pid, String name, long bytes) {}

  /**
   * What listens to the kernel for cgroups of version 2; of {@link #timer}'s and its own thread.
   */
  private Optional<WatchService> changes = Optional.empty();

  private final Map<WatchKey, String> listenedFor = new ConcurrentHashMap<>();

  /** Something that is done once it can be. */
  interface Later {
    /** Whether it was done. */
    boolean tried() throws IOException;
  }

  private final Map<String, Watched> watched = new ConcurrentHashMap<>();

  /** What is tried about once a second, by container. */
  private final Map<String, Later> later = new ConcurrentHashMap<>();

  private int looks;
  private final String daemon;
  private final int looksBetween;
  private final ScheduledExecutorService timer;
  private volatile Sink<CgroupWatch> listeners = watch -> Sink.Receipt.RETIRED;

  /**
   * Begins.
   *
   * @param between looks at others in which one of which there would be news is left out
   */
  MemoryWatch(String daemon, int between, Metrics metrics) {
    this.daemon = daemon;
    looksBetween = between;
    timer = Executors.newSingleThreadScheduledExecutor(task -> thread("-memory-watch", task));
    timer.scheduleWithFixedDelay(this::look, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    metrics.gauge("containers", watched::size);
    metrics.gauge(
        "containers_polled", () -> watched.values().stream().filter(Watched::often).count());
  }

  private Thread thread(String name, Runnable task) {
    Thread thread = new Thread(task, daemon + name);
    thread.setDaemon(true);
    return thread;
  }

  /** Where to ask for somebody who listens to the kernel for cgroups of version 1. */
  void listeners(Sink<CgroupWatch> sink) {
    listeners = sink;
  }

  /**
   * Watches a container.
   *
   * @param allCounts whether it is to be reported what the kernel has killed up to now
   */
  void add(
      String containerId, ControlGroup group, Sink<ContainerLimitation> sink, boolean allCounts) {
    Watched entry = new Watched(group, sink, allCounts ? 0 : kills(group));
    Watched before = watched.put(containerId, entry);
    if (before != null) {
      synchronized (before) {
        before.close();
      }
    }
    listen(containerId, entry);
    // What happened before somebody listened.
    look(containerId);
  }

  private void listen(String containerId, Watched entry) {
    if (entry.group.unified()) {
      synchronized (entry) {
        // The kernel tells of changes of what is open.
        if (entry.events.read() > 0) {
          listenForChanges(containerId, entry);
        }
      }
    } else {
      ask(containerId, entry);
    }
  }

  private synchronized void listenForChanges(String containerId, Watched entry) {
    try {
      if (changes.isEmpty()) {
        WatchService service = FileSystems.getDefault().newWatchService();
        changes = Optional.of(service);
        thread("-memory-events", () -> hear(service)).start();
      }
      WatchKey key =
          entry.group.folder().register(changes.get(), StandardWatchEventKinds.ENTRY_MODIFY);
      listenedFor.put(key, containerId);
      entry.key = Optional.of(key);
      entry.listened = true;
    } catch (IOException | ClosedWatchServiceException e) {
      LOG.warn(
          "The kernel does not tell of changes in {}, at which is looked often instead: {}",
          entry.group.folder(),
          e.getMessage());
    }
  }

  private void hear(WatchService service) {
    try {
      for (; ; ) {
        WatchKey key = service.take();
        boolean changed = false;
        for (WatchEvent<?> event : key.pollEvents()) {
          changed |=
              event.kind() == StandardWatchEventKinds.OVERFLOW
                  || String.valueOf(event.context()).equals(UNIFIED_EVENTS);
        }
        String containerId = listenedFor.get(key);
        if (!key.reset()) {
          // The cgroup is gone.
          listenedFor.remove(key);
        }
        if (changed && containerId != null) {
          look(containerId);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ClosedWatchServiceException e) {
      LOG.debug("Nobody listens to the kernel any more");
    }
  }

  /** Once it is asked, {@link #listened} says what became of it. */
  private void ask(String containerId, Watched entry) {
    entry.asked =
        listeners.report(CgroupWatch.of(containerId, entry.group.folder())) != Sink.Receipt.FULL;
  }

  /** There will be news of a cgroup of version 1 from now on, or there will be none. */
  void listened(String containerId, boolean will) {
    Watched entry = watched.get(containerId);
    if (entry != null) {
      entry.listened = will;
      look(containerId);
    }
  }

  /** A cgroup of version 1 has no memory left: the kernel is about to kill something in it. */
  void exhausted(String containerId) {
    Watched entry = watched.get(containerId);
    if (entry == null) {
      return;
    }
    entry.suspect();
    remember(entry);
    look(containerId);
    try {
      for (long millis : KILLING_MILLIS) {
        timer.schedule(() -> look(containerId), millis, TimeUnit.MILLISECONDS);
      }
    } catch (RejectedExecutionException e) {
      LOG.debug("The watch is over", e);
    }
  }

  /**
   * What a container uses and may use; reads no more than a file that is open.
   *
   * @return empty where it is not watched, or is gone
   */
  Optional<Amounts> amounts(String containerId) {
    Watched entry = watched.get(containerId);
    if (entry == null) {
      return Optional.empty();
    }
    synchronized (entry) {
      long used = entry.used();
      return used > 0 ? Optional.of(new Amounts(used, entry.limit)) : Optional.empty();
    }
  }

  /** The limit of a container has changed. */
  void limited(String containerId) {
    Watched entry = watched.get(containerId);
    if (entry != null) {
      entry.limit = UNKNOWN;
    }
  }

  /**
   * The last look: a container that the kernel killed is reported before it is forgotten, and
   * before this returns, whoever found it.
   */
  void remove(String containerId) {
    look(containerId);
    Watched entry = watched.remove(containerId);
    if (entry != null) {
      synchronized (entry) {
        entry.close();
        entry.key.ifPresent(
            key -> {
              key.cancel();
              listenedFor.remove(key);
            });
      }
    }
    later.remove(containerId);
  }

  /** Has something tried now and then until it is done, in place of what was before. */
  void later(String containerId, Later one) {
    later.put(containerId, one);
  }

  private void look() {
    boolean all = ++looks % looksBetween == 0;
    watched.forEach(
        (containerId, entry) -> {
          if (all || entry.often()) {
            look(containerId);
          }
          if (all && !entry.asked && !entry.group.unified()) {
            ask(containerId, entry);
          }
        });
    if (looks % LATER_LOOKS == 0) {
      watched.values().forEach(MemoryWatch::remember);
      later.forEach(this::tryNow);
    }
  }

  private static void remember(Watched entry) {
    try {
      synchronized (entry) {
        if (entry.usesMuch()) {
          Optional<ProcessMemory> found = largest(entry.group);
          if (found.isPresent()) {
            entry.largest = found;
          }
        }
      }
    } catch (RuntimeException e) {
      LOG.debug("What uses most of {} is not known", entry.group, e);
    }
  }

  private void tryNow(String containerId, Later one) {
    try {
      if (one.tried()) {
        later.remove(containerId, one);
      }
    } catch (IOException | RuntimeException e) {
      LOG.warn("Cannot change the memory of container {}: {}", containerId, e.getMessage());
      later.remove(containerId, one);
    }
  }

  private void look(String containerId) {
    Watched entry = watched.get(containerId);
    if (entry == null) {
      return;
    }
    try {
      synchronized (entry) {
        if (!entry.told && entry.reached()) {
          // Otherwise the next look finds the same.
          entry.told = report(containerId, entry) == Sink.Receipt.TAKEN;
          entry.suspect();
        }
      }
    } catch (RuntimeException e) {
      LOG.error("Cannot look at the memory of container {}", containerId, e);
    }
  }

  private static String eventFile(ControlGroup group) {
    return group.unified() ? UNIFIED_EVENTS : "memory.oom_control";
  }

  private static String usageFile(ControlGroup group) {
    return group.unified() ? "memory.current" : "memory.usage_in_bytes";
  }

  private static long kills(ControlGroup group) {
    return group.numbers(eventFile(group)).getOrDefault(KILLS, 0L);
  }

  private static Sink.Receipt report(String containerId, Watched entry) {
    ControlGroup group = entry.group;
    boolean unified = group.unified();
    OptionalLong limit = group.number(unified ? "memory.max" : "memory.limit_in_bytes");
    OptionalLong used = group.number(usageFile(group));
    OptionalLong peak = group.number(unified ? "memory.peak" : "memory.max_usage_in_bytes");
    StringBuilder message = new StringBuilder("Memory limit exceeded: limit ");
    message.append(megabytes(limit)).append(", used ").append(megabytes(used));
    long kills = kills(group) - entry.killsBefore;
    if (kills > 0) {
      message.append(" after the kernel killed ").append(kills);
      message.append(kills == 1 ? " process" : " processes");
    }
    message.append(", peak ").append(megabytes(peak)).append('.');
    Optional<ProcessMemory> left = largest(group);
    left.or(() -> entry.largest)
        .ifPresent(
            process ->
                message
                    .append(
                        left.isEmpty()
                            ? " Largest process before: "
                            : kills > 0 ? " Largest process left: " : " Largest process: ")
                    .append(process.name)
                    .append(" (pid ")
                    .append(process.pid)
                    .append(") with ")
                    .append(megabytes(OptionalLong.of(process.bytes)))
                    .append('.'));
    message.append(" Raise the task's 'mem', or its memory limit, if it needs more.");
    return entry.sink.report(
        ContainerLimitation.of(
            containerId, resources(peak.orElse(used.orElse(0))), REASON, message.toString()));
  }

  private static Resources resources(long bytes) {
    try {
      return Resources.parse("mem:" + Math.max(1, bytes / MEGABYTE), "*");
    } catch (ResourceFormatException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String megabytes(OptionalLong bytes) {
    return bytes.isPresent() ? bytes.getAsLong() / MEGABYTE + " MB" : "unknown";
  }

  private static Optional<ProcessMemory> largest(ControlGroup group) {
    ProcessMemory largest = null;
    for (long pid : group.processes()) {
      String name = "?";
      long bytes = 0;
      String status = ControlGroup.text(Path.of("/proc", Long.toString(pid)), "status").orElse("");
      for (String line : status.split("\n")) {
        if (line.startsWith("Name:")) {
          name = line.substring(5).strip();
        } else if (line.startsWith("VmRSS:")) {
          bytes = Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
      if (largest == null || bytes > largest.bytes) {
        largest = new ProcessMemory(pid, name, bytes);
      }
    }
    return Optional.ofNullable(largest);
  }

  @Override
  public void close() {
    timer.shutdownNow();
    synchronized (this) {
      changes.ifPresent(MemoryWatch::close);
    }
    for (Watched entry : watched.values()) {
      synchronized (entry) {
        entry.close();
      }
    }
  }

  private static void close(WatchService service) {
    try {
      service.close();
    } catch (IOException e) {
      LOG.debug("Closing what listens to the kernel failed", e);
    }
  }
}
