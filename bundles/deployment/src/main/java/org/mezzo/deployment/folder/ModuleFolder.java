package org.mezzo.deployment.folder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks into the hot folder. A jar counts once its size and times have stayed the same between two
 * looks and it is a readable jar; until then it is being copied and is not touched. Used by one
 * thread.
 */
public final class ModuleFolder {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleFolder.class);

  /**
   * What one look found.
   *
   * @param jars complete bundles
   * @param copying files that change
   * @param unreadable why a jar that does not change is none, by file
   */
  public record Look(List<ModuleJar> jars, Set<Path> copying, Map<Path, String> unreadable) {}

  private record Stamp(long size, long modified, long changed, Object key) {}

  private static final class Seen {
    Stamp stamp;
    long sinceNanos;
    ModuleJar jar;
    String problem;
  }

  private final Path dir;
  private final Duration settle;
  private final Map<Path, Seen> seen = new HashMap<>();
  private final Set<Path> ignored = new HashSet<>();

  /**
   * @param settle how long a file must not have changed
   */
  public ModuleFolder(Path dir, Duration settle) {
    this.dir = dir;
    this.settle = settle;
  }

  /** The folder's path. */
  public Path dir() {
    return dir;
  }

  /**
   * Looks once.
   *
   * @param first nothing was copied while nobody looked: readable jars count at once
   * @throws IOException when the folder cannot be listed
   */
  public Look look(boolean first) throws IOException {
    List<ModuleJar> jars = new ArrayList<>();
    Set<Path> copying = new HashSet<>();
    Map<Path, String> unreadable = new TreeMap<>();
    Set<Path> present = new HashSet<>();
    List<Path> files;
    try (Stream<Path> entries = Files.list(dir)) {
      files = entries.sorted().toList();
    }
    for (Path file : files) {
      if (!isJar(file)) {
        ignore(file);
        continue;
      }
      Stamp stamp;
      try {
        stamp = stamp(file);
      } catch (IOException e) {
        LOG.debug("{} went away while it was looked at", file, e);
        continue;
      }
      present.add(file);
      Seen known = seen.computeIfAbsent(file, f -> new Seen());
      if (!stamp.equals(known.stamp)) {
        known.stamp = stamp;
        known.sinceNanos = System.nanoTime();
        known.jar = null;
        known.problem = null;
      }
      boolean settled = System.nanoTime() - known.sinceNanos >= settle.toNanos();
      if (known.jar == null && known.problem == null && (settled || first)) {
        read(file, known, settled);
      }
      if (known.jar != null) {
        jars.add(known.jar);
      } else if (known.problem != null) {
        unreadable.put(file, known.problem);
      } else {
        copying.add(file);
      }
    }
    seen.keySet().retainAll(present);
    ignored.retainAll(files);
    return new Look(jars, copying, unreadable);
  }

  /** Every readable bundle that lies there now, whether it has settled or not. */
  public List<ModuleJar> readable() throws IOException {
    List<ModuleJar> jars = new ArrayList<>();
    try (Stream<Path> entries = Files.list(dir)) {
      for (Path file : entries.filter(ModuleFolder::isJar).sorted().toList()) {
        try {
          jars.add(ModuleJar.read(file, stamp(file).changed()));
        } catch (IOException e) {
          LOG.debug("{} is no bundle now", file, e);
        }
      }
    }
    return jars;
  }

  private void read(Path file, Seen known, boolean settled) {
    try {
      ModuleJar jar = ModuleJar.read(file, known.stamp.changed());
      if (Objects.equals(stamp(file), known.stamp)) {
        known.jar = jar;
      }
    } catch (IOException | RuntimeException e) {
      if (settled) {
        known.problem = e.getMessage() == null ? e.toString() : e.getMessage();
        LOG.warn("{} is not deployed: {}. Put a complete bundle there", file, known.problem);
      }
    }
  }

  private static boolean isJar(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".jar") && !name.startsWith(".") && Files.isRegularFile(file);
  }

  private void ignore(Path file) {
    boolean hidden = file.getFileName().toString().startsWith(".");
    if (ignored.add(file) && !hidden) {
      LOG.warn("{} is ignored: only files that end in .jar are deployed", file);
    }
  }

  private static Stamp stamp(Path file) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    long modified = attributes.lastModifiedTime().toMillis();
    long changed = modified;
    if (file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      // Unlike the time of modification it is not preserved when a file is copied or moved here.
      changed = ((FileTime) Files.getAttribute(file, "unix:ctime", new LinkOption[0])).toMillis();
    }
    return new Stamp(attributes.size(), modified, changed, attributes.fileKey());
  }
}
