package org.mezzo.shell.commands;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the path of a jar can be. */
final class Paths {
  /** Of larger folders not all is looked at. */
  private static final int MOST_LOOKED_AT = 10_000;

  private Paths() {}

  /** Folders, with a slash behind them, and jars that begin so; hidden ones when a dot is typed. */
  static List<String> jars(String begun) {
    String folder = begun.substring(0, begun.lastIndexOf('/') + 1);
    String name = begun.substring(folder.length());
    List<String> found = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of(folder))) {
      int looked = 0;
      for (Path entry : entries) {
        String entryName = entry.getFileName().toString();
        if (looked++ == MOST_LOOKED_AT) {
          break;
        }
        if (!entryName.startsWith(name) || (entryName.startsWith(".") && name.isEmpty())) {
          continue;
        }
        if (Files.isDirectory(entry)) {
          found.add(folder + entryName + "/");
        } else if (entryName.endsWith(".jar")) {
          found.add(folder + entryName);
        }
      }
    } catch (IOException | DirectoryIteratorException | InvalidPathException e) {
      return List.of();
    }
    return found;
  }
}
