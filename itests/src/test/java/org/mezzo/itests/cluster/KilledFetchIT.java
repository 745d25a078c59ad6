package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/** Fetches by a program of the machine, and what is left of them when their agent is killed. */
class KilledFetchIT {
  private static final Duration LIMIT = Duration.ofSeconds(120);

  @TempDir Path folder;
  private MasterAndAgent cluster;
  private MezzoProcess agent;

  @BeforeEach
  void start() throws Exception {
    cluster = new MasterAndAgent(folder);
    client("echo half >\"$4\"; echo $$ >\"$4.pid\"; sleep 1000 & echo $! >>\"$4.pid\"; wait");
    cluster.startMaster("--allocation_interval=100ms");
    startAgent();
  }

  @AfterEach
  void stop() throws Exception {
    cluster.close();
  }

  private void startAgent() throws Exception {
    agent =
        cluster.startAgent(
            "--resources=cpus:8;mem:4096;disk:1024", "--hadoop_home=" + folder.resolve("hadoop"));
    cluster.awaitAgent(true);
  }

  /** A stand-in of the client, which is called for size and content. */
  private void client(String copying) throws IOException {
    Path client = Files.createDirectories(folder.resolve("hadoop/bin")).resolve("hadoop");
    Files.writeString(
        client, "#!/bin/sh\nif [ \"$2\" = -stat ]; then echo '6 1'; exit; fi\n" + copying + "\n");
    Files.setPosixFilePermissions(client, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Sees whether what was fetched is whole. */
  private static ObjectNode command() {
    ObjectNode command =
        Http.JSON
            .createObjectNode()
            .put("shell", true)
            .put("value", "[ \"$(cat kept)\" = whole ] && [ \"$(cat direct)\" = whole ]");
    command.putArray("uris").addObject().put("value", "hdfs://name/kept").put("cache", true);
    command.withArray("uris").addObject().put("value", "hdfs://name/direct");
    return command;
  }

  private List<Path> found(String name) {
    List<Path> found = new ArrayList<>();
    // Whatever is deleted meanwhile ends a walk.
    Await.until(
        "all files were looked at",
        () -> {
          found.clear();
          try (Stream<Path> files = Files.walk(folder.resolve("agent"))) {
            files.filter(file -> file.getFileName().toString().equals(name)).forEach(found::add);
          }
          return true;
        });
    return found;
  }

  private List<Long> clients() throws IOException {
    List<Long> pids = new ArrayList<>();
    for (Path file : found("fetched.pid")) {
      Files.readAllLines(file).forEach(line -> pids.add(Long.parseLong(line)));
    }
    return pids;
  }

  @Test
  void leaveNeitherProgramsNorHalfOfAnything() throws Exception {
    TestFramework framework =
        cluster.own(
            TestFramework.subscribe(
                cluster.master(),
                """
                {"user":"%s","name":"fetching","roles":["r"],"checkpoint":true,
                 "failover_timeout":600.0,
                 "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
                """
                    .formatted(System.getProperty("user.name"))));
    ObjectNode direct = command();
    direct.withArray("uris").remove(0);
    JsonNode first = offer(framework, 0);
    int before = framework.events().size();
    framework.launch(first, List.of("one"), command());
    Await.until("the one that is kept is fetched", LIMIT, () -> clients().size() == 2);
    framework.launch(offer(framework, before), List.of("two"), direct);
    Await.until("the other one is fetched", LIMIT, () -> clients().size() == 4);
    List<Long> clients = clients();

    agent.killAlone();
    for (long pid : clients) {
      Await.until(
          "client " + pid + " is gone before there is another agent", LIMIT, () -> !alive(pid));
    }
    cluster.awaitAgent(false);
    client("echo whole >\"$4\"");
    int events = framework.events().size();
    startAgent();
    assertThat(framework.awaitState("one", "TASK_FAILED").path("message").asText()).isNotEmpty();
    framework.awaitState("two", "TASK_FAILED");
    for (String left : List.of("fetched", "fetched.pid", "kept", "direct")) {
      Await.until("no " + left + " is left", LIMIT, () -> found(left).isEmpty());
    }
    framework.launch(offer(framework, events), List.of("three"), command());
    framework.awaitState("three", "TASK_FINISHED");
  }

  /** Whether somebody waits for one that was killed is up to the machine. */
  private static boolean alive(long pid) throws IOException {
    try {
      return !Files.readString(Path.of("/proc", "" + pid, "stat")).contains(") Z ");
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** One that came later than so many events. */
  private static JsonNode offer(TestFramework framework, int after) {
    AtomicReference<JsonNode> found = new AtomicReference<>();
    Await.until(
        "something is offered",
        LIMIT,
        () -> {
          List<JsonNode> events = framework.events();
          for (JsonNode event : events.subList(after, events.size())) {
            if (event.path("type").asText().equals("OFFERS")) {
              found.set(event.at("/offers/offers/0"));
            }
          }
          return found.get() != null;
        });
    return found.get();
  }
}
