package org.mezzo.itests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.cluster.Distribution;
import org.mezzo.itests.cluster.Http;
import org.mezzo.itests.docs.Terminal.Outcome;
import org.mezzo.itests.docs.Terminal.Session;

/**
 * Every command of README.md, in its order, in a copy of the checkout as this build has left it.
 * All that differs is where the cluster listens and keeps its files, because others may test on
 * this machine too.
 */
class ReadmeIT {
  private static final Duration SOON = Duration.ofMinutes(3);
  private static final Duration BUILD = Duration.ofMinutes(10);

  @TempDir Path folder;

  @Test
  void everyCommandDoesWhatThePageSays() throws Exception {
    Page page = Page.of("README.md");
    int port = Distribution.freePort();
    String address = "127.0.0.1:" + port;
    Path checkout = copyOfTheCheckout();
    try (Terminal terminal =
        new Terminal(checkout, Files.createDirectory(folder.resolve("home")))) {
      Outcome hello = terminal.run(page.next("sh", "bin/mezzo execute --command='echo"), SOON);
      assertThat(hello.status()).as(hello.stderr()).isZero();
      assertThat(hello.stdout()).isEqualTo("hello\n");

      // Not run: it is what runs this test.
      page.next("sh", "mvn verify");

      String local = page.next("sh", "bin/mezzo local --agents=2 --shell");
      try (Session cluster =
          terminal.openShell(local + " --port=" + port + " --work_dir=" + folder.resolve("work"))) {
        cluster.await(SOON, 0, "Master:", "http://" + address, "Agent 2:", "mezzo> ");

        Outcome executed =
            terminal.run(
                page.next("sh", "bin/mezzo execute --master=").replace("127.0.0.1:5050", address),
                SOON);
        assertThat(executed.stdout()).matches("I am \\S+\n3\n");
        assertThat(executed.stderr()).contains("TASK_RUNNING", "TASK_FAILED");

        talkToTheApi(page, terminal, address);
        swapTheAllocator(page, terminal, address, cluster);
      }
    }
    page.assertAllTaken();
  }

  private static void talkToTheApi(Page page, Terminal terminal, String address)
      throws IOException {
    String agents =
        terminal.succeed(
            page.next("sh", "curl -s -X POST").replace("127.0.0.1:5050", address), SOON);
    assertThat(Http.JSON.readTree(agents).path("get_agents").path("agents")).hasSize(2);
    String state =
        terminal.succeed(page.next("sh", "curl -s http").replace("127.0.0.1:5050", address), SOON);
    assertThat(Http.JSON.readTree(state).path("slaves")).hasSize(2);
    String metrics =
        terminal.succeed(page.next("sh", "curl -s http").replace("127.0.0.1:5050", address), SOON);
    assertThat(Http.JSON.readTree(metrics).path("master/elected").asInt()).isEqualTo(1);
    try (Session framework =
        terminal.open(page.next("sh", "curl -sN -X POST").replace("127.0.0.1:5050", address))) {
      framework.await(SOON, 0, "SUBSCRIBED", "OFFERS");
    }
  }

  private static void swapTheAllocator(
      Page page, Terminal terminal, String address, Session cluster) throws IOException {
    Outcome task =
        terminal.run(
            page.next("sh", "bin/mezzo execute --master=").replace("127.0.0.1:5050", address),
            SOON);
    awaitMoreOf(task);
    terminal.succeed(page.next("sh", "mezzo="), SOON);
    terminal.succeed(page.next("sh", "mvn "), BUILD);
    terminal.succeed(page.next("sh", "cp "), SOON);

    assertThat(answer(cluster, page.next("gogo", "mezzo:tasks")))
        .containsPattern("TASK_RUNNING +\\S+-\\d{4} +\\S+-S\\d");
    lookAround(cluster);
    String modules = page.next("gogo", "mezzo:modules");
    Await.until(
        "the new allocator is listed",
        SOON,
        () -> answer(cluster, modules).contains("round-robin"));
    assertThat(answer(cluster, page.next("gogo", "mezzo:select allocator")))
        .contains("round-robin")
        .doesNotContain("Error");
    String selected = page.next("gogo", "mezzo:modules");
    Await.until(
        "the new allocator is in use",
        SOON,
        () -> inUse(answer(cluster, selected), "round-robin", "hierarchical"));
    awaitMoreOf(task);
    assertThat(answer(cluster, page.next("gogo", "mezzo:select allocator")))
        .contains("hierarchical")
        .doesNotContain("Error");
    Await.until(
        "the former allocator is in use",
        SOON,
        () -> inUse(answer(cluster, selected), "hierarchical", "round-robin"));
    awaitMoreOf(task);
  }

  /** What else the shell shows of a cluster of one process, and how it says what it shows. */
  private static void lookAround(Session cluster) throws IOException {
    assertThat(answer(cluster, "mezzo:cluster"))
        .containsPattern("agents +2 registered")
        .containsPattern("tasks +1 TASK_RUNNING");
    assertThat(answer(cluster, "mezzo:agents")).containsPattern("-S0 .* active ");
    assertThat(answer(cluster, "mezzo:frameworks")).containsPattern(" execute .* active ");
    assertThat(answer(cluster, "mezzo:flags allocation_interval"))
        .containsPattern("master +allocation_interval +1secs");
    assertThat(answer(cluster, "mezzo:metrics uptime_secs"))
        .containsPattern("master +master/uptime_secs +[0-9.]+")
        .containsPattern("agent-2 +slave/uptime_secs +[0-9.]+");
    assertThat(answer(cluster, "mezzo:threads")).containsPattern("THREAD +STATE +PROCESSOR");
    assertThat(answer(cluster, "mezzo:drain nobody")).contains("Error: Unknown agent");
    assertThat(answer(cluster, "help drain")).contains("has an agent give up its tasks", "30secs");
    assertThat(answer(cluster, "mezzo:metrics")).contains("mezzo:metrics is not called so", "part");
  }

  /** Types a line and waits for what comes until the next prompt. */
  private static String answer(Session cluster, String line) throws IOException {
    int before = cluster.output().length();
    cluster.type(line);
    cluster.await(SOON, before, "mezzo> ");
    String text = cluster.output().substring(before);
    return text.substring(0, text.indexOf("mezzo> "));
  }

  /** Whether a daemon's name stands in the row of one allocator, and not in the other's. */
  private static boolean inUse(String modules, String one, String other) {
    return modules.lines().anyMatch(row -> row.contains(one) && row.contains("master"))
        && modules.lines().noneMatch(row -> row.contains(other) && row.contains("master"));
  }

  /** Waits until the task has printed more lines than now. */
  private static void awaitMoreOf(Outcome task) throws IOException {
    long before = task.stdout().lines().count();
    Await.until("the task prints", SOON, () -> task.stdout().lines().count() > before + 1);
  }

  private Path copyOfTheCheckout() throws IOException {
    Path source = Path.of(System.getProperty("mezzo.repository")).toRealPath();
    Path built = source.resolve("bundles/distribution/target");
    Path copy = folder.resolve("checkout");
    Set<String> left = Set.of(".git", "target", "node_modules");
    Files.walkFileTree(
        source,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes attributes)
              throws IOException {
            if (left.contains(each.getFileName().toString()) && !each.equals(built)) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(copy.resolve(source.relativize(each)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path each, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(
                each, copy.resolve(source.relativize(each)), StandardCopyOption.COPY_ATTRIBUTES);
            return FileVisitResult.CONTINUE;
          }
        });
    return copy;
  }
}
