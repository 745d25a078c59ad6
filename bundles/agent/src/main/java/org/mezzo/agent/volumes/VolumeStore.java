package org.mezzo.agent.volumes;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.mezzo.files.FileFailure;
import org.mezzo.files.TreeDeletion;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.DiskInfo.Source;
import org.mezzo.resources.Resource;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directories of persistent volumes (rule 173). Those on the agent's own disk and on PATH disks
 * are moved aside in one step when they are destroyed, and deleted later, so that a destroyed
 * volume is gone as a whole, and can be brought back while its end is not yet on record. Blocks;
 * for one thread at a time but where it says otherwise.
 */
public final class VolumeStore {
  private static final Logger LOG = LoggerFactory.getLogger(VolumeStore.class);

  private final Path workDir;
  private final Consumer<Path> discard;

  /**
   * Makes nothing yet.
   *
   * @param discard deletes a directory and all in it, some time later and on another thread
   */
  public VolumeStore(Path workDir, Consumer<Path> discard) {
    this.workDir = workDir.toAbsolutePath();
    this.discard = discard;
  }

  /** Something that was done and is either on record now or has to be undone. */
  public interface Change {
    /** It is on record. */
    void settle();

    /** It is not; everything is as it was. */
    void undo();
  }

  /**
   * Where a volume's data is. Safe for any thread.
   *
   * @throws IOException when it is on a disk that this agent cannot make volumes on; says which
   */
  public Path directory(Resource volume) throws IOException {
    if (source(volume).filter(it -> it.getType() == Source.Type.MOUNT).isPresent()) {
      return base(volume);
    }
    return base(volume).resolve(place("roles", volume));
  }

  private static Path place(String below, Resource volume) {
    return Path.of("volumes", below)
        .resolve(volume.reservationRole().orElseThrow().replace('/', ' '))
        .resolve(volume.kind().persistenceId().orElseThrow());
  }

  private static Optional<Source> source(Resource volume) {
    return volume.disk().filter(DiskInfo::hasSource).map(DiskInfo::getSource);
  }

  /** The folder above all volumes of a disk; the volume itself on a MOUNT disk. */
  private Path base(Resource disk) throws IOException {
    Optional<Source> source = source(disk);
    if (source.isEmpty()) {
      return workDir;
    }
    return switch (source.get().getType()) {
      case PATH -> root(disk, source.get().getPath().hasRoot(), source.get().getPath().getRoot());
      case MOUNT ->
          root(disk, source.get().getMount().hasRoot(), source.get().getMount().getRoot());
      case BLOCK, RAW, UNKNOWN ->
          throw new IOException(
              "This agent makes no volumes of disks of type "
                  + source.get().getType()
                  + ": "
                  + disk);
    };
  }

  private Path root(Resource disk, boolean given, String root) throws IOException {
    if (!given || root.isEmpty()) {
      throw new IOException("The disk has no 'root', so that no volume can be made of it: " + disk);
    }
    return workDir.resolve(root);
  }

  /**
   * What keeps a volume from being used, with the remedy; empty when nothing does. Safe for any
   * thread.
   */
  public Optional<String> obstacle(Resource volume) {
    try {
      checkMounted(volume);
      Path directory = directory(volume);
      if (!Files.isDirectory(directory)) {
        return Optional.of(
            "The directory of persistent volume "
                + volume
                + ", "
                + directory
                + ", is not there; bring it back, or destroy the volume");
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(FileFailure.reason(e));
    }
  }

  private void checkMounted(Resource volume) throws IOException {
    if (source(volume).filter(it -> it.getType() == Source.Type.MOUNT).isEmpty()) {
      return;
    }
    Path root = directory(volume);
    if (!MountTable.has(root)) {
      throw new IOException(
          "Nothing is mounted at " + root + ", the MOUNT disk of " + volume + "; mount it first");
    }
  }

  /** Makes the directories of new volumes. What is in one that is there already stays. */
  public Change create(Resources volumes) throws IOException {
    Deque<Path> made = new ArrayDeque<>();
    Change change =
        new Change() {
          @Override
          public void settle() {
            // They are there to stay.
          }

          @Override
          public void undo() {
            made.forEach(VolumeStore::removeEmpty);
          }
        };
    try {
      for (Resource volume : volumes) {
        checkMounted(volume);
        Path directory = directory(volume);
        if (source(volume).filter(it -> it.getType() == Source.Type.MOUNT).isPresent()) {
          continue;
        }
        Files.createDirectories(directory.getParent());
        try {
          Files.createDirectory(directory);
          made.push(directory);
        } catch (FileAlreadyExistsException e) {
          if (!Files.isDirectory(directory)) {
            throw e;
          }
          LOG.warn("The new persistent volume {} has what {} held before", volume, directory);
        }
      }
    } catch (IOException e) {
      change.undo();
      throw e;
    }
    return change;
  }

  private static void removeEmpty(Path directory) {
    try {
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      LOG.warn("{} stays, though its volume was not made: {}", directory, FileFailure.reason(e));
    }
  }

  private record Moved(Path from, Path to) {}

  /**
   * Takes the data of volumes away.
   *
   * @param name unique for this time, fit for a file name
   */
  public Change destroy(Resources volumes, String name) throws IOException {
    Deque<Moved> moved = new ArrayDeque<>();
    Set<Path> aside = new LinkedHashSet<>();
    List<Path> mounts = new ArrayList<>();
    Change change =
        new Change() {
          @Override
          public void settle() {
            aside.forEach(discard);
            mounts.forEach(VolumeStore::empty);
          }

          @Override
          public void undo() {
            // What cannot be brought back stays where it is.
            if (moved.stream().allMatch(VolumeStore::back)) {
              aside.forEach(discard);
            }
          }
        };
    try {
      for (Resource volume : volumes) {
        checkMounted(volume);
        Path directory = directory(volume);
        if (source(volume).filter(it -> it.getType() == Source.Type.MOUNT).isPresent()) {
          mounts.add(directory);
          continue;
        }
        Path to = base(volume).resolve(place("destroyed", name, volume));
        Files.createDirectories(to.getParent());
        aside.add(base(volume).resolve("volumes").resolve("destroyed").resolve(name));
        try {
          Files.move(directory, to, StandardCopyOption.ATOMIC_MOVE);
          moved.push(new Moved(directory, to));
        } catch (NoSuchFileException e) {
          LOG.warn("The destroyed persistent volume {} had no directory {}", volume, directory);
        }
      }
    } catch (IOException e) {
      change.undo();
      throw e;
    }
    return change;
  }

  private static Path place(String below, String name, Resource volume) {
    return place(below + "/" + name, volume);
  }

  private static boolean back(Moved moved) {
    try {
      Files.move(moved.to(), moved.from(), StandardCopyOption.ATOMIC_MOVE);
      return true;
    } catch (IOException e) {
      LOG.error(
          "The data of a volume that was not destroyed stays in {}; move it to {} by hand",
          moved.to(),
          moved.from(),
          e);
      return false;
    }
  }

  /**
   * The root of a mount cannot be moved. What is interrupted here leaves some of the data behind.
   */
  private static void empty(Path mount) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(mount)) {
      for (Path entry : entries) {
        TreeDeletion.delete(entry);
      }
    } catch (IOException e) {
      LOG.error("Data of a destroyed volume is left in {}; remove it by hand", mount, e);
    }
  }

  /**
   * Ends what an earlier process could not: brings back what was moved aside of volumes that are
   * still there, since their end is not on record, and deletes all else that was.
   *
   * @param total of which the disks are known
   */
  public void recover(Resources total) throws IOException {
    Set<Path> bases = new LinkedHashSet<>(List.of(workDir));
    for (Resource disk : total) {
      if (source(disk)
          .filter(it -> it.getType() == Source.Type.PATH && it.getPath().hasRoot())
          .isPresent()) {
        bases.add(base(disk));
      }
    }
    for (Path base : bases) {
      for (Path aside : children(base.resolve("volumes").resolve("destroyed"))) {
        for (Resource volume : total.persistentVolumes()) {
          Path from = base(volume).resolve(place("destroyed", aside.getFileName() + "", volume));
          if (base(volume).equals(base)
              && Files.exists(from, LinkOption.NOFOLLOW_LINKS)
              && !Files.exists(directory(volume), LinkOption.NOFOLLOW_LINKS)) {
            LOG.info("Brings the data of {} back, which was not destroyed", volume);
            Files.move(from, directory(volume), StandardCopyOption.ATOMIC_MOVE);
          }
        }
        discard.accept(aside);
      }
    }
  }

  private static List<Path> children(Path folder) throws IOException {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      entries.forEach(children::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    }
    return children;
  }
}
