package org.mezzo.deployment.journal;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of lines, each with a checksum and fields between tabs, that is only ever appended to or
 * replaced as a whole. A process that dies while it writes leaves at most one incomplete line at
 * the end, which is cut off when the file is opened. Not thread-safe. An interrupt does it no harm.
 */
final class JournalFile implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JournalFile.class);
  private static final int SUM = 8;

  private final Path file;
  private final List<List<String>> entries = new ArrayList<>();
  private RandomAccessFile out;

  private JournalFile(Path file) {
    this.file = file;
  }

  /**
   * Opens it, made if it is not there.
   *
   * @throws IOException when it cannot be read or written
   */
  static JournalFile open(Path file) throws IOException {
    JournalFile journal = new JournalFile(file);
    journal.recover();
    return journal;
  }

  /** What it held when it was opened, the oldest first; each may be asked for once. */
  List<List<String>> takeEntries() {
    List<List<String>> taken = List.copyOf(entries);
    entries.clear();
    return taken;
  }

  /** In bytes. */
  long size() throws IOException {
    return out.getFilePointer();
  }

  /**
   * Adds a line.
   *
   * @param force whether it must outlive the machine, and not the process alone
   */
  void append(List<String> fields, boolean force) throws IOException {
    long end = out.getFilePointer();
    try {
      out.write(line(fields));
      if (force) {
        force();
      }
    } catch (IOException e) {
      // What a failed write has left would spoil the next line.
      out.setLength(end);
      throw e;
    }
  }

  /** Makes all that was added outlive the machine. */
  void force() throws IOException {
    out.getFD().sync();
  }

  /** Puts other lines in the place of all. */
  void replace(List<List<String>> lines) throws IOException {
    Path next = file.resolveSibling(file.getFileName() + ".next");
    Files.deleteIfExists(next);
    RandomAccessFile written = new RandomAccessFile(next.toFile(), "rw");
    try {
      for (List<String> fields : lines) {
        written.write(line(fields));
      }
      written.getFD().sync();
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      written.close();
      throw e;
    }
    RandomAccessFile before = out;
    out = written;
    before.close();
    sync(file.getParent());
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  private void recover() throws IOException {
    boolean fresh = !Files.exists(file);
    out = new RandomAccessFile(file.toFile(), "rw");
    byte[] bytes = Files.readAllBytes(file);
    int end = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != '\n') {
        continue;
      }
      Optional<List<String>> fields =
          fields(new String(bytes, end, i - end, StandardCharsets.UTF_8));
      if (fields.isPresent()) {
        entries.add(fields.get());
      } else if (i == bytes.length - 1) {
        break;
      } else {
        LOG.warn("{} is damaged at byte {}; what that line said is forgotten", file, end);
      }
      end = i + 1;
    }
    if (end < bytes.length) {
      LOG.warn(
          "{} ends with an incomplete write of {} bytes, which is cut off",
          file,
          bytes.length - end);
      out.setLength(end);
    }
    out.seek(end);
    if (fresh) {
      sync(file.getParent());
    }
  }

  /** Makes what was renamed or made in a folder outlive the machine. */
  static void sync(Path folder) throws IOException {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static byte[] line(List<String> fields) {
    String text = String.join("\t", fields.stream().map(JournalFile::escaped).toList());
    return (sum(text) + "\t" + text + "\n").getBytes(StandardCharsets.UTF_8);
  }

  private static Optional<List<String>> fields(String line) {
    if (line.length() <= SUM || line.charAt(SUM) != '\t') {
      return Optional.empty();
    }
    String text = line.substring(SUM + 1);
    if (!line.substring(0, SUM).equals(sum(text))) {
      return Optional.empty();
    }
    List<String> fields = new ArrayList<>();
    for (String field : text.split("\t", -1)) {
      fields.add(plain(field));
    }
    return Optional.of(List.copyOf(fields));
  }

  private static String sum(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, bytes.length);
    return String.format("%08x", crc.getValue());
  }

  private static String escaped(String field) {
    return field
        .replace("\\", "\\\\")
        .replace("\t", "\\t")
        .replace("\n", "\\n")
        .replace("\r", "\\r");
  }

  private static String plain(String field) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\' && i + 1 < field.length()) {
        char escape = field.charAt(++i);
        text.append(escape == 't' ? '\t' : escape == 'n' ? '\n' : escape == 'r' ? '\r' : escape);
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }
}
