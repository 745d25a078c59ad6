package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;

/**
 * Reads a zip archive by its directory, with the modes and links that it keeps of Unix files, also
 * one behind a program that unpacks itself. Members must be stored or deflated, and not encrypted.
 */
final class ZipReader {
  private static final int END = 0x06054b50;
  private static final int END_64 = 0x06064b50;
  private static final int LOCATOR_64 = 0x07064b50;
  private static final int ENTRY = 0x02014b50;
  private static final int LOCAL = 0x04034b50;
  private static final int END_LENGTH = 22;
  private static final int LONGEST_COMMENT = 65_535;
  private static final int UNIX = 3;
  private static final int TYPE = 0170000;
  private static final int LINK = 0120000;
  private static final int FOLDER = 0040000;
  private static final int FILE = 0100000;
  private static final int LONGEST_LINK = 4096;
  private static final Charset OLD_NAMES = StandardCharsets.ISO_8859_1;

  private final FileChannel file;
  private final FetchLog log;
  private final UnpackedTree tree;

  /** What stands before the archive, as a program that unpacks it does. */
  private long before;

  private ZipReader(FileChannel file, FetchLog log, UnpackedTree tree) {
    this.file = file;
    this.log = log;
    this.tree = tree;
  }

  static void read(Path archive, FetchLog log, UnpackedTree tree)
      throws IOException, InterruptedException {
    try (FileChannel file = FileChannel.open(archive, StandardOpenOption.READ)) {
      new ZipReader(file, log, tree).read();
    }
  }

  private void read() throws IOException, InterruptedException {
    long end = end();
    ByteBuffer last = bytes(end, END_LENGTH);
    long count = last.getShort(10) & 0xffff;
    long size = last.getInt(12) & 0xffffffffL;
    long offset = last.getInt(16) & 0xffffffffL;
    long directoryEnd = end;
    if (end >= 20 && bytes(end - 20, 20).getInt(0) == LOCATOR_64) {
      long end64 = bytes(end - 20, 20).getLong(8);
      if (end64 < 0 || end64 > end - 76 || bytes(end64, 4).getInt(0) != END_64) {
        // Something stands before the archive.
        end64 = end - 76;
      }
      if (end64 < 0 || bytes(end64, 4).getInt(0) != END_64) {
        throw damaged();
      }
      ByteBuffer record = bytes(end64, 56);
      count = record.getLong(32);
      size = record.getLong(40);
      offset = record.getLong(48);
      directoryEnd = end64;
    }
    long at = directoryEnd - size;
    before = at - offset;
    if (size < 0 || offset < 0 || at < 0 || before < 0 || count < 0) {
      throw damaged();
    }
    if (before > 0) {
      log.tell("The archive has " + before + " extra bytes at its beginning");
    }
    for (long i = 0; i < count; i++) {
      ByteBuffer entry = bytes(at, 46);
      if (entry.getInt(0) != ENTRY) {
        throw damaged();
      }
      int name = entry.getShort(28) & 0xffff;
      int extra = entry.getShort(30) & 0xffff;
      int comment = entry.getShort(32) & 0xffff;
      member(entry, bytes(at + 46, name + extra), name);
      at += 46L + name + extra + comment;
      if (at > directoryEnd) {
        throw damaged();
      }
    }
  }

  private long end() throws IOException {
    long size = file.size();
    int length = (int) Math.min(size, END_LENGTH + LONGEST_COMMENT);
    ByteBuffer tail = bytes(size - length, length);
    for (int at = length - END_LENGTH; at >= 0; at--) {
      if (tail.getInt(at) == END && (tail.getShort(at + 20) & 0xffff) <= length - at - END_LENGTH) {
        return size - length + at;
      }
    }
    throw new ArchiveException("is no zip archive, or is damaged: it has no directory");
  }

  private void member(ByteBuffer entry, ByteBuffer texts, int nameLength)
      throws IOException, InterruptedException {
    int flags = entry.getShort(8);
    String name =
        new String(
            texts.array(),
            0,
            nameLength,
            (flags & 0x800) != 0 || isUtf8(texts.array(), nameLength)
                ? StandardCharsets.UTF_8
                : OLD_NAMES);
    long compressed = entry.getInt(20) & 0xffffffffL;
    long size = entry.getInt(24) & 0xffffffffL;
    long offset = entry.getInt(42) & 0xffffffffL;
    // What did not fit stands in this order in an extra field.
    int at = nameLength;
    while (at + 4 <= texts.limit()) {
      int id = texts.getShort(at) & 0xffff;
      int length = texts.getShort(at + 2) & 0xffff;
      if (id == 1 && at + 4 + length <= texts.limit()) {
        int value = at + 4;
        int fieldEnd = value + length;
        if (size == 0xffffffffL && value + 8 <= fieldEnd) {
          size = texts.getLong(value);
          value += 8;
        }
        if (compressed == 0xffffffffL && value + 8 <= fieldEnd) {
          compressed = texts.getLong(value);
          value += 8;
        }
        if (offset == 0xffffffffL && value + 8 <= fieldEnd) {
          offset = texts.getLong(value);
        }
      }
      at += 4 + length;
    }
    int mode = (entry.getShort(4) >> 8 & 0xff) == UNIX ? entry.getInt(38) >>> 16 : 0;
    FileTime changed = time(entry.getShort(14) & 0xffff, entry.getShort(12) & 0xffff);
    if (name.endsWith("/") || (mode & TYPE) == FOLDER) {
      tree.folder(name, mode == 0 ? 0755 : mode);
      return;
    }
    if ((flags & 1) != 0) {
      throw refused(name, "is encrypted");
    }
    int type = mode & TYPE;
    if (type != 0 && type != FILE && type != LINK) {
      throw refused(name, "is no file, folder or link");
    }
    CRC32 sum = new CRC32();
    Inflater inflater = new Inflater(true);
    try (InputStream content =
        new CheckedInputStream(
            content(name, entry.getShort(10), offset, compressed, inflater), sum)) {
      if (type == LINK) {
        byte[] target = content.readNBytes(LONGEST_LINK + 1);
        tree.symbolicLink(name, new String(target, StandardCharsets.UTF_8));
      } else {
        tree.file(name, content, (mode & 0777) == 0 ? 0644 : mode, changed);
      }
    } catch (java.util.zip.ZipException | java.io.EOFException e) {
      throw refused(name, "is damaged");
    } finally {
      inflater.end();
    }
    if (sum.getValue() != (entry.getInt(16) & 0xffffffffL)) {
      throw refused(name, "is damaged: its checksum is wrong");
    }
  }

  private InputStream content(
      String name, int method, long offset, long compressed, Inflater inflater) throws IOException {
    long start = before + offset;
    if (offset < 0 || compressed < 0 || start > file.size() - 30) {
      throw damaged();
    }
    ByteBuffer local = bytes(start, 30);
    if (local.getInt(0) != LOCAL) {
      throw damaged();
    }
    long data = start + 30 + (local.getShort(26) & 0xffff) + (local.getShort(28) & 0xffff);
    if (data > file.size() - compressed) {
      throw damaged();
    }
    Section section = new Section(data, compressed);
    return switch (method) {
      case 0 -> section;
      case 8 -> new InflaterInputStream(section, inflater, 65_536);
      default -> throw refused(name, "is compressed by method " + method + "; deflate it");
    };
  }

  private static FileTime time(int date, int time) {
    try {
      return FileTime.from(
          LocalDateTime.of(
                  1980 + (date >> 9),
                  date >> 5 & 15,
                  date & 31,
                  time >> 11,
                  time >> 5 & 63,
                  2 * (time & 31))
              .atZone(ZoneId.systemDefault())
              .toInstant());
    } catch (DateTimeException e) {
      return null;
    }
  }

  private static boolean isUtf8(byte[] bytes, int length) {
    return java.util.Arrays.equals(
        new String(bytes, 0, length, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8),
        java.util.Arrays.copyOf(bytes, length));
  }

  private static ArchiveException refused(String name, String why) {
    return new ArchiveException("its member '" + UnpackedTree.shown(name) + "' " + why);
  }

  private static ArchiveException damaged() {
    return new ArchiveException("is damaged: its directory says what cannot be");
  }

  private ByteBuffer bytes(long position, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (file.read(bytes, position + bytes.position()) < 0) {
        throw damaged();
      }
    }
    return bytes.flip();
  }

  /** A part of the file. */
  private final class Section extends PartStream {
    private long at;

    Section(long start, long length) {
      super(length);
      this.at = start;
    }

    @Override
    int next(byte[] bytes, int offset, int length) throws IOException {
      int count = file.read(ByteBuffer.wrap(bytes, offset, length), at);
      at += Math.max(0, count);
      return count;
    }

    @Override
    IOException cutOff() {
      return damaged();
    }
  }
}
