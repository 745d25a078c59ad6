package org.mezzo.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;

/**
 * The terminal on the standard input of this process, changed through {@code stty}. What was
 * changed is put back when it is closed, or when the process ends by anything that lets it. Safe
 * for any thread.
 */
final class LocalTerminal implements AutoCloseable {
  /**
   * Its size in characters.
   *
   * @param rows lines
   * @param columns of each
   */
  record Size(int rows, int columns) {}

  private final String settings;
  private final AtomicBoolean raw = new AtomicBoolean();
  private final Thread restoring = new Thread(this::restore, "mezzo-terminal");

  private LocalTerminal(String settings) {
    this.settings = settings;
  }

  /** The terminal; empty where the standard input is none. */
  static Optional<LocalTerminal> find() throws InterruptedException {
    return stty("-g").map(LocalTerminal::new);
  }

  /** Keys come as they are typed, Ctrl-C among them, and nothing is echoed. */
  void raw() throws InterruptedException {
    Runtime.getRuntime().addShutdownHook(restoring);
    raw.set(true);
    stty("raw", "-echo");
  }

  /** Its size; empty where it does not say. */
  Optional<Size> size() throws InterruptedException {
    Optional<String[]> numbers = stty("size").map(text -> text.split(" "));
    try {
      return numbers
          .filter(words -> words.length == 2)
          .map(words -> new Size(Integer.parseInt(words[0]), Integer.parseInt(words[1])));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** Runs something on a thread of the JVM whenever its size has changed. */
  void onResize(Runnable changed) {
    Signal.handle(new Signal("WINCH"), signal -> changed.run());
  }

  @Override
  public void close() {
    restore();
    try {
      Runtime.getRuntime().removeShutdownHook(restoring);
    } catch (IllegalStateException e) {
      // The process ends already, and the hook runs.
      return;
    }
  }

  private void restore() {
    if (raw.compareAndSet(true, false)) {
      try {
        stty(settings);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Optional<String> stty(String... arguments) throws InterruptedException {
    List<String> command = new ArrayList<>(List.of("stty"));
    command.addAll(List.of(arguments));
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String said =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
      return process.waitFor() == 0 ? Optional.of(said) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
