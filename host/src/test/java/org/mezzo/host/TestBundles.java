package org.mezzo.host;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;

/** Bundles made on the spot. */
final class TestBundles {
  private TestBundles() {}

  static void bundle(Path folder, String name, Map<String, String> headers, Class<?>... classes) {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.putValue("Bundle-ManifestVersion", "2");
    attributes.putValue("Bundle-SymbolicName", name);
    headers.forEach(attributes::putValue);
    try {
      Files.createDirectories(folder);
      try (OutputStream file = Files.newOutputStream(folder.resolve(name + ".jar"));
          JarOutputStream jar = new JarOutputStream(file, manifest)) {
        for (Class<?> type : classes) {
          String entry = type.getName().replace('.', '/') + ".class";
          jar.putNextEntry(new ZipEntry(entry));
          try (InputStream code = type.getClassLoader().getResourceAsStream(entry)) {
            code.transferTo(jar);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts the stock Configuration Admin into the first level. */
  static void configurationAdmin(Path system) {
    try {
      Path jar =
          Path.of(
              Class.forName("org.apache.felix.cm.PersistenceManager")
                  .getProtectionDomain()
                  .getCodeSource()
                  .getLocation()
                  .toURI());
      Path level = Files.createDirectories(system.resolve("01"));
      Files.copy(jar, level.resolve(jar.getFileName()));
    } catch (ReflectiveOperationException | IOException | URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
