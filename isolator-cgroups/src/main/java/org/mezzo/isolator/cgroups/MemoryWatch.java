package org.mezzo.isolator.cgroups;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at memory cgroups several times a second and reports each that reached its limit, once. The
 * kernel would notify, but only through files that Java cannot make (version 1) or watch (version
 * 2). So a look costs next to nothing: a read of a file that stays open, of which nothing is made
 * while it says what it said before. One thread for all containers of an agent.
 */
final class MemoryWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryWatch.class);
  private static final long PERIOD_MILLIS = 100;
  private static final int LATER_LOOKS = 10;
  private static final long MEGABYTE = 1024 * 1024;
  private static final String KILLS = "oom_kill";

  /** More than the file has that tells of kills. */
  private static final int EVENT_BYTES = 1024;

  private static final String REASON = "REASON_CONTAINER_LIMITATION_MEMORY";

  /** One container; its own lock is held from the look that finds a reason until it is told. */
  private static final class Watched {
    private final ControlGroup group;
    private final Sink<ContainerLimitation> sink;
    private final long killsBefore;
    private final byte[] read = new byte[EVENT_BYTES];
    private byte[] harmless = {};
    private RandomAccessFile events;
    private boolean told;
    private boolean over;

    /** What used most when it used much; the kernel may leave nothing to look at. */
    private volatile Optional<ProcessMemory> largest = Optional.empty();

    Watched(ControlGroup group, Sink<ContainerLimitation> sink, long killsBefore) {
      this.group = group;
      this.sink = sink;
      this.killsBefore = killsBefore;
    }

    /** Whether it reached its limit. */
    boolean reached() {
      int size = readEvents();
      if (Arrays.equals(read, 0, size, harmless, 0, harmless.length)) {
        return false;
      }
      Map<String, Long> numbers =
          ControlGroup.numbersIn(new String(read, 0, size, StandardCharsets.ISO_8859_1));
      if (numbers.getOrDefault(KILLS, 0L) > killsBefore
          || !group.unified() && numbers.getOrDefault("under_oom", 0L) > 0) {
        return true;
      }
      harmless = Arrays.copyOf(read, size);
      return false;
    }

    /** How much was read; 0 when there is nothing to read, as when the kernel has no such file. */
    private int readEvents() {
      try {
        if (events == null) {
          File file = new File(group.folder().toString(), eventFile(group));
          if (over || !file.exists()) {
            return 0;
          }
          events = new RandomAccessFile(file, "r");
        }
        events.seek(0);
        return Math.max(0, events.read(read));
      } catch (IOException e) {
        // The cgroup is gone.
        return 0;
      }
    }

    void close() {
      over = true;
      if (events != null) {
        try {
          events.close();
        } catch (IOException e) {
          LOG.debug("Closing a file of {} failed", group, e);
        }
        events = null;
      }
    }
  }

  private record ProcessMemory(long pid, String name, long bytes) {}

  /** Something that is done once it can be. */
  interface Later {
    /** Whether it was done. */
    boolean tried() throws IOException;
  }

  private final Map<String, Watched> watched = new ConcurrentHashMap<>();

  /** What is tried about once a second, by container. */
  private final Map<String, Later> later = new ConcurrentHashMap<>();

  private int looks;
  private final ScheduledExecutorService timer;

  MemoryWatch(String daemon) {
    timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, daemon + "-memory-watch");
              thread.setDaemon(true);
              return thread;
            });
    timer.scheduleWithFixedDelay(this::look, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  /**
   * Watches a container.
   *
   * @param allCounts whether it is to be reported what the kernel has killed up to now
   */
  void add(
      String containerId, ControlGroup group, Sink<ContainerLimitation> sink, boolean allCounts) {
    Watched before =
        watched.put(containerId, new Watched(group, sink, allCounts ? 0 : kills(group)));
    if (before != null) {
      synchronized (before) {
        before.close();
      }
    }
    look(containerId);
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
      }
    }
    later.remove(containerId);
  }

  /** Has something tried now and then until it is done, in place of what was before. */
  void later(String containerId, Later one) {
    later.put(containerId, one);
  }

  private void look() {
    watched.keySet().forEach(this::look);
    if (++looks % LATER_LOOKS == 0) {
      watched.values().forEach(MemoryWatch::remember);
      later.forEach(this::tryNow);
    }
  }

  private static void remember(Watched entry) {
    ControlGroup group = entry.group;
    boolean unified = group.unified();
    try {
      OptionalLong limit = group.number(unified ? "memory.max" : "memory.limit_in_bytes");
      OptionalLong used = group.number(unified ? "memory.current" : "memory.usage_in_bytes");
      if (limit.isPresent() && used.orElse(0) > limit.getAsLong() / 2) {
        Optional<ProcessMemory> found = largest(group);
        if (found.isPresent()) {
          entry.largest = found;
        }
      }
    } catch (RuntimeException e) {
      LOG.debug("What uses most of {} is not known", group, e);
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
        }
      }
    } catch (RuntimeException e) {
      LOG.error("Cannot look at the memory of container {}", containerId, e);
    }
  }

  private static String eventFile(ControlGroup group) {
    return group.unified() ? "memory.events" : "memory.oom_control";
  }

  private static long kills(ControlGroup group) {
    return group.numbers(eventFile(group)).getOrDefault(KILLS, 0L);
  }

  private static Sink.Receipt report(String containerId, Watched entry) {
    ControlGroup group = entry.group;
    boolean unified = group.unified();
    OptionalLong limit = group.number(unified ? "memory.max" : "memory.limit_in_bytes");
    OptionalLong used = group.number(unified ? "memory.current" : "memory.usage_in_bytes");
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
    for (Watched entry : watched.values()) {
      synchronized (entry) {
        entry.close();
      }
    }
  }
}
