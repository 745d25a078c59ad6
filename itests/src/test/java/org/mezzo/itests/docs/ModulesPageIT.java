package org.mezzo.itests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.Distribution;
import org.mezzo.itests.cluster.Http;
import org.mezzo.itests.docs.Terminal.Session;

/**
 * docs/modules.md taken literally, by somebody who has nothing of Mezzo but a distribution: the
 * files of the page in an empty folder, its commands in their order, an empty local Maven
 * repository. All that differs is where the distribution lies, and where the cluster listens and
 * keeps its files.
 */
class ModulesPageIT {
  private static final Duration SOON = Duration.ofMinutes(3);
  private static final Duration BUILD = Duration.ofMinutes(10);

  @TempDir Path folder;

  @Test
  void aModuleIsBuiltAndUsedAsThePageSays() throws Exception {
    Distribution mezzo = Distribution.built().copyTo(folder.resolve("opt").resolve("mezzo"));
    Page page = Page.of("docs/modules.md");
    String address = "127.0.0.1:" + Distribution.freePort();
    Path project = Files.createDirectory(folder.resolve("project"));
    try (Terminal terminal = new Terminal(project, Files.createDirectory(folder.resolve("home")))) {
      String pom = page.next("xml", "<?xml");
      Files.writeString(
          project.resolve("pom.xml"), pom.replace("/opt/mezzo", mezzo.home().toString()));
      String source = page.next("java", "package com.example;");
      Path file = project.resolve("src/main/java/com/example/OriginHook.java");
      Files.createDirectories(file.getParent());
      Files.writeString(file, source);
      String build = page.next("sh", "mvn package");
      terminal.succeed(build, BUILD);
      assertThat(ofMezzo(terminal.localRepository()))
          .containsExactlyInAnyOrder(
              "mezzo-api", "mezzo-protocol", "mezzo-resources", "mezzo-testing");

      String local = literal(page.next("sh", "/opt/mezzo/bin/mezzo local"), mezzo, address);
      try (Session cluster =
          terminal.open(
              local
                  + (" --port=" + address.substring(address.indexOf(':') + 1))
                  + (" --work_dir=" + folder.resolve("work")))) {
        cluster.await(SOON, 0, "The cluster is up");
        terminal.succeed(literal(page.next("sh", "cp target/"), mezzo, address), SOON);
        String list = literal(page.next("sh", "/opt/mezzo/bin/mezzo module"), mezzo, address);
        Await.until(
            "the hook is listed and used",
            SOON,
            () ->
                terminal
                    .succeed(list, SOON)
                    .lines()
                    .anyMatch(row -> row.contains(" origin ") && row.contains("leased")));
        String executed =
            terminal.succeed(
                literal(page.next("sh", "/opt/mezzo/bin/mezzo execute"), mezzo, address), SOON);
        assertThat(executed).isEqualTo("labelled\n");
        String tasks = terminal.succeed(literal(page.next("sh", "curl"), mezzo, address), SOON);
        List<String> labels = new ArrayList<>();
        for (JsonNode label : Http.JSON.readTree(tasks).path("tasks").path(0).path("labels")) {
          labels.add(label.path("key").asText() + "=" + label.path("value").asText());
        }
        assertThat(labels).as(tasks).hasSize(1);
        assertThat(labels.get(0)).matches("origin=.+@.+");
      }
    }
    // Not commands: what the flag --modules takes, for a logger and for others.
    for (String example : List.of("helper", "labels")) {
      JsonNode libraries =
          Http.JSON.readTree(page.next("json", "{\"libraries\"")).path("libraries");
      assertThat(libraries).hasSize(1);
      assertThat(libraries.path(0).path("modules").path(0).path("name").asText())
          .isEqualTo(example);
    }
    page.assertAllTaken();
  }

  private static String literal(String command, Distribution mezzo, String address) {
    return command
        .replace("/opt/mezzo", mezzo.home().toString())
        .replace("127.0.0.1:5050", address);
  }

  private static List<String> ofMezzo(Path repository) throws IOException {
    try (Stream<Path> artifacts = Files.list(repository.resolve("org/mezzo"))) {
      return artifacts.map(each -> each.getFileName().toString()).toList();
    }
  }

  @Test
  void theExamplesAreWhatThePageShowsAndNeedNothingElse() throws Exception {
    Page page = Page.of("docs/modules.md");
    Path examples = Path.of(System.getProperty("mezzo.repository"), "examples");
    Path origin = examples.resolve("hook-origin");
    assertThat(page.next("xml", "<?xml")).isEqualTo(Files.readString(origin.resolve("pom.xml")));
    assertThat(page.next("java", "package com.example;"))
        .isEqualTo(Files.readString(origin.resolve("src/main/java/com/example/OriginHook.java")));

    Path copy = folder.resolve("copy");
    try (Stream<Path> files = Files.walk(origin)) {
      for (Path each : files.filter(file -> !file.startsWith(origin.resolve("target"))).toList()) {
        Files.copy(each, copy.resolve(origin.relativize(each)));
      }
    }
    try (Terminal terminal = new Terminal(copy, Files.createDirectory(folder.resolve("home")))) {
      String said =
          terminal.succeed(
              "mvn -B package -Dmezzo.home=" + Distribution.built().home().toRealPath(), BUILD);
      assertThat(said).contains("Tests run: 1, Failures: 0");
    }
  }
}
