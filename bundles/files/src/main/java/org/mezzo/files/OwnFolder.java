package org.mezzo.files;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Folders that hold what this process trusts, such as commands it runs: they must belong to its
 * user and be writable for nobody else, and nobody else may be able to put another one in their
 * place.
 */
public final class OwnFolder {
  private static final int TYPE = 0170000;
  private static final int DIRECTORY = 0040000;
  private static final int LINK = 0120000;
  private static final int STICKY = 01000;
  private static final int OTHERS_WRITE = 0022;
  private static final int EVERYBODY_WRITES = 0002;
  private static final int OTHERS = 0077;
  private static final int ROOT = 0;

  private final Path folder;
  private final String remedy;
  private final int self;

  private OwnFolder(Path folder, String remedy) throws IOException {
    this.folder = folder.toAbsolutePath().normalize();
    this.remedy = remedy;
    this.self = self();
  }

  /**
   * Makes the folder if need be, for this process's user alone; closes one that others may look
   * into.
   *
   * @param remedy how to choose another folder, for the message
   * @throws FileSystemException when it cannot be trusted; says why and what to do
   */
  public static void closed(Path folder, String remedy) throws IOException {
    new OwnFolder(folder, remedy).ensure("rwx------", OTHERS);
  }

  /**
   * Makes the folder if need be, in which others may go but not write.
   *
   * @param remedy how to choose another folder, for the message
   * @throws FileSystemException when it cannot be trusted; says why and what to do
   */
  public static void open(Path folder, String remedy) throws IOException {
    new OwnFolder(folder, remedy).ensure("rwxr-xr-x", OTHERS_WRITE);
  }

  private void ensure(String permissions, int unwanted) throws IOException {
    Set<PosixFilePermission> wanted = PosixFilePermissions.fromString(permissions);
    Path parent = folder.getParent();
    if (parent != null) {
      Files.createDirectories(
          parent,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
      try {
        Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(wanted));
      } catch (FileAlreadyExistsException e) {
        // Its owner and mode are looked at like those of a new one.
      }
      checkWay(parent);
    }
    Attributes found = attributes(folder, LinkOption.NOFOLLOW_LINKS);
    if (found.type() == LINK) {
      if (!trusted(found.owner())) {
        throw refused("is a link that user " + found.owner() + " has made");
      }
      Path real = folder.toRealPath();
      checkWay(real.getParent());
      found = attributes(real, LinkOption.NOFOLLOW_LINKS);
    }
    if (found.type() != DIRECTORY) {
      throw refused("is no folder");
    }
    if (found.owner() != self) {
      throw refused("belongs to user " + found.owner() + ", and this process runs as user " + self);
    }
    boolean close = (found.mode() & unwanted) != 0;
    boolean planted = (found.mode() & OTHERS_WRITE) != 0 && !empty();
    if (close && !planted) {
      Files.setPosixFilePermissions(folder, wanted);
      planted = (found.mode() & OTHERS_WRITE) != 0 && !empty();
    }
    if (planted) {
      throw refused(
          "can be written by other users (mode "
              + Integer.toOctalString(found.mode() & 07777)
              + "), who may have put something into it; if you know what it holds, run 'chmod go-w "
              + folder
              + "'");
    }
  }

  /** Whether nobody else can exchange something on the way from the file system's root. */
  private void checkWay(Path last) throws IOException {
    for (Path at = last; at != null; at = at.getParent()) {
      Attributes found = attributes(at, LinkOption.NOFOLLOW_LINKS);
      if (found.type() == LINK) {
        if (!trusted(found.owner())) {
          throw refused("is reached through the link " + at + " of user " + found.owner());
        }
        checkWay(at.toRealPath());
      } else if ((found.mode() & EVERYBODY_WRITES) != 0
          && ((found.mode() & STICKY) == 0 || !trusted(found.owner()))) {
        throw refused(
            "can be exchanged by any user, because any user can write in "
                + at
                + " and delete there what belongs to others");
      }
    }
  }

  private boolean trusted(int owner) {
    return owner == self || owner == ROOT;
  }

  private boolean empty() throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    }
  }

  private FileSystemException refused(String reason) {
    return new FileSystemException(
        "The folder " + folder + " is not used: it " + reason + ". " + remedy);
  }

  private record Attributes(int owner, int mode) {
    int type() {
      return mode & TYPE;
    }
  }

  private static Attributes attributes(Path path, LinkOption... options) throws IOException {
    Map<String, Object> found = Files.readAttributes(path, "unix:uid,mode", options);
    return new Attributes((Integer) found.get("uid"), (Integer) found.get("mode"));
  }

  /** The user that this process acts as. */
  private static int self() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("Uid:")) {
        return Integer.parseUnsignedInt(line.split("\\s+")[2]);
      }
    }
    throw new IOException("/proc/self/status does not tell the user id");
  }
}
