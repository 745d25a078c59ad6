package org.mezzo.daemon.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.mezzo.api.Metrics;

/** Load, processors and memory of the host, as far as {@code /proc} tells. */
public final class SystemStats {
  private SystemStats() {}

  /** How many processors this process may use. */
  public static int processors() {
    return Runtime.getRuntime().availableProcessors();
  }

  /** The averages over 1, 5 and 15 minutes; NaN where unknown. */
  public static double[] loads() {
    double[] loads = {Double.NaN, Double.NaN, Double.NaN};
    try {
      String[] words = Files.readString(Path.of("/proc/loadavg")).split(" ");
      for (int i = 0; i < loads.length; i++) {
        loads[i] = Double.parseDouble(words[i]);
      }
    } catch (IOException | RuntimeException e) {
      return loads;
    }
    return loads;
  }

  /** MemTotal and MemFree in bytes, those that are known. */
  public static Map<String, Long> memory() {
    Map<String, Long> bytes = new TreeMap<>();
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        String[] words = line.split("\\s+");
        if (words[0].equals("MemTotal:") || words[0].equals("MemFree:")) {
          bytes.put(words[0].substring(0, words[0].length() - 1), Long.parseLong(words[1]) << 10);
        }
      }
    } catch (IOException | RuntimeException e) {
      return bytes;
    }
    return bytes;
  }

  /** Registers them below {@code system/}. */
  public static void measure(Metrics metrics) {
    metrics.gauge("system/cpus_total", SystemStats::processors);
    metrics.gauge("system/load_1min", () -> loads()[0]);
    metrics.gauge("system/load_5min", () -> loads()[1]);
    metrics.gauge("system/load_15min", () -> loads()[2]);
    metrics.gauge("system/mem_total_bytes", () -> memory().get("MemTotal"));
    metrics.gauge("system/mem_free_bytes", () -> memory().get("MemFree"));
  }
}
