package org.mezzo.testing.contract;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * What an instance may leave behind: threads, programs, open files, and itself. Threads that it
 * starts are known by their group, which they have from the threads of its calls. Files and
 * programs are those of the whole process that were not there before the first instance, and are
 * looked at when the last one has gone.
 */
final class Traces {
  private static final int PAUSE_MILLIS = 20;

  /** Programs that the kits themselves have started. */
  private static final Set<Long> OWN = ConcurrentHashMap.newKeySet();

  private static final List<String> OF_THE_JDK =
      List.of("ForkJoinPool.commonPool", "CompletableFutureDelayScheduler", "Common-Cleaner");

  private final ThreadGroup group = new ThreadGroup("an instance of a module");
  private final Surroundings surroundings;

  /** What the process had before there was an instance, and how many instances there are. */
  static final class Surroundings {
    private Set<Long> programs = Set.of();
    private Set<Path> files = Set.of();
    private int instances;

    synchronized void opened() {
      if (instances++ == 0) {
        programs = Traces.programs();
        files = Traces.files();
      }
    }

    synchronized void closed() {
      instances--;
    }

    private synchronized void left(List<String> left) {
      if (instances > 0) {
        return;
      }
      Set<Long> pids = Traces.programs();
      pids.removeAll(programs);
      pids.removeAll(OWN);
      pids.forEach(pid -> left.add("the process " + pid + ": end it in close()"));
      Set<Path> open = Traces.files();
      open.removeAll(files);
      open.forEach(file -> left.add("the open file " + file + ": close it"));
    }
  }

  Traces(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  /** A program that no module has to end. */
  static Process own(Process program) {
    OWN.add(program.pid());
    return program;
  }

  /** A thread for a call; it has no context class loader. */
  Thread thread(Runnable call, String name) {
    Thread thread = new Thread(group, call, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    return thread;
  }

  /**
   * What is left once a while has gone by, in words; empty when nothing is. Runs the garbage
   * collector.
   */
  List<String> left(WeakReference<?> closed, int seconds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    List<String> left;
    do {
      System.gc();
      left = left(closed);
      if (left.isEmpty()) {
        return left;
      }
      try {
        Thread.sleep(PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return left;
      }
    } while (System.nanoTime() < end);
    return left;
  }

  private List<String> left(WeakReference<?> closed) {
    List<String> left = new ArrayList<>();
    for (Thread thread : threads()) {
      left.add("the thread '" + thread.getName() + "': end it in close()" + standsAt(thread));
    }
    surroundings.left(left);
    if (left.isEmpty() && closed.get() != null) {
      left.add(
          "itself: something (a static field, a thread-local, a shutdown hook, a field of the test)"
              + " refers to the instance, so that its class loader would stay");
    }
    return left;
  }

  private List<Thread> threads() {
    Thread[] all = new Thread[group.activeCount() + 16];
    int count = group.enumerate(all);
    return Arrays.stream(all, 0, count)
        .filter(Objects::nonNull)
        .filter(thread -> OF_THE_JDK.stream().noneMatch(thread.getName()::startsWith))
        .toList();
  }

  private static String standsAt(Thread thread) {
    StackTraceElement[] stack = thread.getStackTrace();
    return stack.length == 0 ? "" : "; it is in " + stack[stack.length > 1 ? 1 : 0];
  }

  private static Set<Long> programs() {
    return ProcessHandle.current()
        .children()
        .map(ProcessHandle::pid)
        .collect(Collectors.toCollection(HashSet::new));
  }

  /** Regular files that this process has open, other than archives; none where nobody tells. */
  private static Set<Path> files() {
    Set<Path> files = new HashSet<>();
    try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path each : open) {
        try {
          Path file = Files.readSymbolicLink(each);
          String name = file.toString();
          if (file.isAbsolute() && !name.endsWith(".jar") && Files.isRegularFile(file)) {
            files.add(file);
          }
        } catch (IOException e) {
          // It was closed meanwhile.
          continue;
        }
      }
    } catch (IOException e) {
      return files;
    }
    return files;
  }
}
