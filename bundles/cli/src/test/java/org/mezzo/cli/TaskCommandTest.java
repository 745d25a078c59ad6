package org.mezzo.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.protocol.recordio.RecordIo;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.ProcessIO;
import org.mezzo.protocol.v1.agent.Response;
import picocli.CommandLine;

/** Commands on tasks, before something that answers like a master and an agent. */
class TaskCommandTest {
  private final StringWriter err = new StringWriter();
  private final List<Call> calls = Collections.synchronizedList(new ArrayList<>());
  private volatile String tasks = "";
  private volatile int raw = 3 << 8;

  /** What the header Authorization has to be; empty for anything. */
  private volatile String demanded = "";

  private HttpServer daemons;

  @BeforeEach
  void open() throws Exception {
    daemons = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    daemons.setExecutor(Executors.newCachedThreadPool());
    String address = "127.0.0.1:" + daemons.getAddress().getPort();
    daemons.createContext(
        "/redirect",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "//" + address);
          exchange.sendResponseHeaders(307, -1);
          exchange.close();
        });
    guarded("/tasks", exchange -> answer(exchange, "{\"tasks\":[" + tasks + "]}"));
    guarded(
        "/slaves",
        exchange ->
            answer(
                exchange, "{\"slaves\":[{\"id\":\"S0\",\"pid\":\"slave(1)@" + address + "\"}]}"));
    guarded("/api/v1", this::called);
    daemons.start();
    tasks = task("t", "TASK_RUNNING");
  }

  /** Answers only who has the credentials that are demanded. */
  private void guarded(String path, HttpHandler handler) {
    daemons.createContext(
        path,
        exchange -> {
          String given = exchange.getRequestHeaders().getFirst("Authorization");
          if (demanded.isEmpty() || demanded.equals(given)) {
            handler.handle(exchange);
            return;
          }
          exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"test\"");
          byte[] body = "401 Unauthorized.".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(401, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
  }

  @AfterEach
  void close() {
    daemons.stop(0);
  }

  private static String task(String id, String state) {
    return "{\"id\":\"%s\",\"state\":\"%s\",\"slave_id\":\"S0\",\"framework_id\":\"F\",\"statuses\":"
            .formatted(id, state)
        + "[{\"container_status\":{\"container_id\":{\"value\":\"c\",\"parent\":{\"value\":\"e\"}}}}]}";
  }

  private static void answer(HttpExchange exchange, String json) throws IOException {
    byte[] body = json.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private void called(HttpExchange exchange) throws IOException {
    Call call = Call.parseFrom(exchange.getRequestBody().readAllBytes());
    calls.add(call);
    switch (call.getType()) {
      case LAUNCH_NESTED_CONTAINER_SESSION -> {
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
          for (ProcessIO.Data.Type type :
              List.of(ProcessIO.Data.Type.STDOUT, ProcessIO.Data.Type.STDERR)) {
            out.write(
                RecordIo.frame(
                    ProcessIO.newBuilder()
                        .setType(ProcessIO.Type.DATA)
                        .setData(
                            ProcessIO.Data.newBuilder()
                                .setType(type)
                                .setData(ByteString.copyFromUtf8("said\n")))
                        .build()
                        .toByteArray()));
          }
        }
      }
      case WAIT_CONTAINER -> {
        byte[] body =
            Response.newBuilder()
                .setType(Response.Type.WAIT_CONTAINER)
                .setWaitContainer(Response.WaitContainer.newBuilder().setExitStatus(raw))
                .build()
                .toByteArray();
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
      }
      default -> {
        byte[] body =
            "I/O switchboard server was disabled for this container"
                .getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(500, body.length);
        exchange.getResponseBody().write(body);
      }
    }
    exchange.close();
  }

  private int run(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add(2, "--master=127.0.0.1:" + daemons.getAddress().getPort());
    CommandLine command = Mezzo.commandLine();
    command.setErr(new PrintWriter(err, true));
    return command.execute(all.toArray(new String[0]));
  }

  @Test
  void aCommandRunsInTheContainerOfTheTaskAndItsStatusComesBack() {
    assertThat(run("task", "exec", "t", "ls", "-l", "--all")).isEqualTo(3);
    Call.LaunchNestedContainerSession session = calls.get(0).getLaunchNestedContainerSession();
    assertThat(session.getContainerId().getParent().getValue()).isEqualTo("c");
    assertThat(session.getContainerId().getParent().getParent().getValue()).isEqualTo("e");
    assertThat(session.getCommand().getShell()).isFalse();
    assertThat(session.getCommand().getValue()).isEqualTo("ls");
    assertThat(session.getCommand().getArgumentsList()).containsExactly("ls", "-l", "--all");
    assertThat(session.hasContainer()).isFalse();
    assertThat(calls.get(1).getWaitContainer().getContainerId())
        .isEqualTo(session.getContainerId());
    raw = 9;
    assertThat(run("task", "exec", "t", "true")).isEqualTo(128 + 9);
  }

  @Test
  void whatCannotBeSaysWhy() {
    assertThat(run("task", "attach", "--no-stdin", "t")).isEqualTo(Mezzo.FAILURE);
    assertThat(err.toString()).contains("the task was launched without a terminal");
    tasks = task("t", "TASK_FINISHED");
    assertThat(run("task", "exec", "t", "true")).isEqualTo(Mezzo.FAILURE);
    assertThat(err.toString()).contains("no task 't' runs; mezzo task list says which do");
    tasks = task("t", "TASK_RUNNING") + "," + task("t", "TASK_RUNNING");
    assertThat(run("task", "exec", "t", "true")).isEqualTo(Mezzo.FAILURE);
    assertThat(err.toString()).contains("more than one framework has a task 't'");
    assertThat(run("task", "exec", "t")).isEqualTo(Mezzo.USAGE);
  }

  @Test
  void tasksAreListed() {
    assertThat(run("task", "list")).isZero();
    assertThat(run("task", "list", "--all")).isZero();
  }

  @Test
  void masterAndAgentAreAskedWithTheCredentialOfTheFile(@TempDir Path folder) throws Exception {
    demanded = "Basic " + Base64.getEncoder().encodeToString("alice:s3cret".getBytes(UTF_8));
    String known = "--credential=" + Files.writeString(folder.resolve("known"), "alice s3cret\n");
    String other = "--credential=" + Files.writeString(folder.resolve("other"), "alice wrong\n");
    assertThat(run("task", "list")).isEqualTo(Mezzo.FAILURE);
    assertThat(err.toString())
        .contains("status 401: 401 Unauthorized.; --credential=FILE names a principal");
    assertThat(run("task", "list", other)).isEqualTo(Mezzo.FAILURE);
    assertThat(run("task", "list", known)).isZero();
    assertThat(run("task", "exec", "t", "true")).isEqualTo(Mezzo.FAILURE);
    assertThat(run("task", "exec", known, "t", "true")).isEqualTo(3);
    assertThat(run("task", "attach", known, "--no-stdin", "t")).isEqualTo(Mezzo.FAILURE);
    assertThat(err.toString()).contains("the task was launched without a terminal");
    assertThat(run("task", "list", "--credential=" + folder.resolve("none")))
        .isEqualTo(Mezzo.USAGE);
    assertThat(err.toString()).contains("cannot be read");
  }

  @Test
  void theSequenceThatDetachesIsFoundInWhatIsTyped() {
    assertThat(ContainerConnection.detaches(new byte[] {'a', 0x10, 0x11})).isTrue();
    assertThat(ContainerConnection.detaches(new byte[] {0x10, 'b', 0x11})).isFalse();
    assertThat(ContainerConnection.detaches(new byte[] {0x10})).isFalse();
    assertThat(ContainerConnection.detaches(new byte[] {0x10, 0x10, 0x11})).isTrue();
  }
}
