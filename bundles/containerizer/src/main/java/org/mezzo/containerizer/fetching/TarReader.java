package org.mezzo.containerizer.fetching;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Reads a tar archive: that of version 7, ustar, GNU's long names and big numbers, and the extended
 * headers of pax. Sparse files and parts of several volumes are refused.
 */
final class TarReader {
  private static final int BLOCK = 512;
  private static final int LONGEST_NAME = 65_536;
  private static final int LONGEST_HEADER = 1 << 20;

  /** What may stand behind the end of an archive; reading it shows whether that was whole. */
  private static final int MOST_PADDING = 1 << 20;

  private final InputStream in;
  private final UnpackedTree tree;
  private final byte[] header = new byte[BLOCK];

  private TarReader(InputStream in, UnpackedTree tree) {
    this.in = in;
    this.tree = tree;
  }

  /** Unpacks everything up to the end of the archive. */
  static void read(InputStream in, UnpackedTree tree) throws IOException, InterruptedException {
    new TarReader(in, tree).read();
    in.readNBytes(MOST_PADDING);
  }

  private void read() throws IOException, InterruptedException {
    String longName = null;
    String longLink = null;
    Map<String, String> extended = Map.of();
    while (readHeader()) {
      long size = number(124, 12);
      char type = (char) (header[156] & 0xff);
      switch (type) {
        case 'L' -> longName = longText(size);
        case 'K' -> longLink = longText(size);
        case 'x', 'X' -> extended = extended(size);
        case 'g' -> extended(size);
        case 'V' -> skip(size);
        default -> {
          member(type, size, longName, longLink, extended);
          longName = null;
          longLink = null;
          extended = Map.of();
        }
      }
    }
  }

  private void member(
      char type, long plainSize, String longName, String longLink, Map<String, String> extended)
      throws IOException, InterruptedException {
    String name = extended.getOrDefault("path", longName == null ? plainName() : longName);
    String link = extended.getOrDefault("linkpath", longLink == null ? text(157, 100) : longLink);
    int mode = (int) (number(100, 8) & 07777);
    long size = plainSize;
    FileTime changed = FileTime.from(number(136, 12), TimeUnit.SECONDS);
    if (extended.keySet().stream().anyMatch(key -> key.startsWith("GNU.sparse."))) {
      throw refused(name, "is a sparse file; pack it without (GNU tar: without --sparse)");
    }
    try {
      if (extended.containsKey("size")) {
        size = Long.parseLong(extended.get("size"));
      }
      if (extended.containsKey("mtime")) {
        changed = FileTime.from((long) Double.parseDouble(extended.get("mtime")), TimeUnit.SECONDS);
      }
    } catch (NumberFormatException e) {
      throw refused(name, "has an extended header that is damaged");
    }
    if (size < 0) {
      throw refused(name, "has a size below zero");
    }
    switch (type) {
      case '0', '\0', '7' -> {
        if (name.endsWith("/")) {
          // So said version 7.
          tree.folder(name, mode);
          skip(size);
        } else {
          Content content = new Content(name, size);
          tree.file(name, content, mode, changed);
          skipPadding(size);
        }
      }
      case '1' -> {
        tree.hardLink(name, link);
        skip(size);
      }
      case '2' -> {
        tree.symbolicLink(name, link);
        skip(size);
      }
      case '5', 'D' -> {
        tree.folder(name, mode);
        skip(size);
      }
      case '3', '4' -> throw refused(name, "is a device");
      case '6' -> throw refused(name, "is a FIFO");
      case 'S' ->
          throw refused(name, "is a sparse file; pack it without (GNU tar: without --sparse)");
      case 'M' -> throw refused(name, "goes on from another volume");
      default ->
          throw refused(name, "is of the unknown type '" + UnpackedTree.shown("" + type) + "'");
    }
  }

  private static ArchiveException refused(String name, String why) {
    return new ArchiveException("its member '" + UnpackedTree.shown(name) + "' " + why);
  }

  /** False at the end of the archive. */
  private boolean readHeader() throws IOException {
    int length = in.readNBytes(header, 0, BLOCK);
    if (length == 0) {
      return false;
    }
    if (length < BLOCK) {
      throw new ArchiveException("ends in the middle, or is no tar archive");
    }
    long unsigned = 0;
    long signed = 0;
    boolean zero = true;
    for (int i = 0; i < BLOCK; i++) {
      boolean sum = i >= 148 && i < 156;
      unsigned += sum ? ' ' : header[i] & 0xff;
      signed += sum ? ' ' : header[i];
      zero &= header[i] == 0;
    }
    if (zero) {
      return false;
    }
    long expected = number(148, 8);
    if (expected != unsigned && expected != signed) {
      throw new ArchiveException("is no tar archive, or is damaged");
    }
    return true;
  }

  private String plainName() throws ArchiveException {
    String name = text(0, 100);
    boolean ustar = header[257] == 'u' && header[258] == 's' && header[262] == 0;
    String prefix = ustar ? text(345, 155) : "";
    return prefix.isEmpty() ? name : prefix + "/" + name;
  }

  private String text(int offset, int length) throws ArchiveException {
    int end = offset;
    while (end < offset + length && header[end] != 0) {
      end++;
    }
    return utf8(header, offset, end - offset);
  }

  private static String utf8(byte[] bytes, int offset, int length) throws ArchiveException {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, offset, length))
          .toString();
    } catch (CharacterCodingException e) {
      throw new ArchiveException("a member's name is not in UTF-8; pack it in a UTF-8 locale");
    }
  }

  /** Octal digits, or big-endian bytes when the first bit is set. */
  private long number(int offset, int length) throws ArchiveException {
    if ((header[offset] & 0x80) != 0) {
      long value = (header[offset] & 0x40) != 0 ? -1 : 0;
      for (int i = offset; i < offset + length; i++) {
        int next = i == offset ? header[i] & 0x3f | (value < 0 ? 0xc0 : 0) : header[i] & 0xff;
        if (value > Long.MAX_VALUE >> 8 || value < Long.MIN_VALUE >> 8) {
          throw new ArchiveException("has a number that is too large");
        }
        value = value << 8 | next;
      }
      return value;
    }
    long value = 0;
    boolean begun = false;
    for (int i = offset; i < offset + length; i++) {
      int c = header[i];
      if (c >= '0' && c <= '7') {
        value = value * 8 + c - '0';
        begun = true;
      } else if (c == 0 || c == ' ') {
        if (begun) {
          break;
        }
      } else {
        throw new ArchiveException("is no tar archive, or is damaged");
      }
    }
    return value;
  }

  private String longText(long size) throws IOException {
    byte[] bytes = small(size, LONGEST_NAME);
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return utf8(bytes, 0, end);
  }

  private Map<String, String> extended(long size) throws IOException {
    byte[] bytes = small(size, LONGEST_HEADER);
    Map<String, String> values = new HashMap<>();
    int at = 0;
    while (at < bytes.length && bytes[at] != 0) {
      int blank = at;
      int length = 0;
      while (blank < bytes.length && bytes[blank] >= '0' && bytes[blank] <= '9') {
        length = Math.min(LONGEST_HEADER + 1, length * 10 + bytes[blank] - '0');
        blank++;
      }
      int end = at + length;
      int equal = blank + 1;
      while (equal < Math.min(end, bytes.length) && bytes[equal] != '=') {
        equal++;
      }
      if (end > bytes.length || equal >= end || bytes[blank] != ' ') {
        throw new ArchiveException("has an extended header that is damaged");
      }
      String key = new String(bytes, blank + 1, equal - blank - 1, StandardCharsets.UTF_8);
      if (key.equals("path") || key.equals("linkpath")) {
        values.put(key, utf8(bytes, equal + 1, end - equal - 2));
      } else {
        values.put(key, new String(bytes, equal + 1, end - equal - 2, StandardCharsets.ISO_8859_1));
      }
      at = end;
    }
    return values;
  }

  private byte[] small(long size, int most) throws IOException {
    if (size < 0 || size > most) {
      throw new ArchiveException("has a header of " + size + " bytes; " + most + " are the most");
    }
    byte[] bytes = in.readNBytes((int) size);
    if (bytes.length < size) {
      throw new ArchiveException("ends in the middle");
    }
    skipPadding(size);
    return bytes;
  }

  private void skip(long size) throws IOException {
    if (size < 0) {
      throw new ArchiveException("has a member with a size below zero");
    }
    skipExactly(size);
    skipPadding(size);
  }

  private void skipPadding(long size) throws IOException {
    skipExactly((BLOCK - size % BLOCK) % BLOCK);
  }

  private void skipExactly(long count) throws IOException {
    try {
      in.skipNBytes(count);
    } catch (EOFException e) {
      throw new ArchiveException("ends in the middle");
    }
  }

  /** The bytes of one member. */
  private final class Content extends PartStream {
    private final String name;

    Content(String name, long size) {
      super(size);
      this.name = name;
    }

    @Override
    int next(byte[] bytes, int offset, int length) throws IOException {
      return in.read(bytes, offset, length);
    }

    @Override
    IOException cutOff() {
      return refused(name, "ends in the middle");
    }
  }
}
