package org.mezzo.daemon.endpoints;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.border.Refused;
import org.mezzo.files.FileFailure;
import org.mezzo.files.OwnFolder;
import org.mezzo.http.BodyListener;
import org.mezzo.http.HttpExchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives jars into files of a folder that holds nothing else. What does not arrive whole leaves
 * nothing there, and what a killed process left is deleted before the next one receives anything.
 * Safe for any thread.
 */
final class ModuleUploads {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleUploads.class);

  /** So many are received at a time; each may take as much room on the disk as is allowed. */
  private static final int MOST = 4;

  private final Path folder;
  private final long mostBytes;
  private final AtomicInteger underWay = new AtomicInteger();
  private final Metrics.Counter turnedAway;
  private final Metrics.Counter tooLarge;
  private final Metrics.Counter cutOff;

  /**
   * Over a folder, which is emptied.
   *
   * @param mostBytes how large a jar may be
   * @param prefix what the names of metrics begin with
   * @throws IOException when the folder cannot be used
   */
  ModuleUploads(Path folder, long mostBytes, Metrics metrics, String prefix) throws IOException {
    this.folder = folder;
    this.mostBytes = mostBytes;
    OwnFolder.closed(folder, "Or choose another folder with --work_dir");
    try (DirectoryStream<Path> left = Files.newDirectoryStream(folder)) {
      for (Path file : left) {
        Files.delete(file);
      }
    }
    metrics.gauge(prefix + "/mezzo/module_uploads", underWay::get);
    turnedAway = metrics.counter(prefix + "/mezzo/module_uploads_turned_away");
    tooLarge = metrics.counter(prefix + "/mezzo/module_uploads_too_large");
    cutOff = metrics.counter(prefix + "/mezzo/module_uploads_cut_off");
  }

  /** A jar that has arrived whole; deleted when it is closed. */
  static final class Received implements AutoCloseable {
    private final Path file;

    private Received(Path file) {
      this.file = file;
    }

    Path file() {
      return file;
    }

    @Override
    public void close() {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        LOG.warn("{} stays until this daemon starts again: {}", file, e.toString());
      }
    }
  }

  /**
   * Receives the body of a request.
   *
   * @param expected the SHA-256 that it must have, in hexadecimal; empty when any will do
   * @return completes on a connector thread; fails with {@link Refused} when it is too large, is
   *     cut off, has another digest or cannot be kept
   * @throws Refused when nothing of it is received at all
   */
  CompletionStage<Received> receive(HttpExchange exchange, Optional<String> expected)
      throws Refused {
    if (exchange.header("Content-Length").map(ModuleUploads::length).orElse(0L) > mostBytes) {
      throw tooLarge();
    }
    if (underWay.incrementAndGet() > MOST) {
      underWay.decrementAndGet();
      turnedAway.increment();
      throw new Refused(503, MOST + " modules are being sent already. Try again later.\n");
    }
    Upload upload;
    try {
      upload = new Upload(expected);
    } catch (IOException e) {
      underWay.decrementAndGet();
      throw notKept(e);
    }
    exchange.receive(upload);
    return upload.received;
  }

  private static long length(String text) {
    try {
      return Long.parseLong(text.strip());
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private Refused tooLarge() {
    tooLarge.increment();
    return new Refused(
        413,
        "A module may have %d bytes here, and this is larger; --max_module_size says how many.\n"
            .formatted(mostBytes));
  }

  private static Refused notKept(IOException e) {
    return new Refused(507, "The module cannot be kept: " + FileFailure.reason(e) + "\n");
  }

  /** One jar on its way; its methods are called one after the other. */
  private final class Upload implements BodyListener {
    final CompletableFuture<Received> received = new CompletableFuture<>();
    private final Optional<String> expected;
    private final MessageDigest digest;
    private final Path file;
    private final FileChannel out;
    private long bytes;

    Upload(Optional<String> expected) throws IOException {
      this.expected = expected;
      try {
        digest = MessageDigest.getInstance("SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException("Every Java platform has SHA-256", e);
      }
      file = Files.createTempFile(folder, "upload", ".jar");
      out = FileChannel.open(file, StandardOpenOption.WRITE);
    }

    @Override
    public void bytes(ByteBuffer piece) {
      if (received.isDone()) {
        return;
      }
      bytes += piece.remaining();
      if (bytes > mostBytes) {
        refuse(tooLarge());
        return;
      }
      digest.update(piece.duplicate());
      try {
        while (piece.hasRemaining()) {
          out.write(piece);
        }
      } catch (IOException e) {
        refuse(notKept(e));
      }
    }

    @Override
    public void complete() {
      if (received.isDone()) {
        return;
      }
      String actual = HexFormat.of().formatHex(digest.digest());
      if (bytes == 0) {
        refuse(new Refused(400, "Expecting a module's jar in the request's body.\n"));
      } else if (expected.isPresent() && !expected.get().equals(actual)) {
        refuse(
            new Refused(
                400,
                "What arrived has the SHA-256 %s and not %s: it is another jar, or was changed on its way.\n"
                    .formatted(actual, expected.get())));
      } else {
        try {
          out.close();
        } catch (IOException e) {
          refuse(notKept(e));
          return;
        }
        underWay.decrementAndGet();
        received.complete(new Received(file));
      }
    }

    @Override
    public void failed(Throwable cause) {
      if (!received.isDone()) {
        cutOff.increment();
        refuse(new Refused(400, "The module was cut off after " + bytes + " bytes.\n"));
      }
    }

    private void refuse(Refused why) {
      try {
        out.close();
      } catch (IOException e) {
        LOG.debug("{} is not closed", file, e);
      }
      new Received(file).close();
      underWay.decrementAndGet();
      received.completeExceptionally(why);
    }
  }
}
