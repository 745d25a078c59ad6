package org.mezzo.itests.osgi;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.itests.allocators.HangingAllocator;
import org.mezzo.itests.allocators.HangingStartAllocator;
import org.mezzo.itests.allocators.IdleAllocator;
import org.mezzo.itests.allocators.LyingAllocator;
import org.mezzo.itests.allocators.NullAllocator;
import org.mezzo.itests.allocators.RefusingAllocator;
import org.mezzo.itests.allocators.ThrowingAllocator;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * Bundles with allocators, good and bad. Apart from the tests, as it runs outside the framework.
 */
final class AllocatorBundles {
  /** The shipped allocator's bundle. */
  static final String SHIPPED = "org.mezzo.allocator.drf";

  /** The round-robin example under the name of the shipped allocator. */
  static final String OTHER = "org.mezzo.itests.allocator.other";

  /** The round-robin example under its own name. */
  static final String ROUND_ROBIN = "org.mezzo.itests.allocator.roundrobin";

  /** The shipped allocator in a bundle that deployment has not heard of. */
  static final String PLAIN = "org.mezzo.itests.allocator.plain";

  /** Bad allocators in a bundle of their own. */
  static final String BAD = "org.mezzo.itests.allocator.bad";

  private static final String HIERARCHICAL = "hierarchical";

  private AllocatorBundles() {}

  /** The version that the test asks for at its n-th operation. */
  static String version(int n) {
    return "1.0." + n;
  }

  /** Builds good ones, {@code versions} of each and two contents of each version of the shipped. */
  static Path good(int versions) throws IOException {
    Path folder = BuildFolders.create("allocators");
    Path shipped = shipped();
    Path example = Path.of(System.getProperty("mezzo.examples.allocator"));
    for (int n = 0; n < versions; n++) {
      variant(shipped, SHIPPED, n, "a", HIERARCHICAL, folder);
      variant(shipped, SHIPPED, n, "b", HIERARCHICAL, folder);
      variant(shipped, PLAIN, n, "a", HIERARCHICAL, folder);
      variant(example, OTHER, n, "a", HIERARCHICAL, folder);
    }
    variant(example, ROUND_ROBIN, 0, "a", "round-robin", folder);
    return BuildFolders.goneAtExit(folder);
  }

  /** The file that holds one of {@link #good}. */
  static Path jar(Path folder, String symbolicName, int n, String content) {
    return folder.resolve(symbolicName + "-" + version(n) + content + ".jar");
  }

  /** Builds bad ones, each as the newest version of the shipped one and in a bundle of its own. */
  static Path bad() throws IOException {
    Path folder = BuildFolders.create("allocators");
    int n = 0;
    for (String name : new String[] {SHIPPED, BAD}) {
      bad(name, n++, ThrowingAllocator.class, folder, "throwing");
      bad(name, n++, HangingAllocator.class, folder, "hanging");
      bad(name, n++, HangingStartAllocator.class, folder, "hanging-start");
      bad(name, n++, RefusingAllocator.class, folder, "refusing");
      bad(name, n++, LyingAllocator.class, folder, "lying");
      bad(name, n++, NullAllocator.class, folder, "null");
      bundle(name, n++, LyingAllocator.class)
          .header("Bundle-Activator", "org.nowhere.Activator")
          .build(folder.resolve(name + "-activator.jar"));
    }
    variant(shipped(), SHIPPED, 99, "a", HIERARCHICAL, folder);
    return BuildFolders.goneAtExit(folder);
  }

  private static void bad(
      String symbolicName, int n, Class<? extends Allocator> type, Path folder, String file)
      throws IOException {
    bundle(symbolicName, n, type).build(folder.resolve(symbolicName + "-" + file + ".jar"));
  }

  private static ModuleBundle bundle(String symbolicName, int n, Class<? extends Allocator> type)
      throws IOException {
    return ModuleBundle.of(symbolicName, "2.0." + n)
        .header(
            "Import-Package",
            "org.mezzo.api,org.mezzo.api.allocator,org.mezzo.resources,org.mezzo.protocol.v1")
        .with(IdleAllocator.class)
        .module(type, Allocator.class, Allocator.KIND, HIERARCHICAL);
  }

  private static Path shipped() throws IOException {
    try (Stream<Path> jars =
        Files.list(Path.of(System.getProperty("mezzo.distribution"), "modules"))) {
      return jars.filter(jar -> jar.getFileName().toString().startsWith("mezzo-allocator-drf"))
          .findFirst()
          .orElseThrow();
    }
  }

  /** Copies a bundle under other names; {@code content} makes jars of one version differ. */
  private static void variant(
      Path bundle, String symbolicName, int n, String content, String module, Path folder)
      throws IOException {
    try (JarFile in = new JarFile(bundle.toFile())) {
      Manifest manifest = new Manifest(in.getManifest());
      Attributes attributes = manifest.getMainAttributes();
      attributes.putValue("Bundle-SymbolicName", symbolicName);
      attributes.putValue("Bundle-Version", version(n));
      attributes.putValue("Mezzo-Content", content);
      Path target = jar(folder, symbolicName, n, content);
      try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(target), manifest)) {
        for (JarEntry entry : Collections.list(in.entries())) {
          if (entry.isDirectory() || entry.getName().equals(JarFile.MANIFEST_NAME)) {
            continue;
          }
          byte[] bytes;
          try (InputStream stream = in.getInputStream(entry)) {
            bytes = stream.readAllBytes();
          }
          if (entry.getName().startsWith("OSGI-INF/") && entry.getName().endsWith(".xml")) {
            bytes =
                new String(bytes, StandardCharsets.UTF_8)
                    .replace("\"round-robin\"", "\"" + module + "\"")
                    .getBytes(StandardCharsets.UTF_8);
          }
          out.putNextEntry(new JarEntry(entry.getName()));
          out.write(bytes);
          out.closeEntry();
        }
      }
    }
  }
}
