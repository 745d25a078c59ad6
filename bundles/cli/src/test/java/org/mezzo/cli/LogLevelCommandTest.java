package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;

/** What the command about levels of loggers sends, and what it prints. */
@Timeout(60)
class LogLevelCommandTest {
  private final List<String> asked = new ArrayList<>();
  private HttpServer daemon;
  private volatile int status = 200;
  private volatile String answer =
      """
      {"daemon":"agent","loggers":[{"logger":"modules.hook.audit","level":"DEBUG",
      "until":"2026-01-02T03:04:05Z","by":"Ada"},{"logger":"org","level":"INFO","by":""}]}\
      """;
  private String out;

  @BeforeEach
  void open() throws Exception {
    daemon = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    daemon.createContext(
        "/mezzo/loggers",
        exchange -> {
          asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
          byte[] body = answer.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    daemon.start();
  }

  @AfterEach
  void close() {
    daemon.stop(0);
  }

  private int run(String... arguments) {
    List<String> all = new ArrayList<>(List.of("log-level"));
    all.addAll(List.of(arguments));
    all.add("--agent=127.0.0.1:" + daemon.getAddress().getPort());
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (PrintStream stream = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(stream);
      CommandLine command = Mezzo.commandLine();
      command.setErr(new PrintWriter(stream, true, StandardCharsets.UTF_8));
      return command.execute(all.toArray(String[]::new));
    } finally {
      System.setOut(before);
      out = printed.toString(StandardCharsets.UTF_8);
    }
  }

  @Test
  void showsAndChangesThem() {
    assertThat(run()).isZero();
    assertThat(out.lines().map(line -> line.replaceAll(" +", " ").strip()))
        .containsExactly(
            "DAEMON LOGGER LEVEL UNTIL BY",
            agent() + " modules.hook.audit DEBUG 2026-01-02T03:04:05Z Ada",
            agent() + " org INFO");
    assertThat(run("hook/audit")).isZero();
    assertThat(run("hook/audit", "DEBUG", "--for=10mins")).isZero();
    assertThat(run("hook/audit", "default")).isZero();
    assertThat(asked)
        .containsExactly(
            "GET /mezzo/loggers",
            "GET /mezzo/loggers?logger=hook%2Faudit",
            "POST /mezzo/loggers/level?logger=hook%2Faudit&level=DEBUG&duration=10mins",
            "POST /mezzo/loggers/level?logger=hook%2Faudit&level=default");
  }

  private String agent() {
    return "agent 127.0.0.1:" + daemon.getAddress().getPort();
  }

  @Test
  void saysWhatIsWrong() {
    status = 400;
    answer = "'LOUD' is no level.\n";
    assertThat(run("org", "LOUD")).isEqualTo(Mezzo.FAILURE);
    assertThat(out).contains("status 400: 'LOUD' is no level.");
    assertThat(run("org", "--for=1mins")).isEqualTo(Mezzo.USAGE);
    assertThat(out).contains("--for goes with a LEVEL");
    assertThat(run("a", "b", "c")).isEqualTo(Mezzo.USAGE);
  }
}
