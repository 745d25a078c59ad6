package org.mezzo.deployment.journal;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/**
 * The bytes of bundles, each in a file named by its SHA-256. What is taken in is never read again
 * from where it came from, so nobody can exchange it between being checked and being used. Used by
 * one thread.
 */
public final class BundleStore {
  private static final String JAR = ".jar";
  private static final String PART = ".part";

  private final Path folder;

  /** Over a folder that exists and is nobody else's. */
  BundleStore(Path folder) {
    this.folder = folder;
  }

  /** The SHA-256 of a file, in hexadecimal. */
  public static String digest(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  /**
   * Takes in a file, read to its end.
   *
   * @param expected the digest that it had when it was looked at
   * @return where the bytes are from now on
   * @throws IOException also when it has another digest
   */
  public Path stage(Path source, String expected) throws IOException {
    Path kept = file(expected);
    if (holds(expected)) {
      return kept;
    }
    Path part = folder.resolve(expected + PART);
    MessageDigest digest = sha256();
    try {
      try (InputStream in = new DigestInputStream(Files.newInputStream(source), digest)) {
        Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
      }
      if (!HexFormat.of().formatHex(digest.digest()).equals(expected)) {
        throw new IOException(source + " was changed while it was read; it is looked at again");
      }
      Files.move(part, kept, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
    return kept;
  }

  /** Whether the bytes are there and are what they should be. */
  public boolean holds(String digest) throws IOException {
    Path kept = file(digest);
    return Files.isRegularFile(kept) && digest(kept).equals(digest);
  }

  /** Where the bytes of a digest are, if they are there. */
  public Path file(String digest) {
    return folder.resolve(digest + JAR);
  }

  /** Whether a path is one of this store's. */
  public boolean owns(Path file) {
    return folder.equals(file.getParent());
  }

  /** Makes the bytes of a digest outlive the machine, and not the process alone. */
  public void force(String digest) throws IOException {
    // Not a channel, which an interrupt would close.
    try (RandomAccessFile kept = new RandomAccessFile(file(digest).toFile(), "rw")) {
      kept.getFD().sync();
    }
    JournalFile.sync(folder);
  }

  /** Deletes all others. */
  public void retain(Set<String> digests) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        boolean kept = name.endsWith(JAR) && digests.contains(name.replace(JAR, ""));
        if (!kept) {
          Files.deleteIfExists(file);
        }
      }
    }
  }
}
