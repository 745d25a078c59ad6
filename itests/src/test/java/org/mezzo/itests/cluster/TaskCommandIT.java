package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** {@code mezzo task} where the master and the agent demand credentials. */
class TaskCommandIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final String BASIC =
      "Basic " + Base64.getEncoder().encodeToString("ops:secret".getBytes(StandardCharsets.UTF_8));

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final int port = Distribution.freePort();
  private final URI master = URI.create("http://127.0.0.1:" + port);
  private Path known;

  @BeforeEach
  void start() throws Exception {
    known = Files.writeString(folder.resolve("credentials"), "ops secret\n");
    own(
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "master",
            "--port=" + port,
            "--work_dir=" + folder.resolve("master"),
            "--allocation_interval=100ms",
            "--credentials=" + known,
            "--authenticate_http_readonly",
            "--authenticate_http_readwrite",
            "--authenticate_http_frameworks"));
    own(
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "agent",
            "--master=127.0.0.1:" + port,
            "--port=" + Distribution.freePort(),
            "--work_dir=" + folder.resolve("agent"),
            "--runtime_dir=" + folder.resolve("run"),
            "--resources=cpus:4;mem:1024;disk:1024",
            "--registration_backoff_factor=50ms",
            "--http_credentials=" + known,
            "--authenticate_http_readonly",
            "--authenticate_http_readwrite"));
    Await.until(
        "the agent is registered",
        LIMIT,
        () -> {
          Http.Answer answer = Http.get(master.resolve("/slaves"), "Authorization", BASIC);
          return answer.status() == 200 && answer.json().path("slaves").size() == 1;
        });
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private <T extends AutoCloseable> T own(T it) {
    open.add(it);
    return it;
  }

  /** The status of a command that gets a line at its input; what it says is in {@code out}. */
  private int mezzo(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(arguments));
    command.add(0, Distribution.built().command().toString());
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("out").toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("MEZZO_MASTER", "127.0.0.1:" + port);
    Process process = builder.start();
    try (OutputStream in = process.getOutputStream()) {
      in.write("typed\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private String said() throws Exception {
    return Files.readString(folder.resolve("out"));
  }

  @Test
  void theCredentialOfAFileLetsIn() throws Exception {
    TestFramework framework =
        own(
            TestFramework.subscribe(
                master,
                """
                {"user":"%s","name":"guarded","roles":["r"],"principal":"ops",
                 "capabilities":[{"type":"MULTI_ROLE"}]}\
                """
                    .formatted(System.getProperty("user.name")),
                Map.of("Authorization", BASIC)));
    framework.launch(
        framework.await("OFFERS", event -> true, LIMIT).at("/offers/offers/0"),
        List.of("task"),
        "exec sleep 1000");
    framework.awaitState("task", "TASK_RUNNING");
    String credential = "--credential=" + known;

    assertThat(mezzo("task", "list")).isNotZero();
    assertThat(said()).contains("status 401", "--credential=FILE");
    assertThat(mezzo("task", "list", credential)).isZero();
    assertThat(said()).contains("task", "TASK_RUNNING");
    assertThat(mezzo("task", "exec", "-i", "task", "cat")).isNotZero();
    assertThat(mezzo("task", "exec", "-i", credential, "task", "sh", "-c", "cat; exit 3"))
        .isEqualTo(3);
    assertThat(said()).isEqualTo("typed\n");
    assertThat(mezzo("task", "attach", "--no-stdin", credential, "task")).isNotZero();
    assertThat(said()).contains("was launched without a terminal");
    assertThat(mezzo("module", "list")).isNotZero();
    assertThat(mezzo("module", "list", credential)).isZero();
    assertThat(said()).contains("master", "agent 127.0.0.1");
  }
}
