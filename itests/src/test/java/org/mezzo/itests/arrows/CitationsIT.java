package org.mezzo.itests.arrows;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the code and the pages refer to is in this repository. */
class CitationsIT {
  private static final Path REPOSITORY =
      Path.of(System.getProperty("mezzo.repository")).toAbsolutePath().normalize();
  private static final Path SPEC = REPOSITORY.resolve("docs/spec");
  private static final Set<String> NOT_OURS = Set.of("target", "node_modules", ".git");
  private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\(([^)#\\s]+)(?:#[^)]*)?\\)");

  private static List<Path> files(String endings) throws IOException {
    Pattern wanted = Pattern.compile(".*\\.(" + endings + ")");
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        REPOSITORY,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
            return NOT_OURS.contains(dir.getFileName().toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (wanted.matcher(file.getFileName().toString()).matches()) {
              files.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    assertThat(files).isNotEmpty();
    return files;
  }

  private static Map<String, String> pages() throws IOException {
    Map<String, String> pages = new TreeMap<>();
    try (Stream<Path> files = Files.list(SPEC)) {
      for (Path file : files.toList()) {
        pages.put(file.getFileName().toString().replace(".md", ""), Files.readString(file));
      }
    }
    return pages;
  }

  @Test
  void everyRuleAndSectionThatIsCitedIsStated() throws Exception {
    Citations citations = new Citations(Files.readString(SPEC.resolve("semantics.md")), pages());
    Map<String, List<String>> unstated = new TreeMap<>();
    for (Path file : files("java|md|proto|xml")) {
      if (file.getFileName().toString().equals("CitationsIT.java")) {
        continue;
      }
      List<String> found = citations.unstated(Files.readString(file));
      if (!found.isEmpty()) {
        unstated.put(REPOSITORY.relativize(file).toString(), found);
      }
    }
    assertThat(unstated).as("cited and missing in docs/spec").isEmpty();
  }

  @Test
  void citationsAreFoundHoweverTheyAreWritten() {
    Citations citations = new Citations("1. One.\n3. Three.\n", Map.of("shapes", "## 2. Two\n"));
    assertThat(citations.unstated("by rule 1, shapes section 2, other section 9")).isEmpty();
    assertThat(citations.unstated("rule 2.")).containsExactly("rule 2");
    assertThat(citations.unstated("Rules 1-3, 4 and\n   * 5 to 6")).hasSize(4);
    assertThat(citations.unstated("// shapes\n  // section 2.1"))
        .containsExactly("shapes section 2.1");
  }

  @Test
  void everyLinkOfAPageLeadsSomewhere() throws Exception {
    List<String> broken = new ArrayList<>();
    for (Path page : files("md")) {
      Matcher link = LINK.matcher(Files.readString(page));
      while (link.find()) {
        String target = link.group(1);
        if (!target.contains(":") && !Files.exists(page.resolveSibling(target))) {
          broken.add(REPOSITORY.relativize(page) + " -> " + target);
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void theRulesAreLinkedWhereReadersBegin() throws Exception {
    assertThat(REPOSITORY.resolve("README.md")).content().contains("](docs/spec/README.md)");
    assertThat(REPOSITORY.resolve("docs/architecture.md")).content().contains("](spec/README.md)");
  }
}
