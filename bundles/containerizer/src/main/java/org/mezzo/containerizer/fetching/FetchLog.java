package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a fetch tells in the {@code stderr} of its sandbox (rule 327), without the secrets of its
 * URIs. Safe for any thread.
 *
 * <p>The sandbox belongs to the task's user, who may have put anything there. The file is opened
 * once, before anything is fetched, only if it is a regular file with no other name, and without
 * waiting for a reader of a pipe. A log that cannot be opened is left out.
 */
final class FetchLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FetchLog.class);
  private static final Set<? extends java.nio.file.OpenOption> OPTIONS =
      Set.of(
          StandardOpenOption.READ,
          StandardOpenOption.WRITE,
          StandardOpenOption.CREATE,
          LinkOption.NOFOLLOW_LINKS);

  /** Tells nobody. */
  static final FetchLog NONE = of(line -> {});

  private final Path file;
  private final Transfers.Teller instead;
  private final Map<String, String> masks = new LinkedHashMap<>();
  private FileChannel channel;

  private FetchLog(Path file, Transfers.Teller instead) {
    this.file = file;
    this.instead = instead;
  }

  /** One that somebody else takes the lines of. */
  static FetchLog of(Transfers.Teller teller) {
    return new FetchLog(null, teller);
  }

  static FetchLog open(Path sandbox, Iterable<Item> items) {
    FetchLog log = new FetchLog(sandbox.resolve("stderr"), null);
    for (Item item : items) {
      log.masks.putAll(item.masks());
    }
    try {
      log.channel = open(log.file);
    } catch (IOException e) {
      LOG.warn("What is fetched into {} is told nowhere: {}", sandbox, e.toString());
    }
    return log;
  }

  private static FileChannel open(Path file) throws IOException {
    checkPlain(file);
    // To read as well: then a pipe that has taken the file's place meanwhile does not block.
    FileChannel opened = FileChannel.open(file, OPTIONS);
    try {
      // Only files have a position.
      opened.position(opened.size());
      opened.position();
      checkPlain(file);
      return opened;
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  private static void checkPlain(Path file) throws IOException {
    try {
      Map<String, Object> attributes =
          Files.readAttributes(file, "unix:isRegularFile,nlink", LinkOption.NOFOLLOW_LINKS);
      if (!Boolean.TRUE.equals(attributes.get("isRegularFile"))) {
        throw new IOException("'" + file + "' is no regular file");
      }
      if (!Integer.valueOf(1).equals(attributes.get("nlink"))) {
        throw new IOException("'" + file + "' has another name");
      }
    } catch (NoSuchFileException e) {
      return;
    }
  }

  /** Adds a line. */
  synchronized void tell(String line) {
    if (instead != null) {
      instead.tell(masked(line));
    }
    if (channel == null) {
      return;
    }
    try {
      ByteBuffer bytes = ByteBuffer.wrap((masked(line) + "\n").getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      LOG.warn("Cannot write to {}: {}", file, e.toString());
    }
  }

  /** A text without the secrets of the URIs. */
  String masked(String text) {
    String masked = text;
    for (Map.Entry<String, String> mask : masks.entrySet()) {
      masked = masked.replace(mask.getKey(), mask.getValue());
    }
    return masked;
  }

  @Override
  public synchronized void close() {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        LOG.debug("Cannot close {}", file, e);
      }
      channel = null;
    }
  }
}
