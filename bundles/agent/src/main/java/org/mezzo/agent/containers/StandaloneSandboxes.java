package org.mezzo.agent.containers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.files.TreeDeletion;

/**
 * The sandboxes of containers that stand alone: {@code containers/<id>} below the work directory
 * (rule 172), shown under {@code /containers/<id>} and their real path. One is there from before
 * its container is launched until that is removed, and tells a later agent process that the
 * container is none of an executor's. Safe for any thread.
 */
public final class StandaloneSandboxes implements VirtualFiles.Many {
  private static final String VIRTUAL = "/containers/";

  private final Path folder;

  /** Those of the agent with this work directory. */
  public StandaloneSandboxes(Path workDir) {
    folder = workDir.resolve("containers").toAbsolutePath();
  }

  /** Where that of an outermost container stands. */
  Path of(ContainerId root) {
    return folder.resolve(root.value());
  }

  /** Whether an outermost container stands alone. */
  public boolean has(ContainerId root) {
    return Files.isDirectory(of(root), LinkOption.NOFOLLOW_LINKS);
  }

  /** Makes one; nothing where it is there. Blocks. */
  void make(ContainerId root) throws IOException {
    Files.createDirectories(of(root));
  }

  /** Deletes one with all that is in it. Blocks. */
  void delete(ContainerId root) throws IOException {
    TreeDeletion.delete(of(root));
  }

  @Override
  public Optional<VirtualFiles.Attached> at(String virtualPath) {
    String real = folder + "/";
    String name =
        virtualPath.startsWith(real)
            ? virtualPath.substring(real.length())
            : virtualPath.startsWith(VIRTUAL) ? virtualPath.substring(VIRTUAL.length()) : "";
    ContainerId id;
    try {
      id = ContainerId.of(name);
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    return has(id)
        ? Optional.of(new VirtualFiles.Attached(of(id), Question.anything(Action.ACCESS_SANDBOX)))
        : Optional.empty();
  }

  @Override
  public void forEach(BiConsumer<String, Path> each) {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
      for (Path one : all) {
        each.accept(one.toString(), one);
        each.accept(VIRTUAL + one.getFileName(), one);
      }
    } catch (NoSuchFileException e) {
      // None was made yet.
      return;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (DirectoryIteratorException e) {
      throw new UncheckedIOException(e.getCause());
    }
  }
}
