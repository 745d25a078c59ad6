package org.mezzo.itests.arrows;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.itests.container.HostContainer;
import org.mezzo.itests.hooks.GoodHook;
import org.mezzo.itests.osgi.ModuleSwapIT;
import org.mezzo.testing.bundles.ModuleBundle;

/** No arrow between the parts of Mezzo runs the wrong way. */
class ArrowsIT {
  @TempDir Path folder;

  @Test
  void everyJarOfTheDistributionKeepsToItsPlace() throws Exception {
    List<Path> jars = new ArrayList<>();
    Path distribution = Path.of(System.getProperty("mezzo.distribution"));
    for (String part : List.of("lib", "system", "modules", "repository")) {
      try (Stream<Path> files = Files.walk(distribution.resolve(part))) {
        files
            .filter(
                file ->
                    file.getFileName().toString().matches("mezzo-.*(?<!-sources|-javadoc)\\.jar"))
            .forEach(jars::add);
      }
    }
    assertThat(jars)
        .hasSizeGreaterThan(20)
        .anyMatch(jar -> jar.getFileName().toString().startsWith("mezzo-testing-"));
    List<String> violations = new ArrayList<>();
    for (Path jar : jars) {
      violations.addAll(Arrows.violations(jar));
    }
    assertThat(violations).isEmpty();
  }

  private List<String> violations(String file, Class<?> content) throws Exception {
    return Arrows.violations(
        ModuleBundle.of("test", "1.0.0").with(content).build(folder.resolve(file)));
  }

  @Test
  void aWrongArrowIsFound() throws Exception {
    assertThat(violations("mezzo-host-1.0.jar", GoodHook.class))
        .anyMatch(line -> line.contains("org.mezzo.api.hook") && line.contains("the host knows"));
    assertThat(violations("mezzo-hooks-1.0.jar", GoodHook.class)).isEmpty();
    assertThat(violations("mezzo-hooks-1.0.jar", ModuleSwapIT.class))
        .anyMatch(line -> line.contains("org.mezzo.modules") && line.contains("SPI only"));
    assertThat(violations("mezzo-api-1.0.jar", ModuleSwapIT.class))
        .anyMatch(line -> line.contains("org.mezzo.deployment"));
    assertThat(violations("mezzo-testing-1.0.jar", ModuleSwapIT.class))
        .anyMatch(line -> line.contains("org.mezzo.modules") && line.contains("the SPI only"));
    assertThat(violations("mezzo-agent-1.0.jar", ArrowsIT.class))
        .anyMatch(line -> line.contains("org.mezzo.testing") && line.contains("for tests"));
    assertThat(violations("mezzo-agent-1.0.jar", HostContainer.class))
        .anyMatch(line -> line.contains("org.mezzo.host"));
  }

  @Test
  void librariesStayWhereTheyBelong() throws Exception {
    Path wrong =
        ModuleBundle.of("test", "1.0.0")
            .header("Import-Package", "org.apache.curator.framework,org.eclipse.jetty.server")
            .build(folder.resolve("mezzo-master-1.0.jar"));
    assertThat(Arrows.violations(wrong))
        .anyMatch(line -> line.contains("org.apache.curator.framework"))
        .anyMatch(line -> line.contains("org.eclipse.jetty.server"));
  }
}
