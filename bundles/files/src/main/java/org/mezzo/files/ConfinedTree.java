package org.mezzo.files;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads a directory tree in which somebody else may exchange files, directories and links at any
 * moment, and never leaves it. A path is walked one name after the other from an open directory;
 * the system follows no link. Links are followed here, as far as they lead to something in the same
 * tree: relative ones, and absolute ones that begin with the tree's own path. Only directories and
 * regular files are opened, and what is opened is what was walked to.
 *
 * <p>One thing the system gives no means against: somebody who exchanges a file for a fifo in the
 * instant between the look at it and its opening makes that call of {@link #open} wait. Whoever
 * calls it does so on a thread that may hang.
 *
 * <p>The root's own path must be nobody else's to change. Safe for any thread; blocks.
 */
public final class ConfinedTree {
  /** As many links as the system itself would follow. */
  private static final int MOST_LINKS = 40;

  private static final int MOST_EXCHANGES = 100;

  /** Each level on the way is an open directory. */
  private static final int MOST_LEVELS = 128;

  /** The most entries that {@link #list} holds. */
  public static final int MOST_ENTRIES = 50_000;

  private final Path root;

  /**
   * Opens nothing yet.
   *
   * @param root a directory, or a file that is a tree by itself; may be absent as yet
   */
  public ConfinedTree(Path root) {
    this.root = root.toAbsolutePath();
  }

  /**
   * A regular file, open for reading.
   *
   * @param name its own name, behind all links
   * @param content to be closed by whoever asked for it
   * @param size in bytes, when it was opened
   */
  public record OpenFile(String name, SeekableByteChannel content, long size) implements Closeable {
    @Override
    public void close() throws IOException {
      content.close();
    }
  }

  /**
   * An entry of a directory, a link itself if it is one.
   *
   * @param mode type and permissions, as the system has them
   */
  public record Entry(
      String name, long size, int links, int mode, FileTime modified, String owner, String group) {}

  /**
   * What a directory holds.
   *
   * @param directory false when the path leads to something else, which is the only entry then
   * @param entries by name
   */
  public record Listing(boolean directory, List<Entry> entries) {}

  /**
   * Opens a regular file.
   *
   * @param path below the root, separated by slashes
   * @throws NoSuchFileException when there is nothing
   * @throws NotRegularFileException when it is something else
   * @throws OutsideTreeException when the path leads out
   */
  public OpenFile open(String path) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try (Walk walk = new Walk(path)) {
        if (walk.last == null || !walk.attributes.isRegularFile()) {
          throw new NotRegularFileException(path, walk.last == null);
        }
        SeekableByteChannel content = content(walk);
        try {
          return new OpenFile(walk.last.toString(), content, content.size());
        } catch (IOException | RuntimeException e) {
          content.close();
          throw e;
        }
      } catch (ChangedException e) {
        if (attempt == MOST_EXCHANGES) {
          throw e;
        }
      }
    }
  }

  private static SeekableByteChannel content(Walk walk) throws IOException {
    try {
      return walk.folder()
          .newByteChannel(walk.last, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS));
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      // So Java says that a link has taken the file's place.
      throw new ChangedException(walk.last);
    }
  }

  /**
   * What a directory holds.
   *
   * @param path below the root, separated by slashes; empty for the root
   * @throws NoSuchFileException when there is nothing
   * @throws OutsideTreeException when the path leads out
   * @throws FileSystemException also when it holds more than {@link #MOST_ENTRIES}
   */
  public Listing list(String path) throws IOException {
    try (Walk walk = new Walk(path)) {
      if (walk.last != null) {
        return new Listing(false, List.of(walk.entry(walk.last)));
      }
      List<Entry> entries = new ArrayList<>();
      for (Path entry : walk.folder()) {
        if (entries.size() == MOST_ENTRIES) {
          throw new FileSystemException(
              path, null, "it holds more than " + MOST_ENTRIES + " entries");
        }
        try {
          entries.add(walk.entry(entry.getFileName()));
        } catch (NoSuchFileException e) {
          // It went away between listing and looking.
          continue;
        }
      }
      entries.sort(Comparator.comparing(Entry::name));
      return new Listing(true, entries);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  /** A way into the tree, with its directories open. */
  private final class Walk implements Closeable {
    private final Path real;

    /** The directory that was opened first: the root, or what holds it when it is a file. */
    private final Path base;

    private final Deque<SecureDirectoryStream<Path>> folders = new ArrayDeque<>();
    private final Deque<Path> names = new ArrayDeque<>();
    private final Deque<Path> ahead = new ArrayDeque<>();

    /** What the path leads to, in the last folder; null when it is that folder itself. */
    private Path last;

    private BasicFileAttributes attributes;

    Walk(String path) throws IOException {
      real = root.toRealPath();
      boolean file = !Files.isDirectory(real, LinkOption.NOFOLLOW_LINKS);
      base = file ? real.getParent() : real;
      folders.push(Directories.open(base));
      try {
        if (file) {
          enterFile(path);
        } else {
          push(Path.of("./" + path), 0);
          walk(path);
        }
      } catch (IOException | RuntimeException e) {
        close();
        throw e;
      }
    }

    SecureDirectoryStream<Path> folder() {
      return folders.peek();
    }

    private void enterFile(String path) throws IOException {
      if (!path.replace("/", "").isEmpty()) {
        throw new NotDirectoryException(path);
      }
      last = real.getFileName();
      attributes = Directories.attributes(folder(), last);
    }

    private void walk(String path) throws IOException {
      int links = 0;
      int exchanges = 0;
      while (!ahead.isEmpty()) {
        Path name = ahead.pop();
        String text = name.toString();
        if (text.isEmpty() || text.equals(".")) {
          continue;
        }
        if (text.equals("..")) {
          leave(path);
          continue;
        }
        BasicFileAttributes found = Directories.attributes(folder(), name);
        try {
          if (found.isSymbolicLink()) {
            if (++links > MOST_LINKS) {
              throw new FileSystemLoopException(path);
            }
            follow(name, path);
          } else if (found.isDirectory()) {
            if (names.size() == MOST_LEVELS) {
              throw new FileSystemException(path, null, "it leads deeper than " + MOST_LEVELS);
            }
            folders.push(Directories.enter(folder(), name, found.fileKey()));
            names.push(name);
          } else if (ahead.isEmpty()) {
            last = name;
            attributes = found;
          } else {
            throw new NotDirectoryException(path);
          }
        } catch (ChangedException | NotLinkException e) {
          if (++exchanges > MOST_EXCHANGES) {
            throw e;
          }
          ahead.push(name);
        }
      }
    }

    private void leave(String path) throws IOException {
      if (names.isEmpty()) {
        throw new OutsideTreeException(path);
      }
      names.pop();
      folders.pop().close();
    }

    /**
     * Puts what a link says ahead. It is read by path, and so possibly another link's text; that
     * does no harm, as whatever it says is walked inside the tree.
     */
    private void follow(Path name, String path) throws IOException {
      Path target = Files.readSymbolicLink(location().resolve(name));
      if (!target.isAbsolute()) {
        push(target, 0);
        return;
      }
      Path own = target.startsWith(real) ? real : root;
      if (!target.startsWith(own)) {
        throw new OutsideTreeException(path);
      }
      while (!names.isEmpty()) {
        leave(path);
      }
      push(target, own.getNameCount());
    }

    private void push(Path names, int from) {
      for (int i = names.getNameCount() - 1; i >= from; i--) {
        ahead.push(names.getName(i));
      }
    }

    private Path location() {
      Path location = base;
      for (var each = names.descendingIterator(); each.hasNext(); ) {
        location = location.resolve(each.next());
      }
      return location;
    }

    /**
     * Describes an entry. What only a look by path tells is taken when that look saw the very same
     * file.
     */
    Entry entry(Path name) throws IOException {
      Path path = location().resolve(name);
      for (int attempt = 0; attempt < MOST_EXCHANGES; attempt++) {
        Object key = Directories.attributes(folder(), name).fileKey();
        Map<String, Object> seen =
            Files.readAttributes(
                path,
                "unix:fileKey,size,nlink,mode,lastModifiedTime,owner,group",
                LinkOption.NOFOLLOW_LINKS);
        if (key.equals(seen.get("fileKey"))) {
          return new Entry(
              name.toString(),
              (Long) seen.get("size"),
              (Integer) seen.get("nlink"),
              (Integer) seen.get("mode"),
              (FileTime) seen.get("lastModifiedTime"),
              seen.get("owner").toString(),
              seen.get("group").toString());
        }
      }
      throw new NoSuchFileException(name.toString());
    }

    @Override
    public void close() throws IOException {
      while (!folders.isEmpty()) {
        folders.pop().close();
      }
    }
  }
}
