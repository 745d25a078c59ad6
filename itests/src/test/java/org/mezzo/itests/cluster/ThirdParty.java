package org.mezzo.itests.cluster;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A Java program of a framework of others, as Maven Central has it, with its output in files. These
 * are downloaded by the profile {@code frameworks} only.
 */
final class ThirdParty implements AutoCloseable {
  /** Named by the profile; tests need it set. */
  static final String PROPERTY = "mezzo.frameworks";

  /** Long enough to start a big framework on a slow machine. */
  static final Duration LIMIT = Duration.ofSeconds(240);

  private final Process process;
  private final Path out;
  private final Path err;

  private ThirdParty(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /** What the module of a framework has built and downloaded. */
  static Path target(String framework) {
    return Path.of(System.getProperty(PROPERTY), framework, "target");
  }

  /** The jar that goes before all others on the class path. */
  static Path driver() {
    return Distribution.built().home().resolve("driver/mezzo-mesos-driver.jar");
  }

  static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  static String classPath(Object... jars) {
    return Stream.of(jars).map(Object::toString).collect(Collectors.joining(File.pathSeparator));
  }

  /** Options that open packages of java.base to those who come from times when they were open. */
  static List<String> opened(String... packages) {
    return Stream.of(packages).map(it -> "--add-opens=java.base/" + it + "=ALL-UNNAMED").toList();
  }

  /** Starts {@code java arguments...} in a folder, which gets the output. */
  static ThirdParty start(Path folder, List<String> arguments) throws IOException {
    return start(folder, arguments, Map.of());
  }

  /** The same, with variables of the environment. */
  static ThirdParty start(Path folder, List<String> arguments, Map<String, String> environment)
      throws IOException {
    Path out = Files.createTempFile(folder, "java", ".out");
    Path err = Files.createTempFile(folder, "java", ".err");
    List<String> command = new ArrayList<>();
    command.add(java());
    command.addAll(arguments);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    return new ThirdParty(builder.start(), out, err);
  }

  String stdout() throws IOException {
    return Files.readString(out);
  }

  String stderr() throws IOException {
    return Files.readString(err);
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Waits for its end and returns the exit code. */
  int await() throws IOException, InterruptedException {
    if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new AssertionError("Still running after " + LIMIT + "\n" + stderr());
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
