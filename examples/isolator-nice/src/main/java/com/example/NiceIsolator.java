package com.example;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Gives the processes of containers a niceness: the parameter {@code nice} (0), and while a
 * container has revocable cpus the parameter {@code nice_revocable} (19), so that lent processors
 * go back to their owners when they want them. Both are from -20 to 19. An agent that is not root
 * cannot make a container less nice than it was: that one stays as it is, counted as {@code kept}.
 */
@Component(service = Isolator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Isolator.KIND,
    name = "nice",
    version = "1.0.0",
    author = "me",
    description = "sets the niceness of containers, a higher one with revocable cpus")
public final class NiceIsolator implements Isolator {
  private static final int LEAST = -20;
  private static final int MOST = 19;

  /** Of {@code /proc/PID/stat}, counted from behind the name, which may have blanks. */
  private static final int SESSION = 3;

  private static final int NICENESS = 16;
  private static final int GONE = Integer.MIN_VALUE;
  private static final int ROUNDS = 5;
  private static final int PAUSE_MILLIS = 110; // Groups are set ten times a second at most.

  private int plain;
  private int revocable;
  private Metrics.Counter kept;

  /** What containers have, by id: those that are nested are not favoured over the one around. */
  private final Map<String, Integer> wanted = new HashMap<>();

  @Override
  public void open(DaemonContext context) {
    plain = niceness(context, "nice", 0);
    revocable = niceness(context, "nice_revocable", MOST);
    kept = context.metrics().counter("kept");
  }

  private static int niceness(DaemonContext context, String name, int other) {
    String text = context.parameters().getOrDefault(name, Integer.toString(other));
    int value = text.matches("-?[0-9]{1,3}") ? Integer.parseInt(text) : MOST + 1;
    if (value < LEAST || value > MOST) {
      throw new IllegalArgumentException(
          "the parameter '%s': '%s' is no niceness; give one from %d to %d"
              .formatted(name, text, LEAST, MOST));
    }
    return value;
  }

  /** Tries both on processes of its own: some need root, and all need the program. */
  @Override
  public void rehearse() throws Exception {
    for (int niceness : List.of(plain, revocable)) {
      Process process = new ProcessBuilder("sleep", "60").start();
      try {
        renice(process.pid(), niceness);
      } finally {
        process.destroyForcibly();
      }
    }
  }

  /** What runs has its niceness already. */
  @Override
  public void recover(List<RecoveredContainer> containers) {
    containers.forEach(each -> remember(each.container()));
  }

  /** A task of a group is a container in another one, with processes of its own. */
  @Override
  public boolean nests() {
    return true;
  }

  @Override
  public LaunchPlan prepare(Container container) {
    remember(container);
    return LaunchPlan.NONE;
  }

  private int remember(Container container) {
    int own = container.resources().revocable().scalar("cpus") > 0 ? revocable : plain;
    int around = container.parent().map(id -> wanted.getOrDefault(id, LEAST)).orElse(LEAST);
    wanted.put(container.id(), Math.max(own, around));
    return Math.max(own, around);
  }

  /** The first process waits; what it starts later begins with what it has itself. */
  @Override
  public void isolate(Container container, long pid) throws Exception {
    renice(pid, remember(container));
  }

  /** Another task has come or gone, and with it perhaps the revocable cpus. */
  @Override
  public void update(Container container) throws Exception {
    try {
      renice(container.pid().orElseThrow(), remember(container));
    } catch (IOException e) {
      kept.increment();
    }
  }

  @Override
  public void cleanup(Container container) {
    wanted.remove(container.id());
  }

  /** Of a process and all that come from it; what begins meanwhile is found in another round. */
  private static void renice(long pid, int niceness) throws IOException, InterruptedException {
    for (int i = 0; i < ROUNDS; i++) {
      boolean done = true;
      List<String> command = new ArrayList<>(List.of("renice", "" + niceness, "-p"));
      for (long process : family(pid)) {
        done &= group(process, niceness);
        done &= !command.addAll(threads(process, niceness));
      }
      if (done) {
        return;
      }
      ProcessBuilder renice = new ProcessBuilder(command).redirectErrorStream(true);
      renice.redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor();
      TimeUnit.MILLISECONDS.sleep(i == 0 ? 0 : PAUSE_MILLIS);
    }
    throw new IOException(
        "Cannot set the niceness of process %d to %d: to lower one, the agent has to be root"
            .formatted(pid, niceness));
  }

  private static List<Long> family(long pid) {
    Stream<ProcessHandle> first = ProcessHandle.of(pid).stream();
    return first
        .flatMap(it -> Stream.concat(Stream.of(it), it.descendants()))
        .map(ProcessHandle::pid)
        .toList();
  }

  /** Each thread has its own: those of a process that have another one. */
  private static List<String> threads(long process, int niceness) {
    try (Stream<Path> threads = Files.list(Path.of("/proc/" + process + "/task"))) {
      return threads
          .filter(thread -> stat(thread, NICENESS) != niceness)
          .map(thread -> thread.getFileName().toString())
          .toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of(); // The process has ended.
    }
  }

  /**
   * Where the kernel has sessions compete as groups ({@code sched_autogroup_enabled}), the niceness
   * of the group is what counts. Whether that is as wanted; the agent's own group stays.
   */
  private static boolean group(long process, int niceness) {
    Path group = Path.of("/proc/" + process + "/autogroup");
    try {
      if (stat(Path.of("/proc/" + process), SESSION) != stat(Path.of("/proc/self"), SESSION)
          && !Files.readString(group).strip().endsWith(" nice " + niceness)) {
        Files.writeString(group, Integer.toString(niceness));
      }
      return true;
    } catch (IOException e) {
      return !Files.exists(group); // Else it is not allowed now.
    }
  }

  private static int stat(Path folder, int field) {
    try {
      String line = Files.readString(folder.resolve("stat"), StandardCharsets.ISO_8859_1);
      return Integer.parseInt(line.substring(line.lastIndexOf(')') + 2).split(" ")[field]);
    } catch (IOException e) {
      return GONE;
    }
  }
}
