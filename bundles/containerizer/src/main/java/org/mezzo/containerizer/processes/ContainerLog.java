package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import org.mezzo.containerizer.ContainerId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is written of containers before it is done. Entries, and what is to be done once they are
 * written, are collected on the loop and handed over together, many in one write, on a thread of
 * the log's own. The file outlives this process, not the machine: after a reboot none of its
 * containers runs, so nothing is forced to the disk.
 *
 * <p>The file begins with the boot id of the machine; an entry is its length and checksum, four
 * bytes each, and its bytes. One that is cut off or damaged ends what is read. A file that has
 * grown to more than it has to say is written anew beside its place and moved there.
 */
final class ContainerLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerLog.class);
  private static final byte[] FORMAT = "mezzo containers 1\n".getBytes(StandardCharsets.US_ASCII);
  private static final int LARGEST_ENTRY = 64 << 20;
  private static final long SMALL = 1 << 20;
  private static final int FRAME = 8;

  /**
   * What an earlier process wrote.
   *
   * @param sameBoot whether the machine has not been started since
   * @param containers an outer one before those in it
   */
  record Found(boolean sameBoot, Map<ContainerId, Checkpoint> containers) {}

  /** What the loop has come to in one turn. */
  private record Turn(List<byte[]> entries, boolean anew, List<Effect> effects) {}

  /** What is to be done, and what instead when the entries before it could not be written. */
  private record Effect(Runnable work, Consumer<IOException> refused) {}

  private final Path file;
  private final String boot;
  private final Supplier<List<byte[]>> everything;
  private final Runnable failed;
  private final LinkedBlockingQueue<Turn> turns = new LinkedBlockingQueue<>();
  private final Thread writer;

  // Of the loop.
  private List<byte[]> entries = new ArrayList<>();
  private List<Effect> effects = new ArrayList<>();
  private long compacted;

  // Of the writer.
  private FileChannel channel;
  private volatile boolean damaged;

  private volatile long size;
  private volatile boolean closed;

  /**
   * Opens the log with nothing in it but what is known.
   *
   * @param boot the boot id of the machine
   * @param known entries that say all that is known
   * @param everything entries that say all that is known at the time; called on the loop
   * @param failed called when entries could not be written
   */
  ContainerLog(
      Path file,
      String boot,
      String thread,
      List<byte[]> known,
      Supplier<List<byte[]>> everything,
      Runnable failed)
      throws IOException {
    this.file = file;
    this.boot = boot;
    this.everything = everything;
    this.failed = failed;
    rewrite(known);
    compacted = size;
    writer = Lanes.thread(thread, this::write);
    writer.start();
  }

  /** What was written before; nothing when there is no such file, or it is not one of these. */
  static Found read(Path file, String boot) throws IOException {
    Map<ContainerId, Checkpoint> known = new LinkedHashMap<>();
    ByteBuffer in;
    try {
      in = ByteBuffer.wrap(Files.readAllBytes(file));
    } catch (NoSuchFileException e) {
      return new Found(true, known);
    }
    byte[] format = new byte[FORMAT.length];
    if (in.remaining() < format.length || !java.util.Arrays.equals(FORMAT, read(in, format))) {
      LOG.error("{} is no log of containers that this version can read; it starts anew", file);
      return new Found(true, known);
    }
    boolean sameBoot = true;
    boolean first = true;
    while (in.hasRemaining()) {
      int at = in.position();
      byte[] entry = entry(in);
      try {
        if (entry.length == 0) {
          throw new IOException("it is cut off or has another checksum");
        }
        if (first) {
          sameBoot = boot.equals(new String(entry, StandardCharsets.UTF_8));
          first = false;
        } else {
          Checkpoint.read(entry, known);
        }
      } catch (IOException e) {
        LOG.error(
            "{} is damaged at byte {} of {}, what comes after it is not known: {}",
            file,
            at,
            in.capacity(),
            e.getMessage());
        break;
      }
    }
    return new Found(sameBoot, known);
  }

  private static byte[] read(ByteBuffer in, byte[] bytes) {
    in.get(bytes);
    return bytes;
  }

  private static byte[] entry(ByteBuffer in) {
    if (in.remaining() < FRAME) {
      return new byte[0];
    }
    int length = in.getInt();
    int sum = in.getInt();
    if (length <= 0 || length > Math.min(LARGEST_ENTRY, in.remaining())) {
      return new byte[0];
    }
    byte[] entry = read(in, new byte[length]);
    return sum(entry) == sum ? entry : new byte[0];
  }

  private static int sum(byte[] entry) {
    CRC32 sum = new CRC32();
    sum.update(entry);
    return (int) sum.getValue();
  }

  /** Adds an entry to those of this turn. On the loop. */
  void add(byte[] entry) {
    entries.add(entry);
  }

  /** Does something once all entries so far are written, or cannot be. On the loop. */
  void then(Runnable work) {
    effects.add(new Effect(work, failure -> work.run()));
  }

  /**
   * Does something once all entries so far are written. On the loop.
   *
   * @param refused called instead when they could not be
   */
  void then(Runnable work, Consumer<IOException> refused) {
    effects.add(new Effect(work, refused));
  }

  /** Hands over what was collected; the end of a turn of the loop. */
  void commit() {
    if (entries.isEmpty() && effects.isEmpty()) {
      return;
    }
    boolean anew = size > SMALL && size > 2 * compacted || damaged;
    if (anew) {
      entries = everything.get();
      compacted = entries.stream().mapToLong(entry -> entry.length + FRAME).sum();
    }
    turns.add(new Turn(entries, anew, effects));
    entries = new ArrayList<>();
    effects = new ArrayList<>();
  }

  /** Turns that are not written yet. */
  int waiting() {
    return turns.size();
  }

  private void write() {
    List<Turn> batch = new ArrayList<>();
    try {
      while (!closed || !turns.isEmpty()) {
        Turn first = turns.poll(1, TimeUnit.SECONDS);
        if (first == null) {
          continue;
        }
        batch.add(first);
        turns.drainTo(batch);
        write(batch);
        batch.clear();
      }
    } catch (InterruptedException e) {
      LOG.debug("No more is written to {}", file);
    } finally {
      try {
        channel.close();
      } catch (IOException e) {
        LOG.debug("Closing {}", file, e);
      }
    }
  }

  private void write(List<Turn> batch) {
    IOException failure = null;
    try {
      List<byte[]> pending = new ArrayList<>();
      for (Turn turn : batch) {
        if (turn.anew()) {
          pending.clear();
          rewrite(turn.entries());
        } else {
          pending.addAll(turn.entries());
        }
      }
      if (!pending.isEmpty()) {
        append(pending);
      }
    } catch (IOException e) {
      failure = e;
      damaged = true;
      LOG.error("Cannot write {}: no container is launched until that works again", file, e);
      failed.run();
    }
    for (Turn turn : batch) {
      for (Effect effect : turn.effects()) {
        try {
          if (failure == null) {
            effect.work().run();
          } else {
            effect.refused().accept(failure);
          }
        } catch (RuntimeException | Error e) {
          LOG.error("What follows an entry of {} failed", file, e);
        }
      }
    }
  }

  private void append(List<byte[]> added) throws IOException {
    ByteBuffer out = frames(added);
    long before = channel.position();
    try {
      while (out.hasRemaining()) {
        channel.write(out);
      }
    } catch (IOException e) {
      // What is read ends at the first entry that is cut off; no good one may come behind it.
      channel.truncate(before);
      channel.position(before);
      throw e;
    }
    size = channel.position();
  }

  private void rewrite(List<byte[]> all) throws IOException {
    List<byte[]> complete = new ArrayList<>();
    complete.add(boot.getBytes(StandardCharsets.UTF_8));
    complete.addAll(all);
    Path next = file.resolveSibling(file.getFileName() + ".new");
    Files.deleteIfExists(next);
    FileChannel opened =
        FileChannel.open(
            next,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      ByteBuffer out = frames(complete);
      ByteBuffer head = ByteBuffer.wrap(FORMAT);
      while (head.hasRemaining()) {
        opened.write(head);
      }
      while (out.hasRemaining()) {
        opened.write(out);
      }
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      opened.close();
      throw e;
    }
    if (channel != null) {
      channel.close();
    }
    channel = opened;
    size = opened.position();
    damaged = false;
  }

  private static ByteBuffer frames(List<byte[]> added) {
    ByteBuffer out =
        ByteBuffer.allocate(added.stream().mapToInt(entry -> entry.length + FRAME).sum());
    for (byte[] entry : added) {
      out.putInt(entry.length).putInt(sum(entry)).put(entry);
    }
    return out.flip();
  }

  /** Writes what was handed over, for a moment at most, and ends. */
  @Override
  public void close() {
    closed = true;
    try {
      writer.join(2_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    writer.interrupt();
  }
}
