package org.mezzo.fetcher;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Writes what is fetched: afterwards the target is whole or absent. */
public final class TargetFile {
  private TargetFile() {}

  /** Writes what arrives. */
  @FunctionalInterface
  public interface Source {
    /** Blocks until everything is written; an interrupt ends it. */
    void writeTo(FileChannel out) throws IOException, InterruptedException;
  }

  /** Writes a new file. Whoever waits for it sees it grow. */
  public static void write(Path target, Source source) throws IOException, InterruptedException {
    boolean whole = false;
    try {
      try (FileChannel out =
          FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        source.writeTo(out);
      } catch (ClosedByInterruptException e) {
        Thread.interrupted();
        InterruptedException interrupted = new InterruptedException("The fetch was cancelled");
        interrupted.initCause(e);
        throw interrupted;
      }
      whole = true;
    } finally {
      if (!whole) {
        Files.deleteIfExists(target);
      }
    }
  }
}
