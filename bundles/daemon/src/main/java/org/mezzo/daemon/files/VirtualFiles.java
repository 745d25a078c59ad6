package org.mezzo.daemon.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;
import org.mezzo.api.authentication.Principal;
import org.mezzo.protocol.v1.FileInfo;
import org.mezzo.protocol.v1.TimeInfo;

/**
 * Real files and directories under virtual paths (rules 349 to 351). What is asked for must lie
 * below an attached path after all symbolic links are followed; whatever leads out of it is
 * refused. Safe for any thread. Reading blocks: not for event loops.
 */
public final class VirtualFiles {
  /** The most that {@link #read} gives at a time: 16 pages. */
  public static final int MAX_READ_BYTES = 16 * 4096;

  /** Decides who may see what lies below an attached path. */
  @FunctionalInterface
  public interface Guard {
    /** Lets everybody. */
    Guard NONE = principal -> CompletableFuture.completedFuture(true);

    CompletionStage<Boolean> allows(Optional<Principal> principal);
  }

  /**
   * A piece of a file.
   *
   * @param offset where {@code data} begins; the file's size when only that was asked for
   * @param size the size of the file
   */
  public record Chunk(long offset, byte[] data, long size) {}

  private record Attached(Path real, Guard guard) {}

  private record Found(String virtual, Attached attached) {}

  private final Map<String, Attached> attached = new ConcurrentSkipListMap<>();

  /** Shows a file or directory, which need not exist yet, to everybody. */
  public void attach(String virtualPath, Path real) {
    attach(virtualPath, real, Guard.NONE);
  }

  /** Shows a file or directory to those whom the guard lets. Replaces what was there. */
  public void attach(String virtualPath, Path real, Guard guard) {
    attached.put(trimmed(virtualPath), new Attached(real.toAbsolutePath(), guard));
  }

  /** Shows it no longer. */
  public void detach(String virtualPath) {
    attached.remove(trimmed(virtualPath));
  }

  /** All attached paths with what they stand for. */
  public SortedMap<String, Path> attached() {
    SortedMap<String, Path> all = new TreeMap<>();
    attached.forEach((virtual, entry) -> all.put(virtual, entry.real));
    return all;
  }

  /** Whether the principal may see the path; yes for a path that is not attached at all. */
  public CompletionStage<Boolean> allowed(String path, Optional<Principal> principal) {
    return find(path)
        .map(found -> found.attached.guard.allows(principal))
        .orElseGet(() -> CompletableFuture.completedFuture(true));
  }

  /**
   * What a directory holds, by path; of a file, the file itself.
   *
   * @throws FileException when the path is not attached, absent or leads out
   */
  public List<FileInfo> browse(String path) throws IOException {
    Path real = resolve(path);
    String virtual = trimmed(path);
    List<FileInfo> infos = new ArrayList<>();
    if (!Files.isDirectory(real)) {
      infos.add(info(virtual, real));
      return infos;
    }
    try (Stream<Path> entries = Files.list(real)) {
      for (Path entry : entries.sorted(Comparator.comparing(Path::toString)).toList()) {
        try {
          infos.add(info(virtual + "/" + entry.getFileName(), entry));
        } catch (NoSuchFileException e) {
          // It went away between listing and looking.
          continue;
        }
      }
    } catch (NotDirectoryException e) {
      throw new FileException(404, "");
    }
    return infos;
  }

  /**
   * Reads a piece of a file.
   *
   * @param offset -1 asks for the size only
   * @param length -1 asks for as much as one answer holds
   * @throws FileException when a number is out of range, or the path is no readable file
   */
  public Chunk read(String path, long offset, long length) throws IOException {
    if (offset < -1) {
      throw new FileException(400, "Negative offset provided: " + offset);
    }
    if (length < -1) {
      throw new FileException(400, "Negative length provided: " + length);
    }
    Path real = file(path, "Cannot read a directory");
    try (SeekableByteChannel channel = Files.newByteChannel(real)) {
      long size = channel.size();
      if (offset == -1) {
        return new Chunk(size, new byte[0], size);
      }
      if (offset >= size) {
        return new Chunk(offset, new byte[0], size);
      }
      long wanted = length == -1 ? MAX_READ_BYTES : Math.min(length, MAX_READ_BYTES);
      ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(wanted, size - offset));
      channel.position(offset);
      while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
        continue;
      }
      byte[] data = new byte[buffer.position()];
      buffer.flip().get(data);
      return new Chunk(offset, data, size);
    }
  }

  /**
   * The real file behind a path.
   *
   * @param ifDirectory the message when it is a directory
   * @throws FileException when there is no such file
   */
  public Path file(String path, String ifDirectory) throws IOException {
    Path real = resolve(path);
    if (Files.isDirectory(real)) {
      throw new FileException(400, ifDirectory);
    }
    return real;
  }

  private Path resolve(String path) throws IOException {
    Found found = find(path).orElseThrow(() -> new FileException(404, ""));
    String rest = trimmed(path).substring(found.virtual.length());
    Path root;
    Path real;
    try {
      root = found.attached.real.toRealPath();
      real = root.resolve("." + rest).toRealPath();
    } catch (IOException | java.nio.file.InvalidPathException e) {
      throw new FileException(404, "");
    }
    if (!real.startsWith(root)) {
      throw new FileException(400, "'" + path + "' is inaccessible");
    }
    return real;
  }

  private Optional<Found> find(String path) {
    for (String prefix = trimmed(path); !prefix.isEmpty(); ) {
      Attached entry = attached.get(prefix);
      if (entry != null) {
        return Optional.of(new Found(prefix, entry));
      }
      int slash = prefix.lastIndexOf('/');
      prefix = slash < 0 ? "" : prefix.substring(0, slash);
    }
    return Optional.empty();
  }

  private static FileInfo info(String virtual, Path real) throws IOException {
    Map<String, Object> attributes =
        Files.readAttributes(
            real, "unix:size,nlink,mode,lastModifiedTime,owner,group", LinkOption.NOFOLLOW_LINKS);
    var modified = (java.nio.file.attribute.FileTime) attributes.get("lastModifiedTime");
    return FileInfo.newBuilder()
        .setPath(virtual)
        .setNlink((Integer) attributes.get("nlink"))
        .setSize((Long) attributes.get("size"))
        .setMtime(
            TimeInfo.newBuilder()
                .setNanoseconds(
                    modified.to(java.util.concurrent.TimeUnit.SECONDS) * 1_000_000_000L))
        .setMode((Integer) attributes.get("mode"))
        .setUid(attributes.get("owner").toString())
        .setGid(attributes.get("group").toString())
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
