package org.mezzo.agent.detection;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the machine has (rule 288).
 *
 * @param cpus online cores
 * @param memoryMegabytes in all
 * @param diskMegabytes of the filesystem of the work directory
 */
public record Machine(int cpus, long memoryMegabytes, long diskMegabytes) {
  private static final Logger LOG = LoggerFactory.getLogger(Machine.class);
  private static final long GIGABYTE = 1024;

  /** Looks; what cannot be told is taken as the fallbacks of the rule. */
  public static Machine detect(Path workDir) {
    return new Machine(cores(), memory(), disk(workDir));
  }

  private static int cores() {
    try (var cpus = Files.list(Path.of("/sys/devices/system/cpu"))) {
      int count =
          (int)
              cpus.filter(path -> path.getFileName().toString().matches("cpu\\d+"))
                  .filter(Machine::online)
                  .count();
      return count > 0 ? count : Runtime.getRuntime().availableProcessors();
    } catch (IOException e) {
      return Runtime.getRuntime().availableProcessors();
    }
  }

  private static boolean online(Path cpu) {
    try {
      return Files.readString(cpu.resolve("online")).trim().equals("1");
    } catch (IOException e) {
      // The first core often cannot be taken offline and has no such file.
      return true;
    }
  }

  private static long memory() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemTotal:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
        }
      }
    } catch (IOException | NumberFormatException e) {
      LOG.warn("Cannot tell the machine's memory; 1 GB is assumed. Give --resources=mem:...", e);
    }
    return 2 * GIGABYTE;
  }

  private static long disk(Path workDir) {
    try {
      return Files.getFileStore(workDir).getTotalSpace() / (1024 * 1024);
    } catch (IOException e) {
      LOG.warn("Cannot tell the size of the disk; 10 GB is assumed. Give --resources=disk:...", e);
      return 15 * GIGABYTE;
    }
  }

  /**
   * The agent's resources: as given, and detected where a name is missing.
   *
   * @param given text or JSON of {@code --resources}; may be empty
   * @throws ResourceFormatException when it cannot be read
   */
  public Resources resources(String given, String defaultRole) throws ResourceFormatException {
    Resources parsed = given.isBlank() ? Resources.EMPTY : Resources.parse(given, defaultRole);
    Set<String> mentioned = given.isBlank() ? Set.of() : Resources.mentionedNames(given);
    StringBuilder detected = new StringBuilder();
    add(detected, mentioned, "cpus", Integer.toString(cpus));
    add(
        detected,
        mentioned,
        "mem",
        Long.toString(
            memoryMegabytes >= 2 * GIGABYTE ? memoryMegabytes - GIGABYTE : memoryMegabytes / 2));
    add(
        detected,
        mentioned,
        "disk",
        Long.toString(
            diskMegabytes >= 10 * GIGABYTE ? diskMegabytes - 5 * GIGABYTE : diskMegabytes / 2));
    add(detected, mentioned, "ports", "[31000-32000]");
    return detected.length() == 0
        ? parsed
        : parsed.plus(Resources.parse(detected.toString(), defaultRole));
  }

  private static void add(StringBuilder text, Set<String> mentioned, String name, String amount) {
    if (!mentioned.contains(name)) {
      text.append(text.length() == 0 ? "" : ";").append(name).append(':').append(amount);
    }
  }
}
