package org.mezzo.cli;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a project is made of: {@code pom.xml} and all below {@code src}. It is looked at again and
 * again, since editors exchange files in many ways and not every file system tells of it.
 */
final class SourceWatch {
  private final Path project;

  /** One look: size and time of each file. */
  record Look(Map<Path, String> stamps) {

    /** The files that are not as they were, whether there or gone. */
    Set<Path> changedSince(Look before) {
      Set<Path> changed = new TreeSet<>(stamps.keySet());
      changed.addAll(before.stamps.keySet());
      changed.removeIf(
          file -> {
            String stamp = stamps.get(file);
            return stamp != null && stamp.equals(before.stamps.get(file));
          });
      return changed;
    }
  }

  /**
   * Looks at a project.
   *
   * @param project the folder with the POM
   */
  SourceWatch(Path project) {
    this.project = project;
  }

  /** Looks once; paths are those in the project. */
  Look look() throws IOException {
    Map<Path, String> stamps = new TreeMap<>();
    SimpleFileVisitor<Path> visitor =
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = file.getFileName().toString();
            // What editors leave beside a file is none of the project's.
            if (!name.startsWith(".") && !name.endsWith("~")) {
              stamps.put(
                  project.relativize(file),
                  attributes.size() + " " + attributes.lastModifiedTime());
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException gone) {
            return FileVisitResult.CONTINUE;
          }
        };
    Files.walkFileTree(project.resolve("pom.xml"), visitor);
    Files.walkFileTree(project.resolve("src"), visitor);
    return new Look(stamps);
  }
}
