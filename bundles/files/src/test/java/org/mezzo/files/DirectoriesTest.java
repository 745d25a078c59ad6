package org.mezzo.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens when a directory is exchanged at the worst moment: after it was looked at. */
class DirectoriesTest {
  private static final Path NAME = Path.of("inner");

  @TempDir Path folder;
  private Path inner;
  private SecureDirectoryStream<Path> outer;
  private Object seen;

  @BeforeEach
  void look() throws Exception {
    inner = Files.createDirectory(folder.resolve(NAME));
    outer = Directories.open(folder);
    seen = Directories.attributes(outer, NAME).fileKey();
  }

  @AfterEach
  void close() throws Exception {
    outer.close();
  }

  @Test
  void entersWhatWasSeen() throws Exception {
    Files.writeString(inner.resolve("x"), "");
    try (SecureDirectoryStream<Path> entered = Directories.enter(outer, NAME, seen)) {
      assertThat(entered).extracting(entry -> entry.getFileName().toString()).containsExactly("x");
    }
  }

  @Test
  void entersNothingBehindALink() throws Exception {
    Files.move(inner, folder.resolve("aside"));
    Files.createSymbolicLink(inner, Path.of("/"));
    assertThatThrownBy(() -> Directories.enter(outer, NAME, seen))
        .isInstanceOf(ChangedException.class);
  }

  @Test
  void doesNotWaitForAFifo() throws Exception {
    Files.delete(inner);
    Processes.run("mkfifo", inner.toString());
    assertThatThrownBy(() -> Directories.enter(outer, NAME, seen))
        .isInstanceOf(ChangedException.class);
  }
}
