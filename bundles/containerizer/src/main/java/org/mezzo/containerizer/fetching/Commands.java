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
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.mezzo.api.fetcher.Programs;

/**
 * Runs the programs that copy and decompress, as the task's user. None outlives the call or the
 * agent: an interrupt and the limit kill it with its children. Safe for any thread.
 */
final class Commands implements AutoCloseable {
  private static final int MOST_SAID = 65_536;
  private static final Duration LAST_WORDS = Duration.ofSeconds(5);

  private final Duration limit;
  private final ExecutorService readers;
  private final Programs programs;

  /** Takes what a program writes. */
  @FunctionalInterface
  interface Reader {
    /** Reads as much as it wants to; the program ends early when that is not all. */
    void read(InputStream output) throws IOException;
  }

  /**
   * @param limit the longest that a program may take
   */
  Commands(Duration limit, ThreadFactory threads) {
    this(limit, Executors.newCachedThreadPool(threads), Programs.UNBOUND);
  }

  private Commands(Duration limit, ExecutorService readers, Programs programs) {
    this.limit = limit;
    this.readers = readers;
    this.programs = programs;
  }

  /** The same with programs that work for one container; not to be closed. */
  Commands by(Programs other) {
    return new Commands(limit, readers, other);
  }

  /**
   * Runs a command as the user and tells what it says.
   *
   * @param input what it reads, or null for nothing
   * @return its exit status
   */
  int run(Optional<TaskUser> user, FetchLog log, Path input, String... command)
      throws IOException, InterruptedException {
    return run(user, log, input, ProcessBuilder.Redirect.PIPE, command);
  }

  /**
   * Runs a command as the user that writes to a file of the agent, and tells what it says.
   *
   * @param output a new file
   * @return its exit status
   */
  int runInto(Optional<TaskUser> user, FetchLog log, Path output, String... command)
      throws IOException, InterruptedException {
    return run(user, log, null, ProcessBuilder.Redirect.to(output.toFile()), command);
  }

  private int run(
      Optional<TaskUser> user,
      FetchLog log,
      Path input,
      ProcessBuilder.Redirect output,
      String... command)
      throws IOException, InterruptedException {
    boolean all = output == ProcessBuilder.Redirect.PIPE;
    ProcessBuilder builder = builder(user, command).redirectOutput(output);
    Process process = start(builder.redirectErrorStream(all), input, command);
    try {
      CompletableFuture<String> said =
          said(all ? process.getInputStream() : process.getErrorStream());
      await(process, command);
      tell(said, log, command);
      return process.exitValue();
    } finally {
      Programs.end(process);
    }
  }

  /**
   * Has a command that the user runs read a file, and somebody what it writes.
   *
   * @param reader called on another thread; has returned when this does
   * @return the exit status, 0 if the reader did not want everything
   * @throws IOException what the reader throws, too
   */
  int pipe(Optional<TaskUser> user, FetchLog log, Path input, Reader reader, String... command)
      throws IOException, InterruptedException {
    Process process = start(builder(user, command), input, command);
    CompletableFuture<Boolean> reading = null;
    try {
      CompletableFuture<String> said = said(process.getErrorStream());
      reading =
          CompletableFuture.supplyAsync(
              () -> {
                try (InputStream output = process.getInputStream()) {
                  reader.read(output);
                  return output.read() < 0;
                } catch (IOException e) {
                  throw new CompletionException(e);
                }
              },
              readers);
      boolean complete;
      try {
        complete = reading.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        throw tooLong(command);
      } catch (ExecutionException e) {
        throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
      }
      await(process, command);
      tell(said, log, command);
      return complete ? process.exitValue() : 0;
    } finally {
      Programs.end(process);
      if (reading != null) {
        // It reads from a process that is dead.
        reading
            .handle((complete, failure) -> null)
            .completeOnTimeout(null, LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS)
            .join();
      }
    }
  }

  private static ProcessBuilder builder(Optional<TaskUser> user, String... command) {
    List<String> line = new ArrayList<>();
    user.ifPresent(as -> line.addAll(as.switching()));
    line.addAll(List.of(command));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.directory(Path.of("/").toFile());
    // What the agent has in its environment is not for tasks.
    builder.environment().keySet().retainAll(Set.of("PATH", "LANG", "LC_ALL"));
    return builder;
  }

  private Process start(ProcessBuilder builder, Path input, String... command) throws IOException {
    // What runs it as the user is there; whether the program itself is, that one would not say.
    Programs.require(command[0], builder.environment());
    return input == null ? programs.start(builder) : programs.start(builder, input);
  }

  private CompletableFuture<String> said(InputStream stream) {
    return CompletableFuture.supplyAsync(() -> read(stream), readers);
  }

  private void await(Process process, String... command) throws IOException, InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw tooLong(command);
    }
  }

  private IOException tooLong(String... command) {
    return new IOException(command[0] + " took more than " + limit.toMinutes() + " minutes");
  }

  private static void tell(CompletableFuture<String> said, FetchLog log, String... command)
      throws InterruptedException {
    try {
      // A child of the program that lives on must not keep the fetch.
      String text = said.get(LAST_WORDS.toMillis(), TimeUnit.MILLISECONDS);
      if (!text.isEmpty()) {
        log.tell(text);
      }
    } catch (ExecutionException | TimeoutException e) {
      log.tell(command[0] + " left its output open");
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

  @Override
  public void close() {
    readers.shutdownNow();
  }
}
