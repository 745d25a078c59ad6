package org.mezzo.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;

/** What tests need of the system beyond what Java offers. */
final class Processes {
  private Processes() {}

  /** Nests directories below one, built from the inside so that no path gets too long. */
  static void nest(Path directory, int levels) throws Exception {
    Path inner = directory.resolveSibling("inner");
    Files.createDirectories(inner);
    for (int made = 0; made < levels; made += 50) {
      Path outer = directory.resolveSibling("outer");
      Path last = Files.createDirectories(outer.resolve("d/".repeat(49)));
      Files.writeString(last.resolve("f"), "");
      Files.move(inner, last.resolve("d"));
      Files.move(outer, inner);
    }
    Files.move(inner, directory.resolve("d"));
  }

  static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }
}
