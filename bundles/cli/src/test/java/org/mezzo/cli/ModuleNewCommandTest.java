package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.mezzo.flags.FlagException;

class ModuleNewCommandTest {
  private static final Path CHECKOUT = Path.of("../..");
  private static final Path HOME = Path.of("/opt/mezzo");

  @TempDir Path folder;

  private static ModuleProject project(String kind, String name, String javaPackage)
      throws FlagException {
    return ModuleProject.checked(kind, name, javaPackage, HOME, Versions.ofMezzo());
  }

  @Test
  void thereIsATemplateForEachKindOfThePage() throws Exception {
    String page = Files.readString(CHECKOUT.resolve("docs/modules.md"));
    String table = page.substring(page.indexOf("<!-- kinds:"), page.indexOf("How they are called"));
    List<String> kinds = new ArrayList<>();
    Matcher row = Pattern.compile("(?m)^\\| `([a-z-]+)` \\| `([A-Za-z.]+)`").matcher(table);
    while (row.find()) {
      kinds.add(row.group(1) + " " + row.group(2));
    }
    assertThat(Arrays.stream(ModuleTemplate.values()).map(each -> each.kind() + " " + each.spi()))
        .containsExactlyInAnyOrderElementsOf(kinds)
        .isNotEmpty();
  }

  @Test
  void projectsOfAllKindsCompileAndPassTheirTests() throws Exception {
    List<Path> sources = new ArrayList<>();
    for (ModuleTemplate template : ModuleTemplate.values()) {
      ModuleProject project = project(template.kind(), "two-words", "org.acme." + template.name());
      Path directory = folder.resolve(template.kind());
      project.write(directory);
      String name = "TwoWords" + template.suffix();
      String path = "java/org/acme/" + template.name() + "/" + name;
      List<String> expected =
          new ArrayList<>(
              List.of(
                  "pom.xml",
                  "README.md",
                  ".gitignore",
                  "src/main/" + path + ".java",
                  "src/test/" + path + "Test.java"));
      if (template.hasKit()) {
        expected.add("src/test/" + path + "ContractTest.java");
      }
      assertThat(files(directory)).containsExactlyInAnyOrderElementsOf(expected);
      for (String file : files(directory)) {
        assertThat(Files.readString(directory.resolve(file))).as(file).doesNotContain("{{");
        if (file.endsWith(".java")) {
          sources.add(directory.resolve(file));
        }
      }
      assertThat(Files.readString(directory.resolve("README.md")))
          .contains("target/" + template.prefix() + "-two-words-1.0.0.jar", template.spi());
      assertThat(Files.readString(directory.resolve("pom.xml")))
          .contains(
              "<groupId>org.acme." + template.name() + "</groupId>",
              "<artifactId>" + template.prefix() + "-two-words</artifactId>",
              "<mezzo.home>/opt/mezzo</mezzo.home>",
              "<mezzo.version>" + Versions.ofMezzo() + "</mezzo.version>");
    }
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    Path classes = compiled(sources);
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()}, before)) {
      Thread.currentThread().setContextClassLoader(loader);
      LauncherFactory.create()
          .execute(
              LauncherDiscoveryRequestBuilder.request()
                  .selectors(DiscoverySelectors.selectPackage("org.acme"))
                  .build(),
              summary);
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
    StringWriter failures = new StringWriter();
    summary.getSummary().printFailuresTo(new PrintWriter(failures), 10);
    assertThat(summary.getSummary().getTotalFailureCount()).as(failures.toString()).isZero();
    assertThat(summary.getSummary().getContainersSucceededCount())
        .as("a class of tests for each kind")
        .isGreaterThanOrEqualTo(2 * ModuleTemplate.values().length - 1);
  }

  private Path compiled(List<Path> sources) throws IOException {
    Path classes = Files.createDirectory(folder.resolve("classes"));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      boolean succeeded =
          compiler
              .getTask(
                  said,
                  manager,
                  null,
                  List.of(
                      "-d",
                      classes.toString(),
                      "-classpath",
                      System.getProperty("java.class.path"),
                      "-proc:none",
                      "-Xlint:all,-processing,-path,-classfile",
                      "--release",
                      "17"),
                  null,
                  manager.getJavaFileObjectsFromPaths(sources))
              .call();
      assertThat(succeeded).as(said.toString()).isTrue();
    }
    assertThat(said.toString()).doesNotContain("error:");
    return classes;
  }

  private static List<String> files(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString())
          .toList();
    }
  }

  @Test
  void theSmallestExampleIsWhatIsMade() throws Exception {
    Path example = CHECKOUT.resolve("examples/hook-origin");
    for (Map.Entry<String, String> file :
        project("hook", "origin", "com.example").files().entrySet()) {
      assertThat(example.resolve(file.getKey())).hasContent(file.getValue());
    }
  }

  @Test
  void theRoundRobinExampleIsTheAllocatorThatIsMade() throws Exception {
    String source = "src/main/java/org/mezzo/examples/allocator/RoundRobinAllocator.java";
    Path example = CHECKOUT.resolve("examples/allocator-round-robin");
    assertThat(example.resolve(source))
        .hasContent(
            project("allocator", "round-robin", "org.mezzo.examples.allocator")
                .files()
                .get(source));
  }

  /** There is one POM: those of examples may say more, and nothing else. */
  @Test
  void thePomOfEachExampleIsTheOneThatIsMade() throws Exception {
    List<Path> examples;
    try (Stream<Path> folders = Files.list(CHECKOUT.resolve("examples"))) {
      examples = folders.filter(each -> Files.exists(each.resolve("pom.xml"))).sorted().toList();
    }
    assertThat(examples).hasSizeGreaterThan(2);
    for (Path example : examples) {
      List<String> lines = Files.readAllLines(example.resolve("pom.xml"));
      int next = 0;
      for (String expected : ModuleProject.template("pom.xml").lines().toList()) {
        Pattern line = line(expected);
        while (next < lines.size() && !line.matcher(lines.get(next)).matches()) {
          next++;
        }
        assertThat(next)
            .as("%s has, in its place, the line '%s'", example, expected)
            .isLessThan(lines.size());
        next++;
      }
    }
  }

  /** A line of the template, with anything for what an example calls itself. */
  private static Pattern line(String template) {
    String own =
        template.replace("{{home}}", "/opt/mezzo").replace("{{mezzo}}", Versions.ofMezzo());
    return Pattern.compile(
        Arrays.stream(own.split("\\{\\{[a-z]+}}", -1))
            .map(Pattern::quote)
            .reduce((one, other) -> one + ".+" + other)
            .orElseThrow());
  }

  @Test
  void refusesKindsThatDoNotExistAndNamesThoseThatDo() {
    assertThatThrownBy(() -> project("scheduler", "mine", "com.example"))
        .isInstanceOf(FlagException.class)
        .hasMessageContaining("'scheduler'")
        .hasMessageContaining("allocator, isolator, hook, fetcher, container-logger")
        .hasMessageContaining("resource-estimator, qos-controller");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Mine", "9", "a--b", "-a", "a-", "a b", "../a", "a.b", "a/", "ä"})
  void refusesNamesThatCannotBe(String name) {
    assertThatThrownBy(() -> project("hook", name, "com.example"))
        .isInstanceOf(FlagException.class)
        .hasMessageContaining("--name: '" + name + "'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "com..example", "com.new", "com.9", "com/example", "java.util", ".a"})
  void refusesPackagesThatCannotBe(String javaPackage) {
    assertThatThrownBy(() -> project("hook", "mine", javaPackage))
        .isInstanceOf(FlagException.class)
        .hasMessageContaining("--package: '" + javaPackage + "'");
  }

  @Test
  void namesBecomeArtifactsAndClasses() throws Exception {
    ModuleProject project = project("isolator", "posix/time_zone", "com.example");
    assertThat(project.artifact()).isEqualTo("isolator-posix-time-zone");
    assertThat(project.className()).isEqualTo("PosixTimeZoneIsolator");
    assertThat(project.flags()).isEqualTo("--isolation=posix/time_zone");
    assertThatThrownBy(() -> project("http-authenticator", "http", "com.example"))
        .hasMessageContaining("org.mezzo.api.authentication.HttpAuthenticator");
  }

  @Test
  void leavesWhatIsThereAlone() throws Exception {
    Path directory = folder.resolve("mine");
    ModuleProject project = project("hook", "mine", "com.example");
    project.write(Files.createDirectory(directory));
    assertThat(directory.resolve("pom.xml")).exists();
    Files.writeString(directory.resolve("pom.xml"), "changed");
    assertThatThrownBy(() -> project.write(directory))
        .isInstanceOf(FlagException.class)
        .hasMessageContaining(directory.toString())
        .hasMessageContaining("nothing was changed");
    assertThat(directory.resolve("pom.xml")).hasContent("changed");
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(() -> project.write(file)).isInstanceOf(FlagException.class);
  }
}
