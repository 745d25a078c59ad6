package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.ZooKeeperCluster.Master;

/**
 * Frameworks on the driver that travels with the distribution, put first on their class path,
 * beside the jars of Apache Mesos that they were compiled with. Nothing native is there.
 */
class MesosDriverIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final List<String> NEWEST = List.of("mesos-1.11.0", "protobuf-java-3.5.0");
  private static final List<String> OLDEST = List.of("mesos-0.21.1", "protobuf-java-2.5.0");

  @TempDir Path folder;
  private ZooKeeperCluster cluster;

  @BeforeEach
  void start() throws Exception {
    cluster = new ZooKeeperCluster(folder);
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private void agent(Master leader) throws Exception {
    cluster.agent("agent", "--resources=cpus:1;mem:2048;disk:1000");
    leader.awaitAgents(1);
  }

  private static Path brought(String name) {
    return Path.of(System.getProperty("mezzo.build"), "mesos-clients", name + ".jar");
  }

  /**
   * The example of {@code examples/mesos-framework}, compiled once, on the class path of a
   * framework.
   */
  private String classPath(List<String> brought) throws Exception {
    Path classes = folder.resolve("classes");
    if (!Files.exists(classes)) {
      compile(classes, NEWEST.stream().map(MesosDriverIT::brought).toList());
    }
    Path driver = Distribution.built().home().resolve("driver/mezzo-mesos-driver.jar");
    return joined(
        Stream.concat(Stream.of(classes, driver), brought.stream().map(MesosDriverIT::brought)));
  }

  private static String joined(Stream<Path> classPath) {
    return classPath.map(Path::toString).collect(Collectors.joining(File.pathSeparator));
  }

  private static void compile(Path classes, List<Path> classPath) throws Exception {
    Files.createDirectory(classes);
    List<String> arguments =
        new ArrayList<>(List.of("-d", classes.toString(), "-cp", joined(classPath.stream())));
    Path example = Path.of(System.getProperty("mezzo.repository"), "examples", "mesos-framework");
    try (Stream<Path> files = Files.list(example)) {
      files.map(Path::toString).filter(it -> it.endsWith(".java")).sorted().forEach(arguments::add);
    }
    assertThat(
            ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, arguments.toArray(String[]::new)))
        .isZero();
  }

  /** What stands in for the dependency on Mesos, with what it depends on. */
  private static List<Path> instead() throws Exception {
    Path artifact =
        Distribution.built()
            .home()
            .resolve("repository/org/mezzo/mezzo-mesos")
            .resolve(System.getProperty("mezzo.version"));
    try (Stream<Path> files = Files.list(artifact)) {
      Path jar =
          files
              .filter(it -> it.toString().matches(".*mezzo-mesos-[\\d.-]+\\.jar"))
              .findFirst()
              .orElseThrow();
      return List.of(jar, brought("protobuf-java-" + System.getProperty("mezzo.protobuf")));
    }
  }

  /** A framework that runs, and what it prints. */
  private record Framework(Process process, Path output) implements AutoCloseable {
    String printed() throws Exception {
      return Files.readString(output);
    }

    long finished() throws Exception {
      return printed().lines().filter(it -> it.endsWith("is TASK_FINISHED")).distinct().count();
    }

    int await() throws Exception {
      assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).as(printed()).isTrue();
      return process.exitValue();
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  private Framework framework(String classPath, String... arguments) throws Exception {
    return program(
        Map.of(),
        Stream.concat(Stream.of("-cp", classPath, "CountingFramework"), Arrays.stream(arguments)));
  }

  /** Starts Java with arguments and more variables. */
  private Framework program(Map<String, String> variables, Stream<String> arguments)
      throws Exception {
    Path output = Files.createTempFile(folder, "framework", ".out");
    ProcessBuilder builder =
        new ProcessBuilder(Stream.concat(Stream.of(java()), arguments).toList())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().putAll(variables);
    return cluster.own(new Framework(builder.start(), output));
  }

  private static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /**
   * Prints what a framework is told, and stops once it is registered. Arguments: the master, the
   * principal and secret or nothing, the framework's id or nothing.
   */
  private static final String TOLD =
"""
      import java.lang.reflect.Proxy;
      import java.util.Arrays;
      import org.apache.mesos.*;
      import org.apache.mesos.Protos.*;

      public final class Told {
        public static void main(String[] args) {
          Scheduler scheduler =
              (Scheduler)
                  Proxy.newProxyInstance(
                      Told.class.getClassLoader(),
                      new Class<?>[] {Scheduler.class},
                      (self, method, given) -> {
                        System.out.println(
                            method.getName()
                                + " "
                                + Arrays.asList(given).subList(1, given.length));
                        if (method.getName().equals("registered")) {
                          ((SchedulerDriver) given[0]).stop();
                        }
                        return null;
                      });
          FrameworkInfo.Builder info = FrameworkInfo.newBuilder().setUser("").setName("told");
          if (!args[3].isEmpty()) {
            info.setId(FrameworkID.newBuilder().setValue(args[3]));
          }
          Credential credential =
              Credential.newBuilder().setPrincipal(args[1]).setSecret(args[2]).build();
          SchedulerDriver driver =
              args[1].isEmpty()
                  ? new MesosSchedulerDriver(scheduler, info.build(), args[0])
                  : new MesosSchedulerDriver(scheduler, info.build(), args[0], credential);
          System.out.println("ended as " + driver.run());
        }
      }
""";

  private String told(String classPath, String... arguments) throws Exception {
    Path source = folder.resolve("Told.java");
    if (!Files.exists(source)) {
      Files.writeString(source, TOLD);
      assertThat(
              ToolProvider.getSystemJavaCompiler()
                  .run(null, null, null, "-cp", classPath, source.toString()))
          .isZero();
    }
    Framework framework =
        program(
            Map.of(),
            Stream.concat(
                Stream.of("-cp", folder + File.pathSeparator + classPath, "Told"),
                Arrays.stream(arguments)));
    framework.await();
    return framework.printed();
  }

  private static List<String> allFinished(int tasks) {
    return IntStream.range(0, tasks).mapToObj(it -> "task-" + it + " is TASK_FINISHED").toList();
  }

  @Test
  void aFrameworkAndItsExecutorGoOnWithTheNextMaster() throws Exception {
    Master first = cluster.master("first");
    Await.until("the first leads", LIMIT, first::leads);
    Master second = cluster.master("second");
    agent(first);
    String classPath = classPath(NEWEST);
    String executor = java() + " -cp " + classPath + " CountingExecutor";
    Framework framework = framework(classPath, cluster.zk(), "60", "explicit", executor);
    Await.until("some tasks are done", LIMIT, () -> framework.finished() >= 5);
    first.process().kill();
    assertThat(framework.await()).as(framework.printed()).isZero();
    assertThat(framework.printed())
        .contains("with port " + first.uri().getPort(), "the executor says that this is task 60")
        .containsSubsequence("disconnected", "reregistered with port " + second.uri().getPort());
    assertThat(framework.printed().lines()).containsAll(allFinished(60));
  }

  @Test
  void theOldestApiAndProtobufWorkAsTheNewestDo() throws Exception {
    Master master = cluster.master("master");
    Await.until("it leads", LIMIT, master::leads);
    agent(master);
    String classPath = classPath(OLDEST);
    String executor = java() + " -cp " + classPath + " CountingExecutor";
    String address = master.uri().getAuthority();
    Framework commands = framework(classPath, address, "12", "implicit");
    assertThat(commands.await()).as(commands.printed()).isZero();
    assertThat(commands.printed().lines()).containsAll(allFinished(12));
    Framework executors = framework(classPath, address, "12", "implicit", executor);
    assertThat(executors.await()).as(executors.printed()).isZero();
    assertThat(executors.printed().lines()).containsAll(allFinished(12));
    Await.until(
        "both have left",
        LIMIT,
        () ->
            Http.get(master.uri().resolve("/state")).json().path("completed_frameworks").size()
                == 2);
  }

  @Test
  void whatIsBuiltAnewNeedsNothingOfMesos() throws Exception {
    Master master = cluster.master("master");
    Await.until("it leads", LIMIT, master::leads);
    agent(master);
    Path classes = folder.resolve("rebuilt");
    compile(classes, instead());
    String classPath = joined(Stream.concat(Stream.of(classes), instead().stream()));
    String executor = java() + " -cp " + classPath + " CountingExecutor";
    Framework framework =
        framework(classPath, master.uri().getAuthority(), "12", "explicit", executor);
    assertThat(framework.await()).as(framework.printed()).isZero();
    assertThat(framework.printed().lines()).containsAll(allFinished(12));
  }

  @Test
  void whereNoMasterIsTheFrameworkIsToldWhatToDo() throws Exception {
    Framework local = framework(classPath(NEWEST), "local", "1", "implicit");
    assertThat(local.await()).isEqualTo(1);
    assertThat(local.printed()).contains("error: ", "bin/mezzo local");
  }

  @Test
  void whoIsNotLetInIsToldWhatToDo() throws Exception {
    Path credentials =
        Files.writeString(
            folder.resolve("credentials"),
            "{\"credentials\":[{\"principal\":\"ops\",\"secret\":\"right\"}]}");
    Files.setPosixFilePermissions(credentials, PosixFilePermissions.fromString("rw-------"));
    Master master =
        cluster.flagged("master", "--authenticate_http_frameworks", "--credentials=" + credentials);
    Await.until("it leads", LIMIT, master::leads);
    String classPath = classPath(NEWEST);
    String address = master.uri().getAuthority();
    assertThat(told(classPath, address, "ops", "right", ""))
        .contains("registered ", "ended as DRIVER_STOPPED");
    for (String secret : List.of("wrong", "")) {
      String said = told(classPath, address, secret.isEmpty() ? "" : "ops", secret, "");
      assertThat(said)
          .contains("error [", "401", "credential", "--credentials", "ended as DRIVER_ABORTED")
          .doesNotContain("registered ");
    }
    // It stopped, and is removed by that: its id is of no more use.
    String registered = told(classPath, address, "ops", "right", "");
    Matcher id = Pattern.compile("registered \\[value: \"([^\"]+)\"").matcher(registered);
    assertThat(id.find()).as(registered).isTrue();
    assertThat(told(classPath, address, "ops", "right", id.group(1)))
        .contains(
            "error [Framework has been removed",
            "without its id it subscribes as a new one",
            "ended as DRIVER_ABORTED");
  }

  @Test
  void aProxyCanSpeakTlsForTheMaster() throws Exception {
    Assumptions.assumeTrue(
        TlsProxy.installed().isPresent(), "nginx is not installed (Debian: nginx-light)");
    Master master = cluster.master("master");
    Await.until("it leads", LIMIT, master::leads);
    agent(master);
    TlsProxy proxy =
        cluster.own(TlsProxy.start(folder.resolve("proxy"), master.uri().getAuthority()));
    String classPath = classPath(NEWEST);
    List<String> counting =
        List.of(
            "-cp", classPath, "CountingFramework", "https://" + proxy.address(), "5", "explicit");

    // Whom nobody vouches for gets nothing of the framework.
    Framework careful = program(Map.of(), counting.stream());
    Await.until(
        "it says why",
        LIMIT,
        () ->
            careful.printed().contains("No subscription at https://")
                && careful.printed().contains("LIBPROCESS_SSL_CA_FILE"));
    assertThat(careful.process().isAlive()).isTrue();
    careful.close();
    assertThat(Http.get(master.uri().resolve("/frameworks")).text()).doesNotContain("counting");

    Map<String, String> trusting = Map.of("LIBPROCESS_SSL_CA_FILE", proxy.certificate().toString());
    Map<String, String> careless = Map.of("LIBPROCESS_SSL_VERIFY_SERVER_CERT", "false");
    for (Framework framework :
        List.of(
            program(trusting, counting.stream()),
            program(careless, counting.stream()),
            program(
                Map.of(), Stream.concat(Arrays.stream(proxy.trustOptions()), counting.stream())))) {
      assertThat(framework.await()).as(framework.printed()).isZero();
      assertThat(framework.printed().lines()).containsAll(allFinished(5));
    }

    // A name without a scheme is asked by TLS when that is switched on.
    Map<String, String> enabled = new HashMap<>(trusting);
    enabled.put("LIBPROCESS_SSL_ENABLED", "true");
    Framework named = program(enabled, counting.stream().map(it -> it.replace("https://", "")));
    assertThat(named.await()).as(named.printed()).isZero();
  }
}
