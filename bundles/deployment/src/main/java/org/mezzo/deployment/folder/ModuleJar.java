package org.mezzo.deployment.folder;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/**
 * A complete jar that is a bundle.
 *
 * @param arrivedMillis when it came to its place, as far as the file system tells
 * @param digest of its content, in hexadecimal
 */
public record ModuleJar(
    Path path, String symbolicName, Version version, long arrivedMillis, String digest) {

  /**
   * Reads what a jar is.
   *
   * @throws IOException with a message for operators when it is no readable jar or no bundle that
   *     can be deployed
   */
  public static ModuleJar read(Path path, long arrivedMillis) throws IOException {
    try (JarFile jar = new JarFile(path.toFile(), false)) {
      Manifest manifest = jar.getManifest();
      if (manifest == null) {
        throw new IOException("it has no META-INF/MANIFEST.MF and so is no bundle");
      }
      Attributes headers = manifest.getMainAttributes();
      String symbolicName = headers.getValue(Constants.BUNDLE_SYMBOLICNAME);
      if (symbolicName == null) {
        throw new IOException(
            "its manifest has no Bundle-SymbolicName, so it is no bundle; build it with bnd");
      }
      if (headers.getValue(Constants.FRAGMENT_HOST) != null) {
        throw new IOException("it is a fragment, which cannot be deployed by itself");
      }
      int directives = symbolicName.indexOf(';');
      String version = headers.getValue(Constants.BUNDLE_VERSION);
      return new ModuleJar(
          path,
          (directives < 0 ? symbolicName : symbolicName.substring(0, directives)).strip(),
          Version.parseVersion(version),
          arrivedMillis,
          digest(path));
    } catch (IllegalArgumentException e) {
      throw new IOException("its Bundle-Version is no version: " + e.getMessage(), e);
    }
  }

  private static String digest(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[65_536];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  /** The name of its file. */
  public String fileName() {
    return path.getFileName().toString();
  }
}
