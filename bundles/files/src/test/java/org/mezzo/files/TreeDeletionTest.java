package org.mezzo.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TreeDeletionTest {
  private static final int ROUNDS = 100;

  /** So many at least: a machine may give the one who exchanges little time beside the deleter. */
  private static final int DISTURBED_ROUNDS = 5;

  @TempDir Path folder;
  private Path root;
  private Path outside;

  @BeforeEach
  void plant() throws Exception {
    root = Files.createDirectories(folder.resolve("sandbox"));
    outside = Files.createDirectories(folder.resolve("outside/kept"));
    Files.writeString(outside.resolve("x"), "kept");
  }

  @Test
  void deletesWhateverIsThereAndNothingBehindLinks() throws Exception {
    Files.createDirectories(root.resolve("a/b/c"));
    Files.writeString(root.resolve("a/b/c/d"), "d");
    Files.createSymbolicLink(root.resolve("a/link"), outside);
    Files.createSymbolicLink(root.resolve("dangling"), Path.of("nowhere"));
    Processes.run("mkfifo", root.resolve("a/fifo").toString());
    TreeDeletion.delete(root);
    assertThat(root).doesNotExist();
    assertThat(outside.resolve("x")).hasContent("kept");
    TreeDeletion.delete(root);
    Files.createSymbolicLink(root, outside);
    TreeDeletion.delete(root);
    assertThat(Files.exists(root, LinkOption.NOFOLLOW_LINKS)).isFalse();
    assertThat(outside.resolve("x")).hasContent("kept");
  }

  @Test
  void deletesWithinATreeWithoutFollowingALinkOnTheWay() throws Exception {
    Path inner = Files.createDirectories(root.resolve("a/b"));
    Files.writeString(inner.resolve("c"), "c");
    TreeDeletion.delete(root, Path.of("a/b"));
    assertThat(inner).doesNotExist();
    assertThat(root.resolve("a")).exists();
    TreeDeletion.delete(root, Path.of("a/b"));
    Files.createSymbolicLink(inner, outside.getParent());
    assertThatThrownBy(() -> TreeDeletion.delete(root, Path.of("a/b/kept")))
        .isInstanceOf(FileSystemException.class);
    assertThat(outside.resolve("x")).hasContent("kept");
  }

  @Test
  void deletesDirectoriesOfAnyDepth() throws Exception {
    Processes.nest(root, 3000);
    TreeDeletion.delete(root);
    assertThat(root).doesNotExist();
  }

  @Test
  void deletesNothingOutsideWhileADirectoryIsExchangedForALink() throws Exception {
    int disturbed = 0;
    for (int round = 0; round < ROUNDS || disturbed < DISTURBED_ROUNDS; round++) {
      Path hot = Files.createDirectories(root.resolve("a/hot"));
      for (int i = 0; i < 20; i++) {
        Files.writeString(hot.resolve("f" + i), "");
      }
      try (Exchange exchange = Exchange.ofDirectory(hot, outside)) {
        while (exchange.count() < 3) {
          Thread.sleep(1);
        }
        int before = exchange.count();
        boolean met = false;
        try {
          TreeDeletion.delete(root);
        } catch (IOException e) {
          // Somebody goes on writing: the collector says so and nothing else happened.
          assertThat(outside.resolve("x")).hasContent("kept");
          met = true;
        }
        disturbed += met || exchange.count() > before ? 1 : 0;
      }
      assertThat(outside.resolve("x")).hasContent("kept");
      TreeDeletion.delete(root);
    }
    assertThat(root).doesNotExist();
  }
}
