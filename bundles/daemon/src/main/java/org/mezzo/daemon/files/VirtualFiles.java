package org.mezzo.daemon.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.mezzo.api.Metrics;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.files.ConfinedTree;
import org.mezzo.files.NotRegularFileException;
import org.mezzo.files.OutsideTreeException;
import org.mezzo.protocol.v1.FileInfo;
import org.mezzo.protocol.v1.TimeInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Real files and directories under virtual paths (rules 349 to 351). What is asked for must lie
 * below an attached path after all symbolic links are followed; whatever leads out of it is
 * refused, also when somebody exchanges files for links meanwhile. Safe for any thread. Files are
 * read on threads of its own, which complete what is returned.
 */
public final class VirtualFiles implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(VirtualFiles.class);

  /** The most that {@link #read} gives at a time: 16 pages. */
  public static final int MAX_READ_BYTES = 16 * 4096;

  /**
   * A piece of a file.
   *
   * @param offset where {@code data} begins; the file's size when only that was asked for
   * @param size the size of the file
   */
  public record Chunk(long offset, byte[] data, long size) {}

  /**
   * What stands at a path.
   *
   * @param question what has to be allowed to whoever wants to see it
   */
  public record Attached(Path real, Question question) {}

  /**
   * Paths of which there are too many to attach each by itself. Safe for any thread; nothing
   * blocks.
   */
  public interface Many {
    /** What stands at exactly this path, which does not end with a slash. */
    Optional<Attached> at(String virtualPath);

    /** Everything that stands somewhere. */
    void forEach(BiConsumer<String, Path> each);
  }

  private record Found(String virtual, Attached attached) {}

  private final Map<String, Attached> attached = new ConcurrentSkipListMap<>();
  private final List<Many> manies = new CopyOnWriteArrayList<>();
  private final Authorization authorization;
  private final FileThreads threads;

  /**
   * Shows nothing yet.
   *
   * @param daemon for names of threads
   * @param authorization asked about each access
   */
  public VirtualFiles(String daemon, Authorization authorization) {
    this.authorization = authorization;
    threads = new FileThreads(daemon);
  }

  /**
   * Shows a file or directory, which need not exist yet. Replaces what was there.
   *
   * @param question what has to be allowed to whoever wants to see it, for example {@code
   *     ACCESS_SANDBOX} of the account that runs there
   */
  public void attach(String virtualPath, Path real, Question question) {
    attached.put(trimmed(virtualPath), new Attached(real.toAbsolutePath(), question));
  }

  /** Shows what stands at many paths, where nothing is attached by itself. */
  public void attach(Many many) {
    manies.add(many);
  }

  /** Shows it no longer. */
  public void detach(String virtualPath) {
    attached.remove(trimmed(virtualPath));
  }

  /** All attached paths with what they stand for. */
  public SortedMap<String, Path> attached() {
    SortedMap<String, Path> all = new TreeMap<>();
    manies.forEach(many -> many.forEach(all::put));
    attached.forEach((virtual, entry) -> all.put(virtual, entry.real));
    return all;
  }

  /**
   * Does something with a path on behalf of somebody. A path that is not attached at all is
   * everybody's.
   *
   * @return what the access returns; fails with a {@link FileException} of status 403 when the
   *     principal may not see the path
   */
  public <T> CompletionStage<T> onBehalfOf(
      Optional<Principal> principal, String path, Supplier<CompletionStage<T>> access) {
    return find(path)
        .map(found -> found.attached.question)
        .map(
            asked ->
                authorization.decide(
                    principal, List.of(asked.action()), approvers -> approvers.approved(asked)))
        .orElseGet(() -> CompletableFuture.completedStage(true))
        .thenCompose(
            allowed ->
                allowed
                    ? access.get()
                    : CompletableFuture.failedStage(new FileException(403, "403 Forbidden")));
  }

  /**
   * What a directory holds, by path; of a file, the file itself.
   *
   * @return fails with a {@link FileException} when the path is not attached, absent or leads out
   */
  public CompletionStage<List<FileInfo>> browse(String path) {
    return inTree(path, (tree, rest) -> infos(trimmed(path), tree.list(rest)), infos -> {});
  }

  private static List<FileInfo> infos(String virtual, ConfinedTree.Listing listing) {
    return listing.entries().stream()
        .map(entry -> info(listing.directory() ? virtual + "/" + entry.name() : virtual, entry))
        .toList();
  }

  /**
   * Reads a piece of a file.
   *
   * @param offset -1 asks for the size only
   * @param length -1 asks for as much as one answer holds
   * @return fails with a {@link FileException} when a number is out of range, or the path is no
   *     readable file
   */
  public CompletionStage<Chunk> read(String path, long offset, long length) {
    if (offset < -1) {
      return CompletableFuture.failedStage(
          new FileException(400, "Negative offset provided: " + offset));
    }
    if (length < -1) {
      return CompletableFuture.failedStage(
          new FileException(400, "Negative length provided: " + length));
    }
    return inTree(
        path,
        (tree, rest) -> {
          try (ConfinedTree.OpenFile file = opened(tree, rest, path, "Cannot read a directory")) {
            return chunk(file, offset, length);
          }
        },
        chunk -> {});
  }

  private static Chunk chunk(ConfinedTree.OpenFile file, long offset, long length)
      throws IOException {
    long size = file.size();
    if (offset == -1) {
      return new Chunk(size, new byte[0], size);
    }
    if (offset >= size) {
      return new Chunk(offset, new byte[0], size);
    }
    long wanted = length == -1 ? MAX_READ_BYTES : Math.min(length, MAX_READ_BYTES);
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(wanted, size - offset));
    SeekableByteChannel channel = file.content();
    channel.position(offset);
    while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
      continue;
    }
    byte[] data = new byte[buffer.position()];
    buffer.flip().get(data);
    return new Chunk(offset, data, size);
  }

  /**
   * Opens a file.
   *
   * @param ifDirectory the message when it is a directory
   * @return the file, which whoever asked closes; fails with a {@link FileException} when there is
   *     no such file
   */
  public CompletionStage<ConfinedTree.OpenFile> open(String path, String ifDirectory) {
    return inTree(
        path, (tree, rest) -> opened(tree, rest, path, ifDirectory), VirtualFiles::discard);
  }

  private static void discard(ConfinedTree.OpenFile late) {
    try {
      late.close();
    } catch (IOException e) {
      LOG.warn("Cannot close {}, which was opened too late", late.name(), e);
    }
  }

  private static ConfinedTree.OpenFile opened(
      ConfinedTree tree, String rest, String path, String ifDirectory) throws IOException {
    try {
      return tree.open(rest);
    } catch (NotRegularFileException e) {
      throw new FileException(
          400,
          e.directory()
              ? ifDirectory
              : "'" + path + "' is a fifo, a socket or a device; only regular files can be read");
    }
  }

  /** What is done with a path below an attached directory. */
  private interface Access<T> {
    T in(ConfinedTree tree, String rest) throws IOException;
  }

  private <T> CompletionStage<T> inTree(String path, Access<T> access, Consumer<T> discard) {
    Optional<Found> found = find(path);
    if (found.isEmpty()) {
      return CompletableFuture.failedStage(new FileException(404, ""));
    }
    Path real = found.get().attached.real;
    String rest = trimmed(path).substring(found.get().virtual.length());
    return threads.call(
        real,
        () -> {
          try {
            return access.in(new ConfinedTree(real), rest);
          } catch (FileException e) {
            throw e;
          } catch (OutsideTreeException e) {
            throw new FileException(400, "'" + path + "' is inaccessible");
          } catch (AccessDeniedException e) {
            throw new FileException(403, "The daemon may not read '" + path + "'");
          } catch (NoSuchFileException
              | NotDirectoryException
              | FileSystemLoopException
              | InvalidPathException e) {
            throw new FileException(404, "");
          } catch (IOException e) {
            throw new FileException(400, "'" + path + "' cannot be read: " + e.getMessage());
          }
        },
        discard);
  }

  /** Registers how many threads wait for files that do not open. */
  public void measure(Metrics metrics, String prefix) {
    metrics.gauge(prefix + "/file_threads_stuck", threads::stuck);
  }

  /** Reads nothing any more. */
  @Override
  public void close() {
    threads.close();
  }

  private Optional<Found> find(String path) {
    for (String prefix = trimmed(path); !prefix.isEmpty(); ) {
      Optional<Attached> entry = at(prefix);
      if (entry.isPresent()) {
        return Optional.of(new Found(prefix, entry.get()));
      }
      int slash = prefix.lastIndexOf('/');
      prefix = slash < 0 ? "" : prefix.substring(0, slash);
    }
    return Optional.empty();
  }

  private Optional<Attached> at(String path) {
    Attached own = attached.get(path);
    return own != null
        ? Optional.of(own)
        : manies.stream().flatMap(many -> many.at(path).stream()).findFirst();
  }

  private static FileInfo info(String virtual, ConfinedTree.Entry entry) {
    return FileInfo.newBuilder()
        .setPath(virtual)
        .setNlink(entry.links())
        .setSize(entry.size())
        .setMtime(
            TimeInfo.newBuilder()
                .setNanoseconds(entry.modified().to(TimeUnit.SECONDS) * 1_000_000_000L))
        .setMode(entry.mode())
        .setUid(entry.owner())
        .setGid(entry.group())
        .build();
  }

  private static String trimmed(String path) {
    int end = path.length();
    while (end > 0 && path.charAt(end - 1) == '/') {
      end--;
    }
    return path.substring(0, end);
  }
}
