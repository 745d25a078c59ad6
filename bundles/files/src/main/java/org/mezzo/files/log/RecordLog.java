package org.mezzo.files.log;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A map on disk: a file of records, each one atomic write with a checksum. A process that dies
 * while writing leaves at most one incomplete record at the end, which is cut off at the next
 * start. When most of the file is history it is replaced by one that holds the contents only. Safe
 * for any thread; blocks. Whoever opens it sees to it that nobody else has it open.
 */
public final class RecordLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RecordLog.class);
  private static final int HEADER = 3 * Integer.BYTES;
  private static final int MAGIC = 0x4d5a5231;

  /** Below this size a file is not worth replacing. */
  private static final long COMPACT_FROM = 4 << 20;

  /**
   * One change.
   *
   * @param value null deletes the key
   */
  public record Change(String key, byte[] value) {}

  private final String name;
  private final String remedy;
  private final Path dir;
  private final Path file;
  private final Map<String, byte[]> contents = new TreeMap<>();
  private FileChannel channel;
  private long live;

  /** Why the file can no longer be written; null while it can. */
  private IOException broken;

  private RecordLog(String name, String remedy, Path dir) {
    this.name = name;
    this.remedy = remedy;
    this.dir = dir;
    this.file = dir.resolve("log");
  }

  /**
   * Opens the log of a folder, which is made if it is not there.
   *
   * @param name what it is, as messages begin: "Registry"
   * @param remedy what can be done about a file that is damaged before its end
   * @throws IOException when it cannot be read, or is damaged before its end; nothing is changed
   *     then
   */
  public static RecordLog open(String name, String remedy, Path dir) throws IOException {
    Files.createDirectories(dir);
    RecordLog log = new RecordLog(name, remedy, dir);
    try {
      log.recover();
      return log;
    } catch (IOException | RuntimeException e) {
      log.close();
      throw e;
    }
  }

  /**
   * What could be read of a log that may be damaged.
   *
   * @param lost the parts of the file that could not be read, in words; empty when all could
   */
  public record Salvaged(RecordLog log, List<String> lost) {}

  /**
   * Opens the log of a folder with whatever can be read of it. The records behind a damaged part
   * count, so that something may be there again that was deleted in it. A damaged file stays as it
   * is under another name, before a new one takes its place.
   *
   * @param aside where a damaged file goes; beside it, and nothing may be there
   * @throws IOException when it cannot be read at all, or the new one cannot be written; nothing is
   *     changed then
   */
  public static Salvaged salvage(String name, Path dir, Path aside) throws IOException {
    Files.createDirectories(dir);
    RecordLog log = new RecordLog(name, "", dir);
    try {
      List<String> lost = log.salvage();
      if (!lost.isEmpty()) {
        Files.createLink(aside, log.file);
        log.replace();
      }
      return new Salvaged(log, lost);
    } catch (IOException | RuntimeException e) {
      log.close();
      throw e;
    }
  }

  private List<String> salvage() throws IOException {
    openChannel();
    List<String> lost = new ArrayList<>();
    long size = channel.size();
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    long end = 0;
    while (end < size) {
      byte[] payload;
      try {
        payload = readRecord(header, end, size);
      } catch (DamagedException e) {
        payload = null;
      }
      if (payload != null) {
        end += HEADER + payload.length;
        List<Change> read = understood(payload);
        if (read == null) {
          lost.add("a record before byte " + end + " that is none of this version");
        } else {
          read.forEach(this::put);
        }
        continue;
      }
      long next = nextRecord(end + 1, size);
      if (next == size && lost.isEmpty() && isIncomplete(end, size)) {
        cut(end, size);
        size = end;
        break;
      }
      lost.add("bytes " + end + " to " + (next - 1));
      end = next;
    }
    channel.position(Math.min(end, size));
    return lost;
  }

  /** Whether this is the end of a write that never came to its end, which is no damage. */
  private boolean isIncomplete(long at, long size) throws IOException {
    try {
      return readRecord(ByteBuffer.allocate(HEADER), at, size) == null;
    } catch (DamagedException e) {
      return false;
    }
  }

  private static List<Change> understood(byte[] payload) {
    try {
      return changes(payload);
    } catch (IOException | RuntimeException e) {
      return null;
    }
  }

  /** Where the next record begins that is whole; the size of the file if there is none. */
  private long nextRecord(long from, long size) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    ByteBuffer window = ByteBuffer.allocate(1 << 16);
    for (long at = from; at + HEADER <= size; at += window.capacity() - HEADER) {
      window.clear().limit((int) Math.min(window.capacity(), size - at));
      readFully(window, at);
      for (int i = 0; i + HEADER <= window.limit(); i++) {
        if (window.getInt(i) == MAGIC && isRecord(header, at + i, size)) {
          return at + i;
        }
      }
    }
    return size;
  }

  private boolean isRecord(ByteBuffer header, long at, long size) throws IOException {
    try {
      return readRecord(header, at, size) != null;
    } catch (DamagedException e) {
      return false;
    }
  }

  /** A part before the end cannot be read. */
  private static final class DamagedException extends IOException {
    private static final long serialVersionUID = 1;

    DamagedException(String message) {
      super(message);
    }
  }

  /** A copy; the arrays are shared and must not be changed. */
  public synchronized Map<String, byte[]> contents() {
    return new TreeMap<>(contents);
  }

  /**
   * Makes one batch durable, as a whole.
   *
   * @throws IOException when it is not; nothing of it stays then, or the log takes no more
   */
  public synchronized void store(List<Change> changes) throws IOException {
    if (broken != null) {
      throw new IOException(
          name + " " + file + " takes no writes since one failed half way; restart this process",
          broken);
    }
    if (changes.isEmpty()) {
      return;
    }
    long end = channel.position();
    try {
      write(channel, record(changes));
      channel.force(false);
    } catch (IOException e) {
      takeBack(end, e);
      throw e;
    }
    changes.forEach(this::put);
    if (channel.position() > COMPACT_FROM && channel.position() > 4 * live) {
      try {
        replace();
      } catch (IOException e) {
        // What was written is safe in the file as it is.
        LOG.warn("{} {} cannot be made smaller now: {}", name, file, e.toString());
      }
    }
  }

  /** Removes what a failed write has left, which would stand in the way of the next. */
  private void takeBack(long end, IOException failure) {
    try {
      channel.truncate(end);
      channel.force(true);
    } catch (IOException e) {
      failure.addSuppressed(e);
      broken = failure;
    }
  }

  @Override
  public synchronized void close() {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      LOG.warn("Closing {} failed: {}", file, e.toString());
    }
  }

  private void put(Change change) {
    byte[] before =
        change.value() == null
            ? contents.remove(change.key())
            : contents.put(change.key(), change.value());
    if (before != null) {
      live -= change.key().length() + before.length;
    }
    if (change.value() != null) {
      live += change.key().length() + change.value().length;
    }
  }

  private void openChannel() throws IOException {
    channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private void recover() throws IOException {
    openChannel();
    long end = 0;
    long size = channel.size();
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    while (end < size) {
      byte[] payload = readRecord(header, end, size);
      if (payload == null) {
        cut(end, size);
        break;
      }
      changes(payload).forEach(this::put);
      end += HEADER + payload.length;
    }
    channel.position(end);
    sync(dir);
  }

  /** The record at a position, or null when the file's incomplete end begins there. */
  private byte[] readRecord(ByteBuffer header, long at, long size) throws IOException {
    if (size - at < HEADER) {
      return null;
    }
    readFully(header.clear(), at);
    header.flip();
    int magic = header.getInt();
    int length = header.getInt();
    int sum = header.getInt();
    if (magic == MAGIC && length >= 0 && length <= size - at - HEADER) {
      ByteBuffer payload = ByteBuffer.allocate(length);
      readFully(payload, at + HEADER);
      if (checksum(payload.array()) == sum) {
        return payload.array();
      }
      if (at + HEADER + length == size) {
        return null;
      }
      throw damaged(at);
    }
    // Space that was reserved but not written reads as zeros after a power failure.
    if (magic == MAGIC || (magic == 0 && zeros(at, size))) {
      return null;
    }
    throw damaged(at);
  }

  private DamagedException damaged(long at) {
    return new DamagedException(
        name + " " + file + " is damaged at byte " + at + ", before its end; " + remedy);
  }

  private boolean zeros(long from, long size) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(8192);
    for (long at = from; at < size; at += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), size - at));
      readFully(buffer, at);
      for (int i = 0; i < buffer.limit(); i++) {
        if (buffer.get(i) != 0) {
          return false;
        }
      }
    }
    return true;
  }

  private void readFully(ByteBuffer buffer, long at) throws IOException {
    long position = at;
    while (buffer.hasRemaining()) {
      int count = channel.read(buffer, position);
      if (count < 0) {
        throw new IOException(name + " " + file + " has shrunk while it was read");
      }
      position += count;
    }
  }

  private void cut(long end, long size) throws IOException {
    LOG.warn(
        "{} {} ends with an incomplete write of {} bytes, which is cut off",
        name,
        file,
        size - end);
    channel.truncate(end);
    channel.force(true);
  }

  private void replace() throws IOException {
    Path next = dir.resolve("log.next");
    List<Change> changes = new ArrayList<>();
    contents.forEach((key, value) -> changes.add(new Change(key, value)));
    FileChannel written =
        FileChannel.open(
            next,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    FileChannel before = channel;
    try {
      for (Change change : changes) {
        write(written, record(List.of(change)));
      }
      written.force(true);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      written.close();
      throw e;
    }
    channel = written;
    before.close();
    sync(dir);
  }

  private static void sync(Path dir) throws IOException {
    try (FileChannel folder = FileChannel.open(dir, StandardOpenOption.READ)) {
      folder.force(true);
    }
  }

  private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static ByteBuffer record(List<Change> changes) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeInt(changes.size());
    for (Change change : changes) {
      byte[] key = change.key().getBytes(StandardCharsets.UTF_8);
      out.writeInt(key.length);
      out.write(key);
      if (change.value() == null) {
        out.writeInt(-1);
      } else {
        out.writeInt(change.value().length);
        out.write(change.value());
      }
    }
    byte[] payload = bytes.toByteArray();
    ByteBuffer record = ByteBuffer.allocate(HEADER + payload.length);
    record.putInt(MAGIC).putInt(payload.length).putInt(checksum(payload)).put(payload);
    return record.flip();
  }

  private static List<Change> changes(byte[] payload) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(payload));
    int count = in.readInt();
    List<Change> changes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String key = new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
      int length = in.readInt();
      changes.add(new Change(key, length < 0 ? null : in.readNBytes(length)));
    }
    return changes;
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, bytes.length);
    return (int) crc.getValue();
  }
}
