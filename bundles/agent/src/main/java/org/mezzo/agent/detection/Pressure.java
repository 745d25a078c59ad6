package org.mezzo.agent.detection;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.mezzo.api.Metrics;

/**
 * How hard memory, disk and processors of the machine are pressed: for which share of the last
 * minute something had to wait for them, as Linux counts it in {@code /proc/pressure}, and how much
 * memory can still be had. Read when somebody asks. Safe for any thread.
 */
public final class Pressure {
  private static final List<String> KINDS = List.of("memory", "io", "cpu");
  private static final String AVERAGE = " avg60=";

  private final Path proc;

  /** Of the machine whose {@code /proc} it is. */
  public Pressure(Path proc) {
    this.proc = proc;
  }

  /** Measures what this machine tells; what it does not tell is left out. */
  public void measure(Metrics metrics) {
    for (String kind : KINDS) {
      if (Files.isReadable(proc.resolve("pressure").resolve(kind))) {
        metrics.gauge("slave/mezzo/pressure/" + kind, () -> share(kind));
      }
    }
    metrics.gauge("slave/mezzo/memory_available_bytes", this::available);
  }

  /** From 0 to 1; 0 where it cannot be read. */
  double share(String kind) {
    try {
      String some =
          text(proc.resolve("pressure").resolve(kind))
              .lines()
              .filter(line -> line.startsWith("some "))
              .findFirst()
              .orElse("");
      int at = some.indexOf(AVERAGE);
      if (at < 0) {
        return 0;
      }
      return Double.parseDouble(some.substring(at + AVERAGE.length()).split(" ", 2)[0]) / 100;
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  /** Memory that can be had without swapping, in bytes; 0 where it cannot be read. */
  double available() {
    try {
      return text(proc.resolve("meminfo"))
          .lines()
          .filter(line -> line.startsWith("MemAvailable:"))
          .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) * 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
