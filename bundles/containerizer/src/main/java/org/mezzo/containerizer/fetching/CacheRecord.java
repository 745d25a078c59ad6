package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;

/**
 * What is kept of one entry of the cache for a later process of the agent. It appears when the
 * entry's file is whole and goes before that does, each time in one step: a file without a record
 * is no entry.
 *
 * @param key a digest of user and URI, which may have a password
 * @param user whose folder the file is in
 * @param file its name
 * @param digest of the file's content, SHA-256 in hexadecimal
 * @param version as the fetcher told it; empty when it told nothing
 */
record CacheRecord(
    String key, String user, String file, long size, String digest, Optional<String> version) {
  private static final String FORMAT = "1";
  private static final int LARGEST = 65_536;
  private static final int PIECE = 1 << 17;

  /**
   * Reads a record.
   *
   * @throws IOException when it is none of this version of the format
   */
  static CacheRecord read(Path file) throws IOException {
    Properties values = new Properties();
    try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
      values.load(new StringReader(new String(in.readNBytes(LARGEST), StandardCharsets.UTF_8)));
      CacheRecord record =
          new CacheRecord(
              text(values, "key"),
              text(values, "user"),
              text(values, "file"),
              Long.parseLong(text(values, "size")),
              text(values, "sha256"),
              Optional.ofNullable(values.getProperty("version")));
      if (!FORMAT.equals(values.getProperty("format"))
          || record.size <= 0
          || record.user.contains("/")
          || record.file.contains("/")) {
        throw new IOException("it is of another format");
      }
      return record;
    } catch (IllegalArgumentException e) {
      throw new IOException("it is damaged", e);
    }
  }

  private static String text(Properties values, String name) throws IOException {
    String value = values.getProperty(name);
    if (value == null || value.isEmpty()) {
      throw new IOException("it says nothing of '" + name + "'");
    }
    return value;
  }

  /** Writes it in one step. */
  void write(Path target) throws IOException {
    Properties values = new Properties();
    values.setProperty("format", FORMAT);
    values.setProperty("key", key);
    values.setProperty("user", user);
    values.setProperty("file", file);
    values.setProperty("size", Long.toString(size));
    values.setProperty("sha256", digest);
    version.ifPresent(text -> values.setProperty("version", text));
    StringWriter text = new StringWriter();
    values.store(text, null);
    Path part = target.resolveSibling(target.getFileName() + ".part");
    Files.deleteIfExists(part);
    try (FileChannel out =
        FileChannel.open(
            part,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text.toString());
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
    }
    Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
  }

  /** By what an entry is known (rule 329). */
  static String key(String user, String uri) {
    return HexFormat.of()
        .formatHex(sha256().digest((user + "@" + uri).getBytes(StandardCharsets.UTF_8)));
  }

  /** The digest of a file's content. Blocks for as long as it takes to read it. */
  static String digest(Path file) throws IOException, InterruptedException {
    MessageDigest digest = sha256();
    ByteBuffer piece = ByteBuffer.allocate(PIECE);
    try (FileChannel in =
        FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
      while (in.read(piece.clear()) >= 0) {
        digest.update(piece.flip());
      }
    } catch (java.nio.channels.ClosedByInterruptException e) {
      Thread.interrupted();
      throw new InterruptedException("It is not wanted any more");
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every JDK has SHA-256", e);
    }
  }
}
