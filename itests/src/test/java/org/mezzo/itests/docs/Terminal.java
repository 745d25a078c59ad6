package org.mezzo.itests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.mezzo.fixtures.Await;

/**
 * A user's bash in a folder: variables and background jobs of one command are there for the next.
 * The user has an empty home, and a Maven that never ran for them.
 */
final class Terminal implements AutoCloseable {
  private final Path folder;
  private final Path home;
  private final Path records;
  private final Process bash;
  private final Writer input;
  private int commands;

  /** What a command has said so far, and its exit status. */
  record Outcome(int status, Path out, Path err) {
    String stdout() throws IOException {
      return Files.readString(out);
    }

    String stderr() throws IOException {
      return Files.readString(err);
    }
  }

  /**
   * Opens it.
   *
   * @param folder where commands run
   * @param home an empty folder, which gets Maven's settings: all that is not Mezzo comes from what
   *     this build has downloaded, nothing from the network
   */
  Terminal(Path folder, Path home) throws IOException {
    this.folder = folder;
    this.home = home;
    this.records = Files.createDirectories(home.resolve("terminal"));
    Files.writeString(
        Files.createDirectories(home.resolve(".m2")).resolve("settings.xml"),
        """
        <settings>
          <activeProfiles><activeProfile>downloaded</activeProfile></activeProfiles>
          <profiles>
            <profile>
              <id>downloaded</id>
              <repositories>
                <repository>
                  <id>central</id>
                  <url>%1$s</url>
                  <releases><checksumPolicy>ignore</checksumPolicy></releases>
                </repository>
              </repositories>
              <pluginRepositories>
                <pluginRepository>
                  <id>central</id>
                  <url>%1$s</url>
                  <releases><checksumPolicy>ignore</checksumPolicy></releases>
                </pluginRepository>
              </pluginRepositories>
            </profile>
          </profiles>
        </settings>
        """
            .formatted(Path.of(System.getProperty("mezzo.downloaded")).toUri()));
    ProcessBuilder builder = prepare(List.of("bash"));
    builder.redirectOutput(records.resolve("bash.out").toFile());
    builder.redirectError(records.resolve("bash.err").toFile());
    bash = builder.start();
    input = bash.outputWriter(StandardCharsets.UTF_8);
  }

  private ProcessBuilder prepare(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("MAVEN_") || name.startsWith("MEZZO_"));
    environment.put("MAVEN_OPTS", "-Duser.home=" + home);
    environment.put("MEZZO_CLASS_DATA", "off");
    environment.put("HOME", home.toString());
    environment.put("TERM", "dumb");
    environment.put("USER", System.getProperty("user.name"));
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    environment.merge(
        "PATH", System.getProperty("mezzo.maven") + "/bin", (path, maven) -> maven + ":" + path);
    return builder;
  }

  /** The local Maven repository of this user. */
  Path localRepository() {
    return home.resolve(".m2").resolve("repository");
  }

  /** Runs a command and waits for its end; one that ends with {@code &} goes on. */
  Outcome run(String command, Duration limit) throws IOException {
    Path record = records.resolve("command-" + commands++);
    Files.writeString(record, command + "\n");
    Path status = Path.of(record + ".status");
    input.write(
        ". '%1$s' </dev/null >'%1$s.out' 2>'%1$s.err'; echo $? >'%1$s.s'; mv '%1$s.s' '%1$s.status'\n"
            .formatted(record));
    input.flush();
    Path out = Path.of(record + ".out");
    Path err = Path.of(record + ".err");
    try {
      Await.until(command, limit, () -> Files.exists(status));
    } catch (AssertionError e) {
      throw new AssertionError(e.getMessage() + "\n" + tail(out) + "\n" + tail(err), e);
    }
    return new Outcome(Integer.parseInt(Files.readString(status).strip()), out, err);
  }

  /** Runs a command that must succeed; what it printed. */
  String succeed(String command, Duration limit) throws IOException {
    Outcome outcome = run(command, limit);
    assertThat(outcome.status)
        .as("%s%n%s%n%s", command, tail(outcome.out), tail(outcome.err))
        .isZero();
    return outcome.stdout();
  }

  private static String tail(Path file) throws IOException {
    String text = Files.exists(file) ? Files.readString(file) : "";
    return text.substring(Math.max(0, text.length() - 5000));
  }

  /** Runs a command in another terminal, where it stays until it is closed. */
  Session open(String command) throws IOException {
    return session(List.of("bash", "-c", command));
  }

  /** The same for a command that must see that it is a terminal, because it reads lines from it. */
  Session openShell(String command) throws IOException {
    return session(List.of("script", "-q", "-f", "-e", "-c", "exec " + command, "/dev/null"));
  }

  private Session session(List<String> command) throws IOException {
    Path record = records.resolve("session-" + commands++);
    Path out = Path.of(record + ".out");
    Path err = Path.of(record + ".err");
    return new Session(
        prepare(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start(),
        out,
        err);
  }

  /** A command that goes on, and reads what is typed. */
  static final class Session implements AutoCloseable {
    private final Process process;
    private final Writer input;
    private final Path out;
    private final Path err;

    private Session(Process process, Path out, Path err) {
      this.process = process;
      this.input = process.outputWriter(StandardCharsets.UTF_8);
      this.out = out;
      this.err = err;
    }

    /** What it has printed so far. */
    String output() throws IOException {
      return Files.readString(out);
    }

    /** Waits until it has printed all of these since it printed that many characters. */
    void await(Duration limit, int since, String... texts) throws IOException {
      try {
        Await.until(
            String.join(", ", texts),
            limit,
            () -> {
              String output = output().substring(since);
              return Stream.of(texts).allMatch(output::contains);
            });
      } catch (AssertionError e) {
        throw new AssertionError(e.getMessage() + "\n" + tail(out) + "\n" + tail(err), e);
      }
    }

    /** Types a line. */
    void type(String line) throws IOException {
      input.write(line + "\n");
      input.flush();
    }

    @Override
    public void close() {
      end(process);
    }
  }

  private static void end(Process process) {
    List<ProcessHandle> all =
        Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
    all.forEach(ProcessHandle::destroy);
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    all.forEach(ProcessHandle::destroyForcibly);
  }

  @Override
  public void close() {
    end(bash);
  }
}
