package org.mezzo.containerizer.processes;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What {@code /proc} tells about processes; all of it may be outdated when it is returned. */
final class ProcFs {
  private static final Logger LOG = LoggerFactory.getLogger(ProcFs.class);

  private ProcFs() {}

  /**
   * Whether a process is in the network namespace of this one; true also where that is not to be
   * seen, as of one that is gone.
   */
  static boolean sharesNetwork(long pid) {
    return shares(pid, "net");
  }

  /** The same of its mount namespace. */
  static boolean sharesMounts(long pid) {
    return shares(pid, "mnt");
  }

  private static boolean shares(long pid, String namespace) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + namespace))
          .equals(Files.readSymbolicLink(Path.of("/proc/self/ns/" + namespace)));
    } catch (IOException e) {
      return true;
    }
  }

  /**
   * One process.
   *
   * @param startTime in clock ticks since boot
   * @param rssPages resident pages
   */
  record Stat(
      long pid,
      char state,
      long parent,
      long group,
      long session,
      long userTicks,
      long systemTicks,
      long threads,
      long startTime,
      long rssPages) {
    boolean dead() {
      return state == 'Z' || state == 'X';
    }
  }

  /** More than the file has: a name of up to 64 bytes and some fifty numbers. */
  private static final int STAT_BYTES = 2048;

  /** Of those behind the name; the first one is the state. */
  private static final int FIELDS = 22;

  /** Called for each process of each container whenever somebody asks what these use. */
  static Optional<Stat> stat(long pid) {
    byte[] bytes = new byte[STAT_BYTES];
    int size;
    try (FileInputStream in = new FileInputStream("/proc/" + pid + "/stat")) {
      size = in.read(bytes);
    } catch (IOException e) {
      return Optional.empty();
    }
    int at = size - 1;
    while (at >= 0 && bytes[at] != ')') {
      at--;
    }
    // Behind the name and a blank.
    at += 2;
    if (at < 2 || at >= size) {
      return Optional.empty();
    }
    char state = (char) bytes[at];
    long[] fields = new long[FIELDS];
    at += 2;
    for (int i = 1; i < FIELDS; i++, at++) {
      boolean negative = at < size && bytes[at] == '-';
      int begin = negative ? at + 1 : at;
      for (at = begin; at < size && bytes[at] >= '0' && bytes[at] <= '9'; at++) {
        fields[i] = fields[i] * 10 + bytes[at] - '0';
      }
      if (at == begin) {
        return Optional.empty();
      }
      fields[i] = negative ? -fields[i] : fields[i];
    }
    return Optional.of(
        new Stat(
            pid,
            state,
            fields[1],
            fields[2],
            fields[3],
            fields[11],
            fields[12],
            fields[17],
            fields[19],
            fields[21]));
  }

  /** One snapshot for all who want one at about the same time. Safe for any thread. */
  static final class Shared {
    private final long nanos;
    private Snapshot last;
    private long taken;

    /**
     * None yet.
     *
     * @param age how old one may be that is used again
     */
    Shared(Duration age) {
      nanos = age.toNanos();
    }

    /** Not older than that; whoever comes while one is taken waits for it. */
    synchronized Snapshot recent() {
      if (last == null || System.nanoTime() - taken > nanos) {
        last = new Snapshot();
        taken = System.nanoTime();
      }
      return last;
    }
  }

  /** All processes at one moment. Immutable. */
  static final class Snapshot {
    private static final byte[] MARKER =
        (LaunchPipeline.MARKER + "=").getBytes(StandardCharsets.ISO_8859_1);

    private final List<Stat> all = new ArrayList<>();
    private final Map<Long, List<Stat>> children = new HashMap<>();
    private final Map<String, List<Stat>> marked = new HashMap<>();

    Snapshot() {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
        for (Path entry : entries) {
          stat(Long.parseLong(entry.getFileName().toString()))
              .filter(stat -> !stat.dead())
              .ifPresent(all::add);
        }
      } catch (IOException | DirectoryIteratorException e) {
        LOG.warn("Cannot list /proc; strays of containers may be missed: {}", e.toString());
      }
      for (Stat stat : all) {
        children.computeIfAbsent(stat.parent(), k -> new ArrayList<>()).add(stat);
        marker(stat.pid())
            .ifPresent(id -> marked.computeIfAbsent(id, k -> new ArrayList<>()).add(stat));
      }
    }

    /**
     * The living processes of a container: what belongs to the session or group of its first
     * process, carries its id in the environment, or descends from one of these.
     *
     * @param leader the first process, if it still is that one; 0 otherwise
     */
    Set<Long> members(String id, long leader) {
      List<Stat> open = new ArrayList<>(marked.getOrDefault(id, List.of()));
      if (leader > 0) {
        for (Stat stat : all) {
          if (stat.pid() == leader || stat.session() == leader || stat.group() == leader) {
            open.add(stat);
          }
        }
      }
      Set<Long> members = new TreeSet<>();
      while (!open.isEmpty()) {
        Stat stat = open.remove(open.size() - 1);
        if (members.add(stat.pid())) {
          open.addAll(children.getOrDefault(stat.pid(), List.of()));
        }
      }
      return members;
    }

    private static Optional<String> marker(long pid) {
      byte[] environment;
      try {
        environment = Files.readAllBytes(Path.of("/proc", Long.toString(pid), "environ"));
      } catch (IOException e) {
        return Optional.empty();
      }
      int from = 0;
      for (int i = 0; i < environment.length; i++) {
        if (environment[i] == 0) {
          if (i - from > MARKER.length
              && Arrays.equals(environment, from, from + MARKER.length, MARKER, 0, MARKER.length)) {
            return Optional.of(
                new String(
                    environment,
                    from + MARKER.length,
                    i - from - MARKER.length,
                    StandardCharsets.ISO_8859_1));
          }
          from = i + 1;
        }
      }
      return Optional.empty();
    }
  }
}
