package org.mezzo.hooks.audit;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.Metrics;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of lines that is turned over when it is full: {@code NAME.1} is the newest of the older
 * ones. Whoever has a line never waits for the disk: a thread of its own writes, and what comes
 * while too many lines wait is dropped and counted. Safe for any thread.
 */
final class AuditLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AuditLog.class);

  /** So many lines may wait. */
  static final int MOST_WAITING = 10_000;

  private static final int MOST_AT_ONCE = 1_000;
  private static final Duration END = Duration.ofSeconds(5);

  private final Path file;
  private final long mostBytes;
  private final int olderFiles;
  private final BlockingQueue<byte[]> waiting = new ArrayBlockingQueue<>(MOST_WAITING);
  private final Metrics.Counter written;
  private final Metrics.Counter dropped;
  private final Metrics.Counter failures;
  private final Thread writer;
  private volatile boolean closing;

  // Of the writer.
  private OutputStream out;
  private long size;
  private boolean failing;

  /**
   * Begins to write; the file and its folder are made with the first line.
   *
   * @param mostBytes after which the file is turned over
   * @param olderFiles that are kept beside it
   * @param name of the thread
   */
  AuditLog(Path file, long mostBytes, int olderFiles, Metrics metrics, String name) {
    this.file = file;
    this.mostBytes = mostBytes;
    this.olderFiles = olderFiles;
    written = metrics.counter("lines_written");
    dropped = metrics.counter("lines_dropped");
    failures = metrics.counter("write_errors");
    metrics.gauge("lines_waiting", waiting::size);
    writer = new Thread(this::write, name);
    writer.setDaemon(true);
    writer.setContextClassLoader(null);
    writer.start();
  }

  /** Hands over a line, its end included. Never waits. */
  void add(byte[] line) {
    if (closing || !waiting.offer(line)) {
      dropped.increment();
    }
  }

  private void write() {
    List<byte[]> lines = new ArrayList<>();
    try {
      while (!closing || !waiting.isEmpty()) {
        byte[] first = waiting.poll(100, TimeUnit.MILLISECONDS);
        if (first == null) {
          continue;
        }
        lines.add(first);
        waiting.drainTo(lines, MOST_AT_ONCE - 1);
        write(lines);
        lines.clear();
      }
    } catch (InterruptedException e) {
      dropped.add(waiting.size());
    } finally {
      release();
    }
  }

  private void write(List<byte[]> lines) {
    int done = 0;
    try {
      for (byte[] line : lines) {
        if (out != null && size + line.length > mostBytes) {
          turnOver();
        }
        if (out == null) {
          open();
        }
        out.write(line);
        size += line.length;
        written.increment();
        done++;
      }
      if (failing) {
        failing = false;
        LOG.info("The audit log '{}' is written again", file);
      }
    } catch (IOException e) {
      failures.increment();
      dropped.add((long) lines.size() - done);
      release();
      if (!failing) {
        failing = true;
        LOG.warn("Lines of the audit log '{}' are dropped: it cannot be written", file, e);
      }
    }
  }

  private void open() throws IOException {
    Files.createDirectories(file.getParent());
    out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    size = Files.size(file);
    if (size >= mostBytes) {
      turnOver();
      open();
    }
  }

  private void turnOver() throws IOException {
    release();
    for (int i = olderFiles; i > 0; i--) {
      Path newer = i == 1 ? file : older(i - 1);
      if (Files.exists(newer)) {
        Files.move(newer, older(i), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Files.deleteIfExists(file);
  }

  private Path older(int number) {
    return file.resolveSibling(file.getFileName() + "." + number);
  }

  private void release() {
    if (out == null) {
      return;
    }
    try {
      out.close();
    } catch (IOException e) {
      LOG.warn("The audit log '{}' cannot be closed", file, e);
    }
    out = null;
  }

  /** Writes what waits, which has a limit. */
  @Override
  public void close() throws InterruptedException {
    closing = true;
    writer.join(END.toMillis());
    if (writer.isAlive()) {
      writer.interrupt();
    }
  }
}
