package org.mezzo.itests.arrows;

import static org.assertj.core.api.Assertions.assertThat;

import aQute.bnd.header.OSGiHeader;
import aQute.bnd.header.Parameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Constants;
import org.osgi.framework.Version;

/** What others compile against does not change in silence once it is 1.0. */
class ApiBaselineIT {
  private static final boolean COMPARED = !Boolean.getBoolean("mezzo.baseline.skip");

  @Test
  void whatIsStableIsComparedWithARelease() throws Exception {
    List<String> stable = new ArrayList<>();
    for (String bundle : List.of("mezzo-api", "mezzo-resources", "mezzo-protocol")) {
      stable.addAll(stable(manifest(bundle)));
    }
    assertThat(COMPARED || stable.isEmpty())
        .as(
            "%s are 1.0 or later and compared with nothing: set mezzo.baseline.version in the root"
                + " pom.xml to the last release, and mezzo.baseline.skip to false",
            stable)
        .isTrue();
  }

  @Test
  void stableIsWhatHasAMajorVersion() {
    Attributes manifest = new Attributes();
    manifest.putValue(Constants.BUNDLE_VERSION, "0.9.0");
    manifest.putValue(
        Constants.EXPORT_PACKAGE,
        "org.mezzo.api;version=\"0.1.0\",org.mezzo.protocol.v1;version=\"1.12.0\"");
    assertThat(stable(manifest)).isEmpty();
    manifest.putValue(Constants.EXPORT_PACKAGE, "org.mezzo.api.hook;version=\"1.0.0\"");
    assertThat(stable(manifest)).containsExactly("org.mezzo.api.hook 1.0.0");
    manifest.putValue(Constants.BUNDLE_VERSION, "1.0.0.SNAPSHOT");
    assertThat(stable(manifest)).hasSize(2);
  }

  private static Attributes manifest(String bundle) throws IOException {
    Path system = Path.of(System.getProperty("mezzo.distribution")).resolve("system/10");
    try (Stream<Path> jars = Files.list(system)) {
      Path jar =
          jars.filter(file -> file.getFileName().toString().matches(bundle + "-\\d.*\\.jar"))
              .findFirst()
              .orElseThrow();
      try (JarFile file = new JarFile(jar.toFile())) {
        return file.getManifest().getMainAttributes();
      }
    }
  }

  /** The bundle itself and the packages it exports, as far as they are 1.0 or later. */
  private static List<String> stable(Attributes manifest) {
    List<String> stable = new ArrayList<>();
    String bundle = manifest.getValue(Constants.BUNDLE_VERSION);
    if (Version.parseVersion(bundle).getMajor() > 0) {
      stable.add("the bundle " + bundle);
    }
    Parameters exports = OSGiHeader.parseHeader(manifest.getValue(Constants.EXPORT_PACKAGE));
    exports.forEach(
        (name, attributes) -> {
          // The messages have the version of the Mesos they come from.
          boolean messages = name.startsWith("org.mezzo.protocol.v1");
          String version = attributes.getVersion();
          if (!messages && Version.parseVersion(version).getMajor() > 0) {
            stable.add(name + " " + version);
          }
        });
    return stable;
  }
}
