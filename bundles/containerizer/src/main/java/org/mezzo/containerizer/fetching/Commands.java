package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs the programs that copy and unpack, as the task's user. None outlives the call: an interrupt
 * and the limit kill it with its children. Safe for any thread.
 */
final class Commands implements AutoCloseable {
  private static final int MOST_SAID = 65_536;
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  private final Duration limit;
  private final ExecutorService readers;

  /**
   * @param limit the longest that a program may take
   */
  Commands(Duration limit, ThreadFactory threads) {
    this.limit = limit;
    this.readers = Executors.newCachedThreadPool(threads);
  }

  /**
   * Runs a command as the user and tells what it says.
   *
   * @param input what it reads, or null for nothing
   * @return its exit status
   */
  int run(Optional<TaskUser> user, FetchLog log, Path input, String... command)
      throws IOException, InterruptedException {
    List<String> line = new ArrayList<>();
    user.ifPresent(as -> line.addAll(as.switching()));
    line.addAll(List.of(command));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.directory(Path.of("/").toFile());
    // What the agent has in its environment is not for tasks.
    builder.environment().keySet().retainAll(Set.of("PATH", "LANG", "LC_ALL"));
    builder.redirectErrorStream(true);
    builder.redirectInput(input == null ? Path.of("/dev/null").toFile() : input.toFile());
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new IOException(command[0] + " is needed and is not installed", e);
    }
    try {
      CompletableFuture<String> said =
          CompletableFuture.supplyAsync(() -> read(process.getInputStream()), readers);
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException(command[0] + " took more than " + limit.toMinutes() + " minutes");
      }
      try {
        // A child of the program that lives on must not keep the fetch.
        String text = said.get(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
        if (!text.isEmpty()) {
          log.tell(text);
        }
      } catch (ExecutionException | TimeoutException e) {
        log.tell(command[0] + " left its output open");
      }
      return process.exitValue();
    } finally {
      kill(process);
    }
  }

  private static String read(InputStream stream) {
    try (InputStream in = stream) {
      String first = new String(in.readNBytes(MOST_SAID), StandardCharsets.UTF_8).strip();
      in.transferTo(OutputStream.nullOutputStream());
      return first;
    } catch (IOException e) {
      return "";
    }
  }

  private static void kill(Process process) {
    if (!process.isAlive()) {
      return;
    }
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
    // It has stopped writing when this returns; a kill cannot be refused.
    process
        .onExit()
        .completeOnTimeout(process, LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS)
        .join();
  }

  @Override
  public void close() {
    readers.shutdownNow();
  }
}
