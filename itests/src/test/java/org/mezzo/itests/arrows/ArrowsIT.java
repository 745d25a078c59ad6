package org.mezzo.itests.arrows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.itests.arrows.Arrows.Content;
import org.mezzo.itests.container.HostContainer;
import org.mezzo.itests.hooks.GoodHook;
import org.mezzo.itests.osgi.ModuleSwapIT;
import org.mezzo.testing.bundles.ModuleBundle;

/** No part of Mezzo knows another that its row in docs/architecture.md does not allow. */
class ArrowsIT {
  private static final Path REPOSITORY =
      Path.of(System.getProperty("mezzo.repository")).toAbsolutePath().normalize();
  private static final Path DISTRIBUTION = Path.of(System.getProperty("mezzo.distribution"));
  private static final String VERSION = "-\\d.*\\.jar";

  @TempDir Path folder;

  private static String page() throws Exception {
    return Files.readString(REPOSITORY.resolve("docs/architecture.md"));
  }

  /** Each module that has classes; read once, which takes seconds. */
  private static Map<String, Content> modules;

  @BeforeAll
  static void read() throws Exception {
    modules = modules();
  }

  /** As they are shipped, or as they were compiled if they are not. */
  private static Map<String, Content> modules() throws Exception {
    List<Path> jars = new ArrayList<>();
    for (String part : List.of("lib", "system", "modules", "repository")) {
      try (Stream<Path> files = Files.walk(DISTRIBUTION.resolve(part))) {
        files
            .filter(file -> file.toString().matches(".*(?<!-sources|-javadoc)\\.jar"))
            .forEach(jars::add);
      }
    }
    Map<String, Content> modules = new TreeMap<>();
    for (String module : DependencyTable.modules(REPOSITORY)) {
      String jar = "mezzo-" + DependencyTable.name(module) + VERSION;
      for (Path file : jars) {
        if (file.getFileName().toString().matches(jar)) {
          modules.put(module, Content.of(file));
        }
      }
      Path classes = REPOSITORY.resolve(module).resolve("target/classes");
      if (!modules.containsKey(module) && Files.isDirectory(classes)) {
        modules.put(module, Content.of(classes));
      }
    }
    // The artifact for frameworks that are built anew has the driver's jar inside, with what that
    // embeds and the libraries that could be beside it.
    Content driver = modules.get("bundles/mesos-driver");
    modules.computeIfPresent(
        "bundles/mesos",
        (module, whole) -> {
          Set<String> own = new TreeSet<>(whole.own());
          own.removeAll(driver.own());
          Set<String> referred = new TreeSet<>(whole.referred());
          referred.removeIf(
              name ->
                  !name.startsWith("org.mezzo.") || name.startsWith("org.mezzo.driver.shaded."));
          return new Content(own, referred);
        });
    return modules;
  }

  private static Arrows arrows(String page) {
    Arrows arrows = new Arrows(DependencyTable.read(page));
    List<String> twice = new ArrayList<>();
    modules.forEach(
        (module, content) -> twice.addAll(arrows.add(DependencyTable.name(module), content)));
    assertThat(twice).as("packages in two parts").isEmpty();
    return arrows;
  }

  private static List<String> violations(String page) {
    Arrows arrows = arrows(page);
    List<String> violations = new ArrayList<>();
    modules.forEach((module, content) -> violations.addAll(arrows.violations(module, content)));
    return violations;
  }

  @Test
  void everyPartKeepsToItsRow() throws Exception {
    assertThat(modules)
        .hasSizeGreaterThan(25)
        .containsKeys("host", "bundles/testing", "bundles/master", "bundles/agent", "hooks");
    assertThat(violations(page())).isEmpty();
  }

  @Test
  void everyModuleHasARowAndEveryRowAModule() throws Exception {
    DependencyTable table = DependencyTable.read(page());
    List<String> modules = DependencyTable.modules(REPOSITORY);
    assertThat(modules).hasSizeGreaterThan(25).allMatch(it -> table.row(it).isPresent());
    for (String row : table.folders()) {
      assertThat(modules)
          .as("modules of the row %s", row)
          .anyMatch(it -> table.row(it).equals(Optional.of(row)));
    }
  }

  @Test
  void whatTheTableNoLongerAllowsIsFound() throws Exception {
    String page = page();
    String row = "| `bundles/link` |";
    int begin = page.indexOf(row);
    int end = page.indexOf('\n', begin);
    assertThat(begin).isPositive();
    assertThat(page.substring(begin, end)).endsWith("| http, protocol |");
    String stricter =
        page.substring(0, end).replaceFirst("http, protocol \\|$", "protocol |")
            + page.substring(end);
    assertThat(violations(stricter))
        .isNotEmpty()
        .allMatch(it -> it.startsWith("link refers to org.mezzo.http"));
    assertThat(violations(page.replaceFirst("(?m)^\\| `bundles/shell`.*\n", "")))
        .containsExactly("bundles/shell has no row in the table of docs/architecture.md");
    assertThatThrownBy(() -> violations(page.replace("| http, protocol |", "| http, nonsense |")))
        .hasMessageContaining("nonsense, which has no row");
    assertThatThrownBy(() -> DependencyTable.read("# Nothing")).hasMessageContaining("no section");
  }

  private List<String> violations(String module, Class<?> content) throws Exception {
    return violations(
        module, ModuleBundle.of("test", "1.0.0").with(content).build(folder.resolve("one.jar")));
  }

  private static List<String> violations(String module, Path jar) throws Exception {
    return arrows(page()).violations(module, Content.of(jar));
  }

  @Test
  void aWrongArrowIsFound() throws Exception {
    assertThat(violations("host", GoodHook.class))
        .anyMatch(it -> it.contains("host refers to org.mezzo.api.hook of api"));
    assertThat(violations("hooks", GoodHook.class)).isEmpty();
    assertThat(violations("hooks", ModuleSwapIT.class))
        .anyMatch(it -> it.contains("org.mezzo.modules of modules"));
    assertThat(violations("bundles/api", ModuleSwapIT.class))
        .anyMatch(it -> it.contains("org.mezzo.deployment of deployment"));
    assertThat(violations("bundles/agent", ArrowsIT.class))
        .anyMatch(it -> it.contains("org.mezzo.testing.bundles of testing"));
    assertThat(violations("bundles/agent", HostContainer.class))
        .anyMatch(it -> it.contains("org.mezzo.host of host"));
    assertThat(violations("bundles/new", GoodHook.class))
        .containsExactly("bundles/new has no row in the table of docs/architecture.md");
  }

  @Test
  void librariesStayWhereTheyBelong() throws Exception {
    Path wrong =
        ModuleBundle.of("test", "1.0.0")
            .header("Import-Package", "org.apache.curator.framework,org.eclipse.jetty.server")
            .build(folder.resolve("libraries.jar"));
    assertThat(violations("bundles/master", wrong))
        .anyMatch(it -> it.contains("org.apache.curator.framework"))
        .anyMatch(it -> it.contains("org.eclipse.jetty.server"));
  }
}
