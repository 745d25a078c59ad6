package org.mezzo.itests.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Comparator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/** The built distribution, as a user would have it unpacked. */
public final class Distribution {
  /** Below those that the kernel gives to whoever opens a connection, of which any may be taken. */
  private static final int FIRST_PORT = 20_000;

  private static final int LAST_PORT = 32_000;
  private static final int PLACES = 16;

  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private final Path home;

  private Distribution(Path home) {
    this.home = home;
  }

  /** The one that the build made; named by the system property {@code mezzo.distribution}. */
  public static Distribution built() {
    String home = System.getProperty("mezzo.distribution");
    if (home == null || !Files.isExecutable(Path.of(home, "bin", "mezzo"))) {
      throw new IllegalStateException(
          "No distribution at '" + home + "': run mvn package, or set -Dmezzo.distribution");
    }
    return new Distribution(Path.of(home));
  }

  /** A copy of its own, for tests that change its folders. */
  public Distribution copyTo(Path target) {
    try {
      Files.walkFileTree(
          home,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes)
                throws IOException {
              Files.createDirectories(target.resolve(home.relativize(dir)));
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.copy(
                  file, target.resolve(home.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Distribution(target);
  }

  public Path home() {
    return home;
  }

  public Path command() {
    return home.resolve("bin").resolve("mezzo");
  }

  public Path modules() {
    return home.resolve("modules");
  }

  /**
   * A loopback port nobody listens on now, and that nobody was given before. Processes look in
   * different places: whoever is given one listens there a little later.
   */
  public static int freePort() {
    int size = (LAST_PORT - FIRST_PORT) / PLACES;
    int first = FIRST_PORT + (int) (ProcessHandle.current().pid() % PLACES) * size;
    for (int i = 0; i < 100; i++) {
      int port = ThreadLocalRandom.current().nextInt(first, first + size);
      if (!GIVEN.add(port)) {
        continue;
      }
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException taken) {
        continue;
      }
    }
    throw new IllegalStateException("No port is free between " + FIRST_PORT + " and " + LAST_PORT);
  }

  /** Removes a folder and everything in it. */
  public static void delete(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
