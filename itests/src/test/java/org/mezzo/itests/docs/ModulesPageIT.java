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
 * commands of the page in their order, in an empty folder, with an empty local Maven repository.
 * All that differs is where the distribution lies, and where the cluster listens and keeps its
 * files.
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
    Path desk = Files.createDirectory(folder.resolve("desk"));
    Path project = desk.resolve("hook-origin");
    try (Terminal terminal = new Terminal(desk, Files.createDirectory(folder.resolve("home")))) {
      terminal.succeed(
          literal(page.next("sh", "/opt/mezzo/bin/mezzo module new"), mezzo, address), SOON);
      terminal.succeed(page.next("sh", "cd hook-origin"), SOON);
      Path source = project.resolve("src/main/java/com/example/OriginHook.java");
      assertThat(source).hasContent(page.next("java", "package com.example;"));
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
        develop(
            terminal,
            project,
            literal(page.next("sh", "/opt/mezzo/bin/mezzo module dev"), mezzo, address));
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
    // Nor is this: what the class of a module says of its parameters.
    assertThat(page.next("java", "@ObjectClassDefinition"))
        .contains("@Designate(ocd = OriginParameters.class)");
    page.assertAllTaken();
  }

  /** Two saves, of which the first breaks the build. */
  private static void develop(Terminal terminal, Path project, String command) throws Exception {
    try (Session dev = terminal.open("cd '" + project + "' && " + command)) {
      // The version that was copied by hand has gone over to the first build.
      dev.await(BUILD, 0, "without a gap", "hook 'origin' is used by", "Watching src and pom.xml");
      int before = dev.output().length();
      Path source = project.resolve("src/main/java/com/example/OriginHook.java");
      String text = Files.readString(source);
      Files.writeString(source, text.replace("return ", "give "));
      dev.await(BUILD, before, "Changed: src/main/java/com/example/OriginHook.java");
      dev.await(BUILD, before, "Not built", "Watching src and pom.xml");
      before = dev.output().length();
      Files.writeString(source, text + "// The same again.\n");
      dev.await(BUILD, before, "Swapped com.example.hook.origin 1.0.0.dev-", "without a gap");
      assertThat(dev.output().substring(before)).contains("-o ").contains(" for 1.0.0.dev-");
    }
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

  /** Of another kind, in another package and elsewhere; what the page says of the options. */
  @Test
  void anAllocatorThatIsMadeBuildsAndPassesItsTests() throws Exception {
    Path mezzo = Distribution.built().home().toRealPath();
    Path project = folder.resolve("made").resolve("here");
    Path home = Files.createDirectory(folder.resolve("home"));
    try (Terminal terminal = new Terminal(folder, home)) {
      terminal.succeed(
          mezzo
              + "/bin/mezzo module new --kind=allocator --name=fair-turns --package=org.acme"
              + (" --directory=" + project),
          SOON);
      String said = terminal.succeed("mvn -B -f " + project + " package", BUILD);
      assertThat(said).containsPattern("Tests run: [1-9][0-9]*, Failures: 0").contains("Fair");
      assertThat(project.resolve("target/allocator-fair-turns-1.0.0.jar")).exists();
      Terminal.Outcome again =
          terminal.run(
              mezzo + "/bin/mezzo module new --kind=hook --name=other --directory=" + project,
              SOON);
      assertThat(again.status()).isEqualTo(2);
      assertThat(again.stderr()).contains(project.toString(), "nothing was changed");
    }
  }
}
