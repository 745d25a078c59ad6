package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The compiler, and what it makes of the sources. */
final class C {
  static final Path MODULE = Path.of("").toAbsolutePath();
  private static final List<String> OPTIONS =
      List.of("-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror");
  private static final List<String> SANITIZERS =
      List.of("-fsanitize=address,undefined", "-fno-sanitize-recover=all");

  private C() {}

  /** What Maven has built; the test is skipped where it could not. */
  static Path launcher() throws Exception {
    try (Stream<Path> files = Files.walk(MODULE.resolve("target/native"))) {
      Optional<Path> launcher = files.filter(it -> it.endsWith("mezzo-launcher")).findFirst();
      assumeTrue(launcher.isPresent(), "there is no C compiler (cc), so there is no launcher");
      return launcher.get();
    }
  }

  /**
   * A test program with the sources of the launcher, under sanitizers where the compiler has any.
   */
  static Path build(String program, Path folder) throws Exception {
    assumeTrue(has("cc", "--version"), "there is no C compiler (cc)");
    Path empty = Files.writeString(folder.resolve("empty.c"), "int main(void) { return 0; }\n");
    Path probe = folder.resolve("probe");
    List<String> sanitized = new ArrayList<>(List.of("cc"));
    sanitized.addAll(SANITIZERS);
    sanitized.addAll(List.of("-o", probe.toString(), empty.toString()));
    boolean sanitizers = has(sanitized.toArray(String[]::new)) && has(probe.toString());
    if (!sanitizers) {
      System.out.println("cc knows no sanitizers here: " + program + " runs without them");
    }
    List<String> command = new ArrayList<>(List.of("cc"));
    command.addAll(OPTIONS);
    command.addAll(sanitizers ? SANITIZERS : List.of());
    command.addAll(List.of("-I" + MODULE.resolve("src/main/c")));
    command.addAll(List.of("-o", folder.resolve(program).toString()));
    command.add(MODULE.resolve("src/test/c/" + program + ".c").toString());
    try (Stream<Path> sources = Files.list(MODULE.resolve("src/main/c"))) {
      sources
          .map(Path::toString)
          .filter(it -> it.endsWith(".c") && !it.endsWith("/main.c"))
          .forEach(command::add);
    }
    assertThat(run(command.toArray(String[]::new))).as("what cc says").isEmpty();
    return folder.resolve(program);
  }

  private static boolean has(String... command) {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (java.io.IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** What a program prints that ends well. */
  static String run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }
}
