package org.mezzo.benchmarks.loop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/** What benchmarks with emulated clusters have in common. Stateless. */
final class Emulated {
  private static final Duration LIMIT = Duration.ofMinutes(30);

  private Emulated() {}

  /** All that agents can. */
  static List<AgentInfo.Capability> capabilities() {
    return Stream.of(AgentInfo.Capability.Type.values())
        .filter(type -> type != AgentInfo.Capability.Type.UNKNOWN)
        .map(type -> AgentInfo.Capability.newBuilder().setType(type).build())
        .toList();
  }

  /** An agent of middle size. */
  static AgentInfo agent() throws ResourceFormatException {
    return AgentInfo.newBuilder()
        .setHostname("agent")
        .addAllResources(
            Resources.parse("cpus:24;mem:65536;disk:409600;ports:[31000-32000]", "*")
                .toMessages(Resources.Format.POST_REFINEMENT))
        .build();
  }

  /** A framework with one of so many roles. */
  static FrameworkInfo framework(int number, int roles) {
    FrameworkInfo.Builder framework =
        FrameworkInfo.newBuilder()
            .setUser("root")
            .setName("framework-" + number)
            .addRoles("role-" + number % roles)
            .setCheckpoint(true)
            .setFailoverTimeout(LIMIT.toSeconds());
    for (FrameworkInfo.Capability.Type capability :
        List.of(
            FrameworkInfo.Capability.Type.MULTI_ROLE,
            FrameworkInfo.Capability.Type.RESERVATION_REFINEMENT,
            FrameworkInfo.Capability.Type.PARTITION_AWARE)) {
      framework.addCapabilitiesBuilder().setType(capability);
    }
    return framework.build();
  }

  /** A thread that does not keep the process. */
  static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** Waits until something is so; fails after half an hour. */
  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + LIMIT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException(
            "After " + LIMIT.toMinutes() + " min there is not: " + what);
      }
      Thread.sleep(1);
    }
  }

  /** Deletes a folder with all that is in it. */
  static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** Keeps the log out of the figures. */
  static void logErrorsOnly() {
    ((ch.qos.logback.classic.Logger)
            org.slf4j.LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME))
        .setLevel(ch.qos.logback.classic.Level.ERROR);
  }
}
