package org.mezzo.daemon.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.TestFlags;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.modules.local.LocalModules;

/** A task exchanges files and directories for links while clients look into its sandbox. */
@Timeout(180)
class SandboxRaceTest {
  private static final int REQUESTS = 500;
  private static final int EXCHANGES = 2000;

  @TempDir Path dir;

  private final Workers workers = new Workers("test", 2);
  private final VirtualFiles files = new VirtualFiles("test", Authorization.none());
  private final AtomicInteger exchanges = new AtomicInteger();
  private TestServer server;
  private Path sandbox;
  private Thread task;
  private volatile boolean over;

  private interface Step {
    void run() throws Exception;
  }

  @BeforeEach
  void open() throws Exception {
    Router router = new Router("slave(1)", Authentication.NONE, Authorization.none(), workers);
    CommonEndpoints.install(
        router,
        LocalModules.daemon("agent", Role.AGENT, dir),
        new TestFlags(Map.of()),
        new MetricsRegistry(),
        files,
        Optional.empty(),
        workers);
    server = new TestServer(router);
    sandbox = Files.createDirectory(dir.resolve("sandbox"));
    Files.createDirectories(sandbox.resolve("logs"));
    Files.writeString(sandbox.resolve("logs/x"), "inside");
    Files.createDirectories(dir.resolve("outside"));
    Files.writeString(dir.resolve("outside/x"), "secret");
    Files.writeString(dir.resolve("outside/secret"), "secret");
    files.attach("/sandbox", sandbox, Question.about(Action.ACCESS_SANDBOX, "ann"));
  }

  @AfterEach
  void close() throws Exception {
    over = true;
    task.join();
    server.close();
    files.close();
    workers.close();
  }

  private void exchange(Step step) {
    task =
        new Thread(
            () -> {
              try {
                while (!over) {
                  step.run();
                  exchanges.incrementAndGet();
                }
              } catch (Exception e) {
                throw new IllegalStateException("The exchange failed", e);
              }
            });
    task.start();
  }

  private void exchangeFile(Path link) {
    Path next = sandbox.resolve("next");
    Path file = sandbox.resolve("file");
    exchange(
        () -> {
          Files.createSymbolicLink(next, link);
          Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
          Files.writeString(next, "inside");
          Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        });
  }

  private void exchangeDirectory() {
    Path logs = sandbox.resolve("logs");
    Path aside = sandbox.resolve("aside");
    exchange(
        () -> {
          Files.move(logs, aside, StandardCopyOption.ATOMIC_MOVE);
          Files.createSymbolicLink(logs, dir.resolve("outside"));
          Files.delete(logs);
          Files.move(aside, logs, StandardCopyOption.ATOMIC_MOVE);
        });
  }

  /** Asks until enough was asked and exchanged, and something of the sandbox's own was seen. */
  private void ask(String pathAndQuery, String own) throws Exception {
    int seen = 0;
    for (int i = 0; i < REQUESTS || seen == 0 || exchanges.get() < EXCHANGES; i++) {
      HttpResponse<String> answer = server.get(pathAndQuery);
      assertThat(answer.body()).doesNotContain("secret");
      assertThat(answer.statusCode()).isIn(200, 400, 404);
      assertThat(task.isAlive()).as("the task goes on exchanging").isTrue();
      seen += answer.statusCode() == 200 && answer.body().contains(own) ? 1 : 0;
    }
  }

  @Test
  void readsNothingOutside() throws Exception {
    exchangeFile(dir.resolve("outside/secret"));
    ask("/files/read?offset=0&path=/sandbox/file", "inside");
  }

  @Test
  void downloadsNothingOutside() throws Exception {
    exchangeFile(dir.resolve("outside/secret"));
    ask("/files/download?path=/sandbox/file", "inside");
  }

  @Test
  void readsNothingThroughADirectory() throws Exception {
    exchangeDirectory();
    ask("/files/read?offset=0&path=/sandbox/logs/x", "inside");
  }

  @Test
  void browsesNothingOutside() throws Exception {
    exchangeDirectory();
    ask("/files/browse?path=/sandbox/logs", "/x");
  }
}
