package org.mezzo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A bundle that was just built. Its author leaves the version as it is from build to build; in the
 * cluster each build is a version of its own, so that one takes over from the other while that one
 * still works. Of two builds with one version the second would be an update in place, with a gap.
 *
 * @param jar as it was built
 * @param symbolicName its name in the framework
 * @param version its own
 */
record DevelopedBundle(Path jar, String symbolicName, String version) {
  private static final String VERSION = "Bundle-Version";
  private static final Pattern ATTACHED =
      Pattern.compile(".*-(sources|javadoc|tests|test-sources)\\.jar");
  private static final Pattern SIGNATURE = Pattern.compile("META-INF/[^/]+\\.(SF|RSA|DSA|EC)");
  private static final DateTimeFormatter QUALIFIER =
      DateTimeFormatter.ofPattern("'dev'-yyyyMMdd-HHmmss-SSS").withZone(ZoneOffset.UTC);

  /**
   * The bundle that a folder got last.
   *
   * @param target where Maven puts jars
   * @return empty when there is no bundle
   */
  static Optional<DevelopedBundle> newestIn(Path target) throws IOException {
    Optional<DevelopedBundle> newest = Optional.empty();
    if (!Files.isDirectory(target)) {
      return newest;
    }
    try (Stream<Path> files = Files.list(target)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (!name.endsWith(".jar") || ATTACHED.matcher(name).matches()) {
          continue;
        }
        Optional<DevelopedBundle> bundle = read(file);
        if (bundle.isPresent()
            && (newest.isEmpty()
                || Files.getLastModifiedTime(newest.get().jar)
                        .compareTo(Files.getLastModifiedTime(file))
                    < 0)) {
          newest = bundle;
        }
      }
    }
    return newest;
  }

  private static Optional<DevelopedBundle> read(Path file) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      Manifest manifest = jar.getManifest();
      String name =
          manifest == null ? null : manifest.getMainAttributes().getValue("Bundle-SymbolicName");
      if (name == null) {
        return Optional.empty();
      }
      String version =
          Optional.ofNullable(manifest.getMainAttributes().getValue(VERSION)).orElse("0.0.0");
      return Optional.of(
          new DevelopedBundle(file, name.replaceFirst(";.*", "").strip(), version.strip()));
    }
  }

  /** The version that a build of that moment has in the cluster. */
  String versionAt(Instant built) {
    String[] parts = version.split("\\.", 4);
    StringBuilder text = new StringBuilder(parts[0]);
    for (int i = 1; i < 3; i++) {
      text.append('.').append(i < parts.length ? parts[i] : "0");
    }
    text.append('.').append(parts.length == 4 ? parts[3] + "-" : "");
    return text + QUALIFIER.format(built);
  }

  private String filesBeginWith() {
    return symbolicName + "-dev-";
  }

  /** Deletes the files of other builds from a modules folder, after one has taken over. */
  void removeOthers(Path folder, Path taken) throws IOException {
    List<Path> others;
    try (Stream<Path> files = Files.list(folder)) {
      others =
          files
              .filter(file -> file.getFileName().toString().startsWith(filesBeginWith()))
              .filter(file -> !file.equals(taken))
              .toList();
    }
    for (Path other : others) {
      Files.deleteIfExists(other);
    }
  }

  /**
   * Puts it into a modules folder, in one step and beside what is there: while a file is exchanged,
   * another one of the same bundle would be what is left.
   *
   * @param as the version that it has there
   * @return where it is
   */
  Path putInto(Path folder, String as) throws IOException {
    // Whoever follows the folder leaves hidden files alone.
    String name = filesBeginWith() + as + ".jar";
    Path copy = folder.resolve("." + name + ".new");
    try {
      try (JarFile source = new JarFile(jar.toFile());
          OutputStream file = Files.newOutputStream(copy);
          JarOutputStream target = new JarOutputStream(file, versioned(source.getManifest(), as))) {
        for (Enumeration<JarEntry> entries = source.entries(); entries.hasMoreElements(); ) {
          JarEntry entry = entries.nextElement();
          // A signature is not that of the copy.
          if (!entry.getName().equals(JarFile.MANIFEST_NAME)
              && !SIGNATURE.matcher(entry.getName()).matches()) {
            JarEntry next = new JarEntry(entry.getName());
            next.setTime(entry.getTime());
            target.putNextEntry(next);
            try (InputStream content = source.getInputStream(entry)) {
              content.transferTo(target);
            }
          }
        }
      }
      return Files.move(
          copy,
          folder.resolve(name),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  private static Manifest versioned(Manifest manifest, String version) {
    Manifest copy = new Manifest(manifest);
    copy.getEntries().clear();
    copy.getMainAttributes().putValue(VERSION, version);
    return copy;
  }
}
