package org.mezzo.master.rollouts;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.osgi.framework.Version;

/**
 * A jar that somebody wants in the cluster, as far as a master has to know it. Whether it can run
 * is for hosts to find out.
 *
 * @param sha256 in lower case hexadecimal
 * @param content not to be changed
 */
public record UploadedJar(String symbolicName, String version, String sha256, byte[] content) {
  private static final byte[] END_OF_DIRECTORY = {'P', 'K', 5, 6};

  /** The end of a zip file is not further from its last byte than its comment is long. */
  private static final int MOST_BEHIND_END = 22 + 0xffff;

  /**
   * Reads a jar.
   *
   * @throws IllegalArgumentException when it is no bundle; says what is wrong and what to do
   */
  public static UploadedJar read(byte[] content) {
    if (content.length == 0) {
      throw new IllegalArgumentException("No jar was sent: the body of the request is empty");
    }
    if (!hasEnd(content)) {
      throw new IllegalArgumentException(
          "What was sent is no jar, or the end of it is missing; send the whole file");
    }
    Attributes headers = headers(content);
    String name = headers.getValue("Bundle-SymbolicName");
    if (name == null || name.isBlank()) {
      throw new IllegalArgumentException(
          "The jar is no OSGi bundle: its manifest has no Bundle-SymbolicName");
    }
    String version = headers.getValue("Bundle-Version");
    return new UploadedJar(
        name.split(";", 2)[0].strip(), version(version), digest(content), content);
  }

  private static String version(String text) {
    try {
      return Version.parseVersion(text).toString();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("Bundle-Version of the jar: " + e.getMessage(), e);
    }
  }

  private static boolean hasEnd(byte[] content) {
    int first = Math.max(0, content.length - MOST_BEHIND_END);
    for (int at = content.length - END_OF_DIRECTORY.length; at >= first; at--) {
      boolean same = true;
      for (int i = 0; i < END_OF_DIRECTORY.length; i++) {
        same &= content[at + i] == END_OF_DIRECTORY[i];
      }
      if (same) {
        return true;
      }
    }
    return false;
  }

  private static Attributes headers(byte[] content) {
    try (ZipInputStream zip =
        new ZipInputStream(new ByteArrayInputStream(content), StandardCharsets.UTF_8)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().equals(JarFile.MANIFEST_NAME)) {
          return new Manifest(zip).getMainAttributes();
        }
      }
    } catch (IOException | IllegalArgumentException e) {
      throw new IllegalArgumentException("What was sent cannot be read as a jar: " + e, e);
    }
    throw new IllegalArgumentException("The jar is no OSGi bundle: it has no manifest");
  }

  private static String digest(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
