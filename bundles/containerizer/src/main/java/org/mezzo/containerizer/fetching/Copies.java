package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies files between folders of the agent: where both are on a file system that can share blocks
 * (btrfs, xfs) by {@code cp --reflink}, which moves no bytes, else inside the kernel. Safe for any
 * thread.
 */
final class Copies {
  private static final Logger LOG = LoggerFactory.getLogger(Copies.class);
  private static final long PIECE = 8L << 20;

  private final Commands commands;
  private final boolean sharing;

  private Copies(Commands commands, boolean sharing) {
    this.commands = commands;
    this.sharing = sharing;
  }

  /** Copies as bytes, for tests or one that shares wherever it can. */
  static Copies of(Commands commands, boolean sharing) {
    return new Copies(commands, sharing);
  }

  /** The same with other ones that start programs. */
  Copies by(Commands others) {
    return new Copies(others, sharing);
  }

  /** Tries out whether files of one folder can share their blocks with files of another. */
  static Copies between(Path from, Path to, Commands commands) throws IOException {
    try (Staging one = Staging.below(from);
        Staging other = Staging.below(to)) {
      Path source = Files.write(one.folder("try").resolve("file"), new byte[65_536]);
      Path target = other.folder("try").resolve("file");
      boolean sharing =
          commands.run(
                  Optional.empty(),
                  FetchLog.NONE,
                  null,
                  "cp",
                  "--reflink=always",
                  "--",
                  source.toString(),
                  target.toString())
              == 0;
      LOG.info("Fetched files {} with the cache", sharing ? "share their blocks" : "share nothing");
      return new Copies(commands, sharing);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Copies(commands, false);
    } catch (IOException e) {
      LOG.debug("Cannot try out shared blocks", e);
      return new Copies(commands, false);
    }
  }

  /**
   * Copies a file. Blocks.
   *
   * @param target a file that is not there
   */
  void copy(Path source, Path target) throws IOException, InterruptedException {
    if (sharing) {
      List<String> line =
          List.of("cp", "--reflink=auto", "--", source.toString(), target.toString());
      int status = commands.run(Optional.empty(), FetchLog.NONE, null, line.toArray(String[]::new));
      if (status == 0) {
        return;
      }
      Files.deleteIfExists(target);
    }
    try (FileChannel in =
            FileChannel.open(source, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        FileChannel out =
            FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      long position = 0;
      long copied;
      while ((copied = in.transferTo(position, PIECE, out)) > 0) {
        position += copied;
        if (Thread.interrupted()) {
          throw new InterruptedException("The copy was cancelled");
        }
      }
    } catch (ClosedByInterruptException e) {
      Thread.interrupted();
      throw new InterruptedException("The copy was cancelled");
    }
  }
}
