package org.mezzo.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ConfinedTreeTest {
  private static final int READS = 3000;

  /** So many at least: a machine may give the one who exchanges little time beside the reader. */
  private static final int EXCHANGES = 100;

  @TempDir Path folder;
  private Path root;
  private ConfinedTree tree;

  @BeforeEach
  void plant() throws Exception {
    root = Files.createDirectories(folder.resolve("sandbox"));
    Files.createDirectories(root.resolve("logs/old"));
    Files.writeString(root.resolve("logs/x"), "inside");
    Files.writeString(folder.resolve("secret"), "secret");
    tree = new ConfinedTree(root);
  }

  private String read(String path) throws IOException {
    try (ConfinedTree.OpenFile file = tree.open(path)) {
      ByteBuffer buffer = ByteBuffer.allocate(100);
      while (file.content().read(buffer) > 0) {
        continue;
      }
      return new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void followsLinksWithinTheTree() throws Exception {
    Files.createSymbolicLink(root.resolve("stdout"), Path.of("logs/x"));
    Files.createSymbolicLink(root.resolve("absolute"), root.resolve("logs/x"));
    Files.createSymbolicLink(root.resolve("latest"), Path.of("logs"));
    Files.createSymbolicLink(root.resolve("logs/old/back"), Path.of("../../stdout"));
    for (String path :
        new String[] {
          "logs/x",
          "/logs//x",
          "./logs/../logs/x",
          "stdout",
          "absolute",
          "latest/x",
          "latest/old/back"
        }) {
      assertThat(read(path)).as(path).isEqualTo("inside");
    }
    try (ConfinedTree.OpenFile file = tree.open("stdout")) {
      assertThat(file.name()).isEqualTo("x");
      assertThat(file.size()).isEqualTo(6);
    }
    assertThat(tree.list("latest").entries()).extracting("name").containsExactly("old", "x");
    assertThat(tree.list("logs/x").directory()).isFalse();
  }

  @Test
  void refusesWhatLeadsOut() throws Exception {
    Files.createSymbolicLink(root.resolve("up"), Path.of(".."));
    Files.createSymbolicLink(root.resolve("out"), folder.resolve("secret"));
    Files.createSymbolicLink(root.resolve("logs/around"), root.resolve("../secret"));
    Files.createSymbolicLink(root.resolve("loop"), Path.of("loop"));
    for (String path : new String[] {"..", "../secret", "up/secret", "out", "logs/around"}) {
      assertThatThrownBy(() -> tree.open(path)).as(path).isInstanceOf(OutsideTreeException.class);
    }
    assertThatThrownBy(() -> tree.list("up")).isInstanceOf(OutsideTreeException.class);
    assertThatThrownBy(() -> tree.open("loop")).isInstanceOf(FileSystemLoopException.class);
    assertThatThrownBy(() -> tree.open("none")).isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> tree.open("logs/x/y")).isInstanceOf(NotDirectoryException.class);
  }

  @Test
  void opensNothingButRegularFiles() throws Exception {
    Processes.run("mkfifo", root.resolve("fifo").toString());
    assertThatThrownBy(() -> tree.open("fifo"))
        .isInstanceOf(NotRegularFileException.class)
        .hasMessageContaining("fifo");
    assertThatThrownBy(() -> tree.list("fifo/.")).isInstanceOf(NotDirectoryException.class);
    assertThatThrownBy(() -> tree.open("logs"))
        .isInstanceOfSatisfying(
            NotRegularFileException.class, e -> assertThat(e.directory()).isTrue());
    assertThat(tree.list("").entries()).extracting("name").containsExactly("fifo", "logs");
  }

  @Test
  void opensAFileThatIsATreeByItself() throws Exception {
    tree = new ConfinedTree(root.resolve("logs/x"));
    assertThat(read("")).isEqualTo("inside");
    assertThat(tree.list("").entries()).extracting("name").containsExactly("x");
    assertThatThrownBy(() -> tree.open("/y")).isInstanceOf(NotDirectoryException.class);
  }

  @Test
  void doesNotTakeADescriptorForEveryLevelOfAnyDepth() throws Exception {
    Processes.nest(root, 200);
    assertThat(tree.list("d/".repeat(100)).entries()).isNotEmpty();
    assertThatThrownBy(() -> tree.list("d/".repeat(200)))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("deeper");
  }

  /** Gives the one who exchanges the time it has not had beside so many reads. */
  private static void letExchange(int reads) throws InterruptedException {
    if (reads >= READS) {
      Thread.sleep(1);
    }
  }

  @Test
  void neverReadsOutsideWhileAFileIsExchangedForALink() throws Exception {
    int read = 0;
    try (Exchange exchange =
        Exchange.ofFile(root.resolve("file"), "inside", folder.resolve("secret"))) {
      for (int i = 0; i < READS || read == 0 || exchange.count() < EXCHANGES; i++) {
        letExchange(i);
        try {
          assertThat(read("file")).isIn("inside", "");
          read++;
        } catch (OutsideTreeException | NoSuchFileException e) {
          continue;
        }
      }
    }
  }

  @Test
  void neverWalksOutsideWhileADirectoryIsExchangedForALink() throws Exception {
    Path outside = Files.createDirectories(folder.resolve("outside"));
    Files.writeString(outside.resolve("x"), "secret");
    Files.writeString(outside.resolve("more"), "secret");
    try (Exchange exchange = Exchange.ofDirectory(root.resolve("logs"), outside)) {
      for (int i = 0; i < READS || exchange.count() < EXCHANGES; i++) {
        letExchange(i);
        try {
          assertThat(read("logs/x")).isEqualTo("inside");
          assertThat(tree.list("logs").entries()).extracting("name").doesNotContain("more");
        } catch (OutsideTreeException | NoSuchFileException | ChangedException e) {
          continue;
        }
      }
    }
  }
}
