package org.mezzo.itests.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A {@code bin/mezzo} process with its output in files. */
public final class MezzoProcess implements AutoCloseable {
  private final Process process;
  private final Path out;
  private final Path err;

  private MezzoProcess(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /** Starts {@code bin/mezzo arguments...}; output goes to files below {@code logs}. */
  public static MezzoProcess start(Distribution distribution, Path logs, String... arguments)
      throws IOException {
    return start(distribution, logs, Map.of(), arguments);
  }

  /** The same with some variables of the environment changed; an empty value takes one out. */
  public static MezzoProcess start(
      Distribution distribution, Path logs, Map<String, String> changes, String... arguments)
      throws IOException {
    Files.createDirectories(logs);
    Path out = Files.createTempFile(logs, arguments[0] + "-", ".out");
    Path err = Files.createTempFile(logs, arguments[0] + "-", ".err");
    List<String> command = new ArrayList<>();
    command.add(distribution.command().toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    // What makes class data outlives a daemon, and starts where the folder of the test is gone.
    builder.environment().put("MEZZO_CLASS_DATA", "off");
    changes.forEach(
        (name, value) -> {
          if (value.isEmpty()) {
            builder.environment().remove(name);
          } else {
            builder.environment().put(name, value);
          }
        });
    return new MezzoProcess(builder.start(), out, err);
  }

  public int await(Duration limit) throws InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("Still running after " + limit + "\n" + stderr());
    }
    return process.exitValue();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  public long pid() {
    return process.pid();
  }

  public String stdout() {
    return read(out);
  }

  public String stderr() {
    return read(err);
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "(" + e + ")";
    }
  }

  /** SIGTERM to the process. */
  public void terminate() {
    process.destroy();
  }

  /** SIGKILL to the process and what it started, and waits for their ends. */
  public void kill() {
    List<ProcessHandle> ending = new ArrayList<>(process.descendants().toList());
    ending.add(process.toHandle());
    ending.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle each : ending) {
      // One that nobody reaps never counts as ended.
      each.onExit().completeOnTimeout(each, 10, TimeUnit.SECONDS).join();
    }
  }

  /** SIGKILL to the process alone: what it started goes on. */
  public void killAlone() {
    process.destroyForcibly();
  }

  /** Ends it in order; one that does not within a minute is killed, and a failure. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        kill();
        throw new AssertionError("It did not end within a minute\n" + stderr());
      }
    } catch (InterruptedException e) {
      kill();
      Thread.currentThread().interrupt();
    }
  }
}
