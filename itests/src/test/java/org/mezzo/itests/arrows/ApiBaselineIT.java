package org.mezzo.itests.arrows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import aQute.bnd.differ.Baseline;
import aQute.bnd.differ.DiffPluginImpl;
import aQute.bnd.osgi.Jar;
import aQute.bnd.osgi.Processor;
import aQute.bnd.version.Version;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What others compile against does not change in silence once it is 1.0: it is compared with the
 * jars in {@code baseline}, which are those of the last version that somebody may have built
 * against. CONTRIBUTING.md, "Releases", says when they change.
 */
class ApiBaselineIT {
  private static Path built(String bundle) throws IOException {
    Path system = Path.of(System.getProperty("mezzo.distribution")).resolve("system/10");
    try (Stream<Path> jars = Files.list(system)) {
      return jars.filter(file -> file.getFileName().toString().matches(bundle + "-\\d.*\\.jar"))
          .findFirst()
          .orElseThrow();
    }
  }

  private static Jar baseline(String bundle) throws IOException {
    String name = "/baseline/" + bundle + ".jar";
    try (InputStream in = ApiBaselineIT.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("There is nothing to compare " + bundle + " with: " + name);
      }
      return new Jar(bundle, in);
    }
  }

  /**
   * What speaks against a jar that is to follow another; throws when it is compared with nothing.
   */
  private static List<String> problems(Jar newer, Jar older) throws Exception {
    List<String> problems = new ArrayList<>();
    try (Processor processor = new Processor()) {
      for (Baseline.Info info :
          new Baseline(processor, new DiffPluginImpl()).baseline(newer, older, null)) {
        boolean stable = stable(info.olderVersion) || stable(info.newerVersion);
        if (stable && info.olderVersion.equals(Version.emptyVersion)) {
          problems.add(info.packageName + " is 1.0 or later and compared with nothing");
        } else if (stable && info.mismatch) {
          problems.add(
              "%s has changed (%s) since %s and is %s: it has to be %s"
                  .formatted(
                      info.packageName,
                      info.packageDiff.getDelta(),
                      info.olderVersion,
                      info.newerVersion,
                      info.suggestedVersion));
        }
      }
      if (!processor.isOk()) {
        problems.addAll(processor.getErrors());
      }
    }
    return problems;
  }

  private static boolean stable(Version version) {
    return version != null && version.getMajor() > 0;
  }

  @ParameterizedTest
  @ValueSource(strings = {"mezzo-api", "mezzo-resources"})
  void whatIsStableHasChangedNoMoreThanItsVersionSays(String bundle) throws Exception {
    try (Jar newer = new Jar(built(bundle).toFile());
        Jar older = baseline(bundle)) {
      assertThat(problems(newer, older)).isEmpty();
    }
  }

  @Test
  void whatTakesSomethingAwayOrIsComparedWithNothingIsFound() throws Exception {
    try (Jar newer = baseline("mezzo-api");
        Jar older = baseline("mezzo-api")) {
      newer.remove("org/mezzo/api/hook/Hook.class");
      assertThat(problems(newer, older))
          .singleElement()
          .asString()
          .startsWith("org.mezzo.api.hook has changed (MAJOR) since 1.0.0")
          .endsWith("it has to be 2.0.0");
      assertThat(problems(older, new Jar("nothing")))
          .contains("org.mezzo.api.hook is 1.0 or later and compared with nothing");
    }
    assertThatThrownBy(() -> baseline("mezzo-nothing"))
        .hasMessageContaining("nothing to compare mezzo-nothing with");
  }
}
