package org.mezzo.itests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Maven repository that the distribution carries for authors of modules and frameworks. */
class ModuleRepositoryIT {
  private static final Path REPOSITORY =
      Path.of(System.getProperty("mezzo.distribution"), "repository", "org", "mezzo");

  @Test
  void holdsWhatModulesAndFrameworksAreWrittenAgainstAndNothingElse() throws Exception {
    try (Stream<Path> artifacts = Files.list(REPOSITORY)) {
      assertThat(artifacts.map(each -> each.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "mezzo-api", "mezzo-mesos", "mezzo-protocol", "mezzo-resources", "mezzo-testing");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"mezzo-api", "mezzo-mesos", "mezzo-protocol", "mezzo-resources", "mezzo-testing"})
  void aPomNeedsNoParentAndEveryFileHasItsChecksum(String artifact) throws Exception {
    List<String> names = names(artifact);
    assertThat(names)
        .anyMatch(name -> name.matches(artifact + "-[\\d.-]+\\.jar"))
        .anyMatch(name -> name.matches(artifact + "-[\\d.-]+\\.pom"));
    for (String name : names) {
      if (!name.endsWith(".sha1")) {
        assertThat(names).contains(name + ".sha1");
      }
      if (name.endsWith(".pom")) {
        assertThat(Files.readString(folder(artifact).resolve(name)))
            .contains("<artifactId>" + artifact + "</artifactId>")
            .doesNotContain("<parent>", "${", "mezzo-bundles");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"mezzo-api", "mezzo-mesos", "mezzo-protocol", "mezzo-resources", "mezzo-testing"})
  void sourcesAndJavadocComeAlong(String artifact) throws Exception {
    Assumptions.assumeFalse(
        Boolean.getBoolean("mezzo.without.docs"),
        "built with -Dmaven.source.skip or -Dmaven.javadoc.skip");
    assertThat(names(artifact))
        .anyMatch(name -> name.matches(artifact + "-[\\d.-]+-sources\\.jar"))
        .anyMatch(name -> name.matches(artifact + "-[\\d.-]+-javadoc\\.jar"));
  }

  private static Path folder(String artifact) {
    return REPOSITORY.resolve(artifact).resolve(System.getProperty("mezzo.version"));
  }

  private static List<String> names(String artifact) throws IOException {
    try (Stream<Path> files = Files.list(folder(artifact))) {
      return files.map(each -> each.getFileName().toString()).toList();
    }
  }
}
