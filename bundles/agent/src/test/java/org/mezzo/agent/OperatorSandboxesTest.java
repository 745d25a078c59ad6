package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

/** Sandboxes of containers that stand alone and of those in them, where they are to be deleted. */
class OperatorSandboxesTest extends RunningAgent {
  /** Agents that share a machine share names, too. */
  private final String id = "gone-" + UUID.randomUUID();

  private final String other = "other-" + UUID.randomUUID();

  @BeforeEach
  void open() throws Exception {
    flags.put("gc_non_executor_container_sandboxes", "true");
    flags.put("gc_delay", "1secs");
    flags.put("disk_watch_interval", "100ms");
    start();
  }

  @AfterEach
  void end() throws Exception {
    for (String each : new String[] {id, other}) {
      kill(each);
    }
  }

  private String ask(String type, String content) throws Exception {
    HttpResponse<String> answer =
        call("{\"type\":\"%s\",\"%s\":{%s}}".formatted(type, type.toLowerCase(), content));
    return answer.statusCode() + " " + answer.body();
  }

  private static String named(String id) {
    return "\"container_id\":{\"value\":\"" + id + "\"}";
  }

  private void launch(String name) throws Exception {
    assertThat(ask("LAUNCH_CONTAINER", name + ",\"command\":{\"value\":\"exec sleep 1000\"}"))
        .isEqualTo("200 ");
  }

  private void kill(String id) throws Exception {
    if (ask("KILL_CONTAINER", named(id)).startsWith("200")) {
      ask("WAIT_CONTAINER", named(id));
    }
  }

  private Path sandbox(String id) {
    return folder.resolve("work/containers").resolve(id);
  }

  @Test
  void goSomeTimeAfterTheirContainersHaveEnded() throws Exception {
    launch(named(id));
    launch(named(other));
    String nested = "\"container_id\":{\"value\":\"in\",\"parent\":{\"value\":\"" + other + "\"}}";
    launch(nested);
    Path inner = sandbox(other).resolve("containers/in");
    assertThat(inner).isDirectory();
    kill(id);
    Await.until("it is gone", () -> !Files.exists(sandbox(id)));
    ask("KILL_CONTAINER", nested);
    Await.until("it is gone", () -> !Files.exists(inner));
    assertThat(sandbox(other)).isDirectory();

    // The same name may come again, whoever had it before.
    assertThat(ask("REMOVE_CONTAINER", named(id))).isEqualTo("200 ");
    launch(named(id));
    kill(other);
    Await.until("it is gone", () -> !Files.exists(sandbox(other)));
    assertThat(sandbox(id)).isDirectory();
  }

  @Test
  void goWhenTheyEndUnderALaterAgent() throws Exception {
    launch(named(id));
    agent.close();
    start();
    assertThat(sandbox(id)).isDirectory();
    kill(id);
    Await.until("it is gone", () -> !Files.exists(sandbox(id)));
  }
}
