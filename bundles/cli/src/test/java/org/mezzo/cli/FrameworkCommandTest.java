package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class FrameworkCommandTest {
  private final StringWriter err = new StringWriter();
  private volatile String posted = "";
  private volatile String authorization;
  private volatile int status = 200;
  private HttpServer master;

  @BeforeEach
  void open() throws Exception {
    master = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    master.createContext(
        "/redirect",
        exchange -> {
          exchange
              .getResponseHeaders()
              .add("Location", "//127.0.0.1:" + master.getAddress().getPort());
          exchange.sendResponseHeaders(307, -1);
          exchange.close();
        });
    master.createContext(
        "/mezzo/frameworks/readmit",
        exchange -> {
          authorization = exchange.getRequestHeaders().getFirst("Authorization");
          posted =
              exchange.getRequestMethod()
                  + " "
                  + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          byte[] body = "No such framework".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, status == 200 ? -1 : body.length);
          if (status != 200) {
            exchange.getResponseBody().write(body);
          }
          exchange.close();
        });
    master.start();
  }

  @AfterEach
  void close() {
    master.stop(0);
  }

  private int run(String... arguments) {
    CommandLine command = Mezzo.commandLine();
    command.setErr(new PrintWriter(err, true));
    return command.execute(arguments);
  }

  @Test
  void postsTheIdAndTellsWhatTheMasterHasAgainstIt(@TempDir Path folder) throws Exception {
    String target = "--master=127.0.0.1:" + master.getAddress().getPort();
    assertThat(run("framework", "readmit", target, "a&b-0001")).isZero();
    assertThat(posted).isEqualTo("POST frameworkId=a%26b-0001");
    assertThat(authorization).isNull();
    Path file = Files.writeString(folder.resolve("credential"), "a b\n");
    assertThat(run("framework", "readmit", target, "--credential=" + file, "x")).isZero();
    assertThat(authorization).isEqualTo("Basic YTpi");
    status = 400;
    assertThat(run("framework", "readmit", target, "x")).isEqualTo(Mezzo.FAILURE);
    assertThat(err.toString()).contains("is not readmitted", "status 400: No such framework");
    assertThat(run("framework", "readmit", target)).isEqualTo(Mezzo.USAGE);
  }
}
