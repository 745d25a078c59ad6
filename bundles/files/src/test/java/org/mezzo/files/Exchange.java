package org.mezzo.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicInteger;

/** Somebody hostile: exchanges what is at a path for a link and back, as fast as it can. */
final class Exchange implements AutoCloseable {
  private final AtomicInteger count = new AtomicInteger();
  private final Thread thread;
  private volatile boolean over;
  private volatile Throwable failure;

  private interface Step {
    /** Whether it exchanged anything. */
    boolean run() throws IOException;
  }

  private Exchange(Step step) {
    thread =
        new Thread(
            () -> {
              try {
                while (!over) {
                  if (step.run()) {
                    count.incrementAndGet();
                  }
                }
              } catch (IOException | RuntimeException e) {
                failure = e;
              }
            });
    thread.start();
  }

  /** A file, always there in one of its forms. */
  static Exchange ofFile(Path file, String content, Path linked) {
    Path next = file.resolveSibling("next");
    return new Exchange(
        () -> {
          Files.createSymbolicLink(next, linked);
          Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
          Files.writeString(next, content);
          Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
          return true;
        });
  }

  /** A directory, which is not there at all in between; ends when it is gone for good. */
  static Exchange ofDirectory(Path directory, Path linked) {
    Path aside = directory.resolveSibling("aside");
    return new Exchange(
        () -> {
          try {
            Files.move(directory, aside, StandardCopyOption.ATOMIC_MOVE);
            Files.createSymbolicLink(directory, linked);
            Thread.onSpinWait();
            Files.delete(directory);
            Files.move(aside, directory, StandardCopyOption.ATOMIC_MOVE);
            return true;
          } catch (IOException e) {
            // The tree is being deleted; what is left of it is exchanged all the same.
            Thread.onSpinWait();
            return false;
          }
        });
  }

  /** How many exchanges there and back were made. */
  int count() {
    return count.get();
  }

  @Override
  public void close() throws Exception {
    over = true;
    thread.join();
    if (failure != null) {
      throw new IllegalStateException("The exchange failed after " + count, failure);
    }
  }
}
