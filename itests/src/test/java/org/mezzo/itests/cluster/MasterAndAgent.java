package org.mezzo.itests.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.mezzo.fixtures.Await;

/**
 * A master and an agent as processes of their own, on ports and in folders that stay the same, so
 * that either can be ended in any way and started again. For one thread.
 */
final class MasterAndAgent implements AutoCloseable {
  static final Duration LIMIT = Duration.ofSeconds(120);

  private final Path folder;
  private final int port = Distribution.freePort();
  private final int agentPort = Distribution.freePort();
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  /**
   * Nothing runs yet.
   *
   * @param folder gets {@code logs}, {@code master}, {@code agent} and {@code run}
   */
  MasterAndAgent(Path folder) throws IOException {
    this.folder = folder;
  }

  URI master() {
    return URI.create("http://127.0.0.1:" + port);
  }

  URI agent() {
    return URI.create("http://127.0.0.1:" + agentPort);
  }

  /** Closes it before the daemons. */
  <T extends AutoCloseable> T own(T one) {
    open.push(one);
    return one;
  }

  /** Starts the master and waits until it answers. */
  MezzoProcess startMaster(String... flags) throws IOException {
    MezzoProcess process =
        start(flags, "master", "--port=" + port, "--work_dir=" + folder.resolve("master"));
    Await.until(
        "the master answers", LIMIT, () -> Http.get(master().resolve("/state")).status() == 200);
    return process;
  }

  /** Starts the agent; it may not be registered yet. */
  MezzoProcess startAgent(String... flags) throws IOException {
    return start(
        flags,
        "agent",
        "--master=127.0.0.1:" + port,
        "--port=" + agentPort,
        "--runtime_dir=" + folder.resolve("run"),
        "--work_dir=" + folder.resolve("agent"));
  }

  private MezzoProcess start(String[] flags, String... own) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(own));
    arguments.addAll(List.of(flags));
    return own(
        MezzoProcess.start(
            Distribution.built(), folder.resolve("logs"), arguments.toArray(new String[0])));
  }

  /** The agent as the master shows it. */
  JsonNode slave() throws IOException {
    return Http.get(master().resolve("/slaves")).json().at("/slaves/0");
  }

  /** Waits until the master takes the agent for active, or not. */
  void awaitAgent(boolean active) {
    Await.until(
        "the agent is " + (active ? "active" : "gone"),
        LIMIT,
        () -> slave().path("active").asBoolean() == active);
  }

  @Override
  public void close() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }
}
