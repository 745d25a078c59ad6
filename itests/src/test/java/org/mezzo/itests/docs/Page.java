package org.mezzo.itests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/**
 * What a page of the documentation tells its reader to type, taken from it piece by piece and in
 * its order, so that no test can pass with other words than those of the page.
 */
final class Page {
  /** Commands of a terminal, and lines of the cluster's shell. */
  private static final Set<String> COMMANDS = Set.of("sh", "gogo");

  private static final Set<String> FILES = Set.of("xml", "java", "json");

  private record Piece(String language, String text) {}

  private final String name;
  private final Deque<Piece> pieces = new ArrayDeque<>();

  private Page(String name) {
    this.name = name;
  }

  /** The page of that name below the checkout. */
  static Page of(String name) throws IOException {
    Page page = new Page(name);
    Path file = Path.of(System.getProperty("mezzo.repository"), name);
    String language = null;
    List<String> block = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      if (language == null) {
        if (line.startsWith("```")) {
          language = line.substring(3).strip();
          assertThat(COMMANDS.contains(language) || FILES.contains(language))
              .as("'%s' in %s says what it is: one of %s, %s", line, name, COMMANDS, FILES)
              .isTrue();
        }
      } else if (line.equals("```")) {
        page.add(language, block);
        language = null;
        block.clear();
      } else {
        block.add(line);
      }
    }
    return page;
  }

  private void add(String language, List<String> block) {
    if (FILES.contains(language)) {
      pieces.add(new Piece(language, String.join("\n", block) + "\n"));
      return;
    }
    StringBuilder command = new StringBuilder();
    for (String line : block) {
      command.append(command.length() == 0 ? "" : "\n").append(line);
      boolean quoted = command.chars().filter(each -> each == '\'').count() % 2 == 1;
      if (!quoted && !line.endsWith("\\") && !line.isBlank()) {
        pieces.add(new Piece(language, command.toString()));
        command.setLength(0);
      }
    }
    assertThat(command.toString()).as("an unfinished command in " + name).isBlank();
  }

  /**
   * Takes the next piece: a command, or a whole block with the content of a file.
   *
   * @param language that of its block
   * @param begin how it must begin: the test was written for a page that said this here
   */
  String next(String language, String begin) {
    Piece piece = pieces.poll();
    assertThat(piece).as("%s ends before '%s'", name, begin).isNotNull();
    assertThat(piece.text).as("the next piece of " + name).startsWith(begin);
    assertThat(piece.language).as("the language of '%s' in %s", begin, name).isEqualTo(language);
    return piece.text;
  }

  /** Fails when something of the page was not taken. */
  void assertAllTaken() {
    assertThat(pieces).as("what no test has done of " + name).isEmpty();
  }
}
