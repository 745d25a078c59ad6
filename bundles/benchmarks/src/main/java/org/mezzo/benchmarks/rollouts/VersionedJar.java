package org.mezzo.benchmarks.rollouts;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Collections;
import java.util.Random;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;

/** Bundles that differ in their version alone. Stateless. */
final class VersionedJar {
  private static final int NOISE_BYTES = 100 * 1024;

  private VersionedJar() {}

  /** A bundle in name only, of 100 KB. */
  static byte[] empty(String version) throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.putValue("Bundle-ManifestVersion", "2");
    attributes.putValue("Bundle-SymbolicName", "org.mezzo.benchmarks.rolled");
    attributes.putValue("Bundle-Version", version);
    byte[] noise = new byte[NOISE_BYTES];
    new Random(version.hashCode()).nextBytes(noise);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream out = new JarOutputStream(bytes, manifest)) {
      out.putNextEntry(new ZipEntry("noise"));
      out.write(noise);
    }
    return bytes.toByteArray();
  }

  /**
   * The bundle of a jar with another version.
   *
   * @param more what it imports besides, after a comma; empty for nothing
   */
  static byte[] of(String jar, String version, String more) throws IOException {
    Manifest manifest = new Manifest();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarFile source = new JarFile(jar)) {
      manifest.getMainAttributes().putAll(source.getManifest().getMainAttributes());
      manifest.getMainAttributes().putValue("Bundle-Version", version);
      if (!more.isEmpty()) {
        manifest
            .getMainAttributes()
            .merge(new Attributes.Name("Import-Package"), more, (all, it) -> all + "," + it);
      }
      try (JarOutputStream out = new JarOutputStream(bytes, manifest)) {
        for (JarEntry entry : Collections.list(source.entries())) {
          if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
            out.putNextEntry(new ZipEntry(entry.getName()));
            source.getInputStream(entry).transferTo(out);
          }
        }
      }
    }
    return bytes.toByteArray();
  }
}
