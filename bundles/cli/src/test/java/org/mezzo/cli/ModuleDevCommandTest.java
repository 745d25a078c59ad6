package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModuleDevCommandTest {
  private static final Instant BUILT = Instant.parse("2026-01-02T03:04:05.067Z");

  @TempDir Path folder;

  /** A jar with a manifest and one file, older the more seconds. */
  private Path jar(String name, int age, String... headers) throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().putValue("Manifest-Version", "1.0");
    for (int i = 0; i < headers.length; i += 2) {
      manifest.getMainAttributes().putValue(headers[i], headers[i + 1]);
    }
    Path file = folder.resolve(name);
    try (OutputStream stream = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(stream, manifest)) {
      for (String entry : List.of("OSGI-INF/a.xml", "META-INF/ME.SF", "META-INF/ME.RSA")) {
        jar.putNextEntry(new JarEntry(entry));
        jar.write(entry.getBytes(StandardCharsets.UTF_8));
      }
    }
    Files.setLastModifiedTime(file, FileTime.from(BUILT.minusSeconds(age)));
    return file;
  }

  private static DevelopedBundle bundle(String version) {
    return new DevelopedBundle(Path.of("hook.jar"), "com.example.hook", version);
  }

  @Test
  void eachBuildIsAVersionOfItsOwn() {
    assertThat(bundle("1.2.3").versionAt(BUILT)).isEqualTo("1.2.3.dev-20260102-030405-067");
    assertThat(bundle("1").versionAt(BUILT)).isEqualTo("1.0.0.dev-20260102-030405-067");
    assertThat(bundle("1.2.3.SNAPSHOT").versionAt(BUILT))
        .isEqualTo("1.2.3.SNAPSHOT-dev-20260102-030405-067");
    assertThat(bundle("1.2.3").versionAt(BUILT.plusMillis(1)))
        .isGreaterThan(bundle("1.2.3").versionAt(BUILT));
  }

  @Test
  void takesTheBundleThatWasBuiltLast() throws Exception {
    assertThat(DevelopedBundle.newestIn(folder)).isEmpty();
    assertThat(DevelopedBundle.newestIn(folder.resolve("absent"))).isEmpty();
    jar("plain.jar", 0);
    jar("hook-1.0.0-sources.jar", 1, "Bundle-SymbolicName", "sources");
    jar("hook-1.0.0.jar", 20, "Bundle-SymbolicName", "hook", "Bundle-Version", "1.0.0");
    jar("hook-1.1.0.jar", 10, "Bundle-SymbolicName", "hook;x=y", "Bundle-Version", "1.1.0");
    assertThat(DevelopedBundle.newestIn(folder))
        .contains(new DevelopedBundle(folder.resolve("hook-1.1.0.jar"), "hook", "1.1.0"));
  }

  @Test
  void putsItIntoTheFolderWithAnotherVersionAndNoSignature() throws Exception {
    jar("hook.jar", 0, "Bundle-SymbolicName", "hook", "Bundle-Version", "1.0.0", "Other", "kept");
    DevelopedBundle bundle = DevelopedBundle.newestIn(folder).orElseThrow();
    Path modules = Files.createDirectory(folder.resolve("modules"));
    Path other = Files.writeString(modules.resolve("hook-1.0.0.jar"), "by hand");
    Path first = bundle.putInto(modules, "1.0.0.dev-1");
    Path put = bundle.putInto(modules, "1.0.0.dev-2");
    assertThat(put).hasFileName("hook-dev-1.0.0.dev-2.jar");
    assertThat(first).exists();
    bundle.removeOthers(modules, put);
    try (Stream<Path> files = Files.list(modules)) {
      assertThat(files).containsExactlyInAnyOrder(other, put);
    }
    try (JarFile jar = new JarFile(put.toFile())) {
      assertThat(jar.getManifest().getMainAttributes().getValue("Bundle-Version"))
          .isEqualTo("1.0.0.dev-2");
      assertThat(jar.getManifest().getMainAttributes().getValue("Other")).isEqualTo("kept");
      assertThat(jar.stream().map(JarEntry::getName))
          .containsExactly("META-INF/MANIFEST.MF", "OSGI-INF/a.xml");
      assertThat(jar.getInputStream(jar.getEntry("OSGI-INF/a.xml"))).hasContent("OSGI-INF/a.xml");
    }
  }

  @Test
  void seesWhatIsSavedAddedAndDeleted() throws Exception {
    Path pom = Files.writeString(folder.resolve("pom.xml"), "1");
    Path source = Files.createDirectories(folder.resolve("src/main")).resolve("A.java");
    Files.writeString(source, "1");
    SourceWatch watch = new SourceWatch(folder);
    SourceWatch.Look first = watch.look();
    Files.writeString(folder.resolve("README.md"), "no source");
    Files.writeString(folder.resolve("src/main/.A.java.swp"), "an editor's");
    Files.writeString(folder.resolve("src/main/A.java~"), "an editor's");
    assertThat(watch.look().changedSince(first)).isEmpty();
    Files.setLastModifiedTime(source, FileTime.from(BUILT));
    Files.writeString(pom, "12");
    Files.writeString(folder.resolve("src/main/B.java"), "1");
    assertThat(watch.look().changedSince(first))
        .containsExactly(
            Path.of("pom.xml"), Path.of("src/main/A.java"), Path.of("src/main/B.java"));
    SourceWatch.Look second = watch.look();
    Files.delete(source);
    assertThat(watch.look().changedSince(second)).containsExactly(Path.of("src/main/A.java"));
  }

  @Test
  void tellsWhatBecameOfABuild() {
    Map<String, Object> swap =
        Map.of(
            "action",
            "swap",
            "name",
            "hook",
            "from",
            "1",
            "to",
            "2",
            "succeeded",
            true,
            "took_ms",
            700,
            "gap_ms",
            0);
    assertThat(ModuleDevCommand.text(swap))
        .isEqualTo("Swapped hook 2 for 1 in 700 ms, without a gap");
    assertThat(
            ModuleDevCommand.text(
                Map.of(
                    "action",
                    "swap",
                    "name",
                    "hook",
                    "from",
                    "1",
                    "to",
                    "2",
                    "succeeded",
                    false,
                    "outcome",
                    "open threw; 1 stays")))
        .isEqualTo("Failed: hook 2: open threw; 1 stays");
    assertThat(
            ModuleDevCommand.text(
                Map.of(
                    "action",
                    "update",
                    "name",
                    "hook",
                    "from",
                    "1",
                    "to",
                    "1",
                    "succeeded",
                    true,
                    "took_ms",
                    700,
                    "gap_ms",
                    30)))
        .isEqualTo("Updated hook 1 in 700 ms, with a gap of 30 ms");
  }

  @Test
  void tellsWhoUsesAModuleAndHowToHaveItUsed() {
    assertThat(
            ModuleDevCommand.use(
                Map.of(
                    "kind",
                    "hook",
                    "name",
                    "mine",
                    "state",
                    "leased",
                    "daemons",
                    List.of("master", "agent-1"))))
        .isEqualTo("hook 'mine' is used by master, agent-1");
    assertThat(
            ModuleDevCommand.use(
                Map.of("kind", "hook", "name", "mine", "state", "idle", "problem", "")))
        .isEqualTo(
            "hook 'mine' is used by nobody now (idle); a cluster that wants it runs with"
                + " --hooks=mine");
  }
}
