package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.apache.curator.test.TestingServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.hook.Hook;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.hooks.GoodHook;
import org.mezzo.itests.hooks.HangingHook;
import org.mezzo.itests.hooks.StageFrightHook;
import org.mezzo.itests.hooks.TaskBreakingHook;
import org.mezzo.itests.hooks.ThrowingHook;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * A module that is rolled out to agents which have their own module folders, while masters fail,
 * versions are bad and agents are away.
 */
class RolloutIT {
  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final String NAME = "org.mezzo.itests.rolled";
  private static final int AGENTS = 3;

  @TempDir Path folder;
  private final List<AutoCloseable> open = new ArrayList<>();
  private TestingServer zooKeeper;

  private record Master(MezzoProcess process, URI uri) {
    boolean leads() throws IOException {
      return Http.get(uri.resolve("/metrics/snapshot")).json().path("master/elected").asInt() == 1;
    }
  }

  @BeforeEach
  void start() throws Exception {
    zooKeeper = new TestingServer(-1, folder.resolve("zookeeper").toFile(), true);
    open.add(zooKeeper);
  }

  @AfterEach
  void stop() throws Exception {
    for (int i = open.size() - 1; i >= 0; i--) {
      open.get(i).close();
    }
  }

  private String zk() {
    return "zk://" + zooKeeper.getConnectString() + "/mezzo";
  }

  private Master master(String name) throws IOException {
    return master(name, Distribution.built());
  }

  private Master master(String name, Distribution host, String... flags) throws IOException {
    List<String> arguments = new ArrayList<>(List.of(flags));
    int port = Distribution.freePort();
    arguments.add(0, "master");
    arguments.addAll(
        List.of(
            "--zk=" + zk(),
            "--zk_session_timeout=10secs",
            "--quorum=1",
            "--port=" + port,
            "--work_dir=" + folder.resolve(name)));
    MezzoProcess process =
        MezzoProcess.start(host, folder.resolve("logs"), arguments.toArray(String[]::new));
    open.add(process);
    return new Master(process, URI.create("http://127.0.0.1:" + port));
  }

  private Distribution host(int number) throws IOException {
    Distribution host = Distribution.built().copyTo(folder.resolve("host-" + number));
    bundle("1.0.0", GoodHook.class, host.modules().resolve("rolled.jar"));
    return host;
  }

  private MezzoProcess agent(int number, Distribution host) throws IOException {
    MezzoProcess process =
        MezzoProcess.start(
            host,
            folder.resolve("logs"),
            "agent",
            "--master=" + zk(),
            "--port=" + Distribution.freePort(),
            "--hooks=rolled",
            "--resources=cpus:1;mem:512",
            "--runtime_dir=" + folder.resolve("run-" + number),
            "--work_dir=" + folder.resolve("agent-" + number));
    open.add(process);
    return process;
  }

  private static Path bundle(String version, Class<? extends Hook> type, Path target)
      throws IOException {
    return ModuleBundle.of(NAME, version)
        .header("Import-Package", "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1")
        .module(type, Hook.class, Hook.KIND, "rolled")
        .build(target);
  }

  private Path bundle(String version, Class<? extends Hook> type) throws IOException {
    return bundle(version, type, folder.resolve("rolled-" + version + ".jar"));
  }

  private static JsonNode roll(Master leader, Path jar, String how) throws IOException {
    Http.Answer answer =
        Http.post(
            leader.uri().resolve("/mezzo/rollouts?" + how),
            "application/octet-stream",
            Files.readAllBytes(jar));
    assertThat(answer.status()).as(answer.text()).isEqualTo(200);
    return answer.json();
  }

  private static JsonNode report(Master leader) throws IOException {
    return Http.get(leader.uri().resolve("/mezzo/rollouts")).json();
  }

  /** Versions with the states of all agents that have a link, by their ids. */
  private static Map<String, String> versions(JsonNode report) {
    return versions(report, "agents");
  }

  private static Map<String, String> versions(JsonNode report, String daemons) {
    Map<String, String> versions = new TreeMap<>();
    for (JsonNode agent : report.path(daemons)) {
      if (agent.path("connected").asBoolean()) {
        JsonNode module = agent.path("modules").path(0);
        versions.put(
            agent.path("id").asText(),
            module.path("version").asText() + " " + module.path("state").asText());
      }
    }
    return versions;
  }

  private void await(String what, Master leader, Callable<Boolean> condition) {
    try {
      Await.until(what, PATIENCE, condition);
    } catch (AssertionError e) {
      StringBuilder told = new StringBuilder(e.getMessage()).append('\n').append(said(leader));
      for (AutoCloseable each : open) {
        if (each instanceof MezzoProcess process) {
          told.append("\n\n").append(process.stderr());
        }
      }
      throw new AssertionError(told.toString(), e);
    }
  }

  /** What the leader says of everything, for whoever reads of a failure. */
  private static String said(Master leader) {
    try {
      return report(leader) + "\n" + Http.get(leader.uri().resolve("/tasks")).text();
    } catch (IOException e) {
      return "The leader does not answer: " + e;
    }
  }

  private void awaitState(Master leader, String state) {
    await(
        "the rollout is " + state,
        leader,
        () -> report(leader).at("/rollout/state").asText().equals(state));
  }

  private void awaitAgents(Master leader, int count) {
    await(
        count + " agents are registered",
        leader,
        () ->
            Http.get(leader.uri().resolve("/state")).json().path("activated_slaves").asInt()
                == count);
  }

  @Test
  void goodVersionGetsEverywhereAndABadOneIsUndone() throws Exception {
    Master first = master("first");
    Await.until("the first leads", PATIENCE, first::leads);
    final Master second = master("second");
    List<Distribution> hosts = new ArrayList<>();
    List<MezzoProcess> agents = new ArrayList<>();
    for (int i = 0; i < AGENTS; i++) {
      hosts.add(host(i));
      agents.add(agent(i, hosts.get(i)));
    }
    awaitAgents(first, AGENTS);

    // The leader ends when the first agent was told.
    roll(first, bundle("1.1.0", GoodHook.class), "batch=1&pause=2secs&patience=90secs");
    await(
        "the first agent has it",
        first,
        () -> versions(report(first)).containsValue("1.1.0 ACTIVE"));
    assertThat(report(first).at("/rollout/state").asText()).isEqualTo("RUNNING");
    first.process().kill();
    Await.until("the second leads", PATIENCE, second::leads);
    awaitState(second, "DONE");
    assertThat(versions(report(second)).values()).hasSize(AGENTS).allMatch("1.1.0 ACTIVE"::equals);
    for (Distribution host : hosts) {
      assertThat(host.modules().resolve(NAME + "-1.1.0.jar")).exists();
      assertThat(host.modules().resolve("rolled.jar")).doesNotExist();
    }

    // One that fails its rehearsal gets as far as the first host.
    roll(second, bundle("2.0.0", StageFrightHook.class), "batch=1");
    awaitState(second, "ROLLED_BACK");
    JsonNode bad = report(second);
    assertThat(bad.at("/rollout/touched")).hasSize(1);
    assertThat(bad.at("/rollout/reason").asText()).contains(NAME).contains("stage fright");
    assertThat(bad.at("/generation/number").asInt()).isEqualTo(1);
    assertThat(versions(bad).values()).hasSize(AGENTS).allMatch("1.1.0 ACTIVE"::equals);

    // Not the jar that is meant: nothing is begun.
    Path next = bundle("1.2.0", GoodHook.class);
    String other = "0".repeat(64);
    Http.Answer damaged =
        Http.post(
            second.uri().resolve("/mezzo/rollouts?sha256=" + other),
            "application/octet-stream",
            Files.readAllBytes(next));
    assertThat(damaged.status()).as(damaged.text()).isEqualTo(400);
    assertThat(damaged.text()).contains("'sha256'", other, "send it again");
    assertThat(report(second).at("/rollout/to/number").asInt()).isEqualTo(2);

    // An agent that is away gets it when it is back.
    agents.get(0).close();
    awaitAgents(second, AGENTS - 1);
    MezzoProcess command =
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "module",
            "rollout",
            next.toUri().toString(),
            "--batch=2",
            "--master=127.0.0.1:" + second.uri().getPort());
    assertThat(command.await(PATIENCE)).as(command.stderr()).isZero();
    assertThat(command.stdout())
        .contains("generation 3 DONE: on 2 of 2 agents, 2 were told, 1 without a link");
    agent(0, hosts.get(0));
    awaitAgents(second, AGENTS);
    await(
        "the one that was away has it, too",
        second,
        () -> {
          Map<String, String> versions = versions(report(second));
          return versions.size() == AGENTS
              && versions.values().stream().allMatch("1.2.0 ACTIVE"::equals);
        });

    // What nobody wants any more gives way to what the hosts were set up with.
    Http.Answer removal =
        Http.post(
            second.uri().resolve("/mezzo/rollouts?batch=3&remove=" + NAME),
            "application/octet-stream",
            "".getBytes(StandardCharsets.UTF_8));
    assertThat(removal.status()).as(removal.text()).isEqualTo(200);
    awaitState(second, "DONE");
    for (Distribution host : hosts) {
      try (Stream<Path> files = Files.list(host.modules())) {
        assertThat(files.map(it -> it.getFileName().toString()))
            .contains(NAME + ".jar")
            .doesNotContain(NAME + "-1.2.0.jar", NAME + "-1.1.0.jar");
      }
    }
  }

  @Test
  void mastersGetItOneByOneTheLeaderLastAndABadOneIsUndone() throws Exception {
    Master leader = master("master-0", host(0), "--hooks=rolled");
    Await.until("the first leads", PATIENCE, leader::leads);
    List<Master> standbys = new ArrayList<>();
    for (int i = 1; i < 3; i++) {
      standbys.add(master("master-" + i, host(i), "--hooks=rolled"));
    }
    await("all masters are seen", leader, () -> report(leader).path("masters").size() == 3);
    final Distribution agent = host(3);
    agent(3, agent);
    awaitAgents(leader, 1);
    final String leaderId = "master@127.0.0.1:" + leader.uri().getPort();

    roll(leader, bundle("1.1.0", GoodHook.class), "selector=role=master&batch=3&pause=1secs");
    awaitState(leader, "DONE");
    JsonNode good = report(leader);
    assertThat(versions(good, "masters").values()).hasSize(3).allMatch("1.1.0 ACTIVE"::equals);
    assertThat(good.at("/rollout/touched")).hasSize(3);
    assertThat(good.at("/rollout/touched/2").asText()).isEqualTo(leaderId);
    for (int i = 0; i < 3; i++) {
      assertThat(folder.resolve("host-" + i + "/modules/" + NAME + "-1.1.0.jar")).exists();
    }
    assertThat(agent.modules().resolve("rolled.jar")).exists();

    // One that fails its rehearsal gets as far as the first standby.
    roll(leader, bundle("2.0.0", StageFrightHook.class), "selector=role=master&batch=3");
    awaitState(leader, "ROLLED_BACK");
    JsonNode bad = report(leader);
    assertThat(bad.at("/rollout/touched")).hasSize(1);
    assertThat(bad.at("/rollout/touched/0").asText()).startsWith("master@").isNotEqualTo(leaderId);
    assertThat(bad.at("/rollout/reason").asText()).contains(NAME).contains("stage fright");
    assertThat(versions(bad, "masters").values()).hasSize(3).allMatch("1.1.0 ACTIVE"::equals);

    // The leader ends when the first standby was told; the next one goes on without it.
    roll(leader, bundle("1.2.0", GoodHook.class), "selector=role=master&pause=3secs");
    await(
        "the first standby has it",
        leader,
        () -> versions(report(leader), "masters").containsValue("1.2.0 ACTIVE"));
    leader.process().kill();
    Await.until(
        "another one leads", PATIENCE, () -> standbys.get(0).leads() || standbys.get(1).leads());
    Master next = standbys.get(0).leads() ? standbys.get(0) : standbys.get(1);
    awaitState(next, "DONE");
    MezzoProcess status =
        MezzoProcess.start(
            Distribution.built(),
            folder.resolve("logs"),
            "module",
            "status",
            "--master=127.0.0.1:" + next.uri().getPort());
    assertThat(status.await(PATIENCE)).as(status.stderr()).isZero();
    assertThat(status.stdout()).contains(NAME + " 1.2.0 where role=master").contains("MASTER");
    for (Master standby : standbys) {
      assertThat(status.stdout())
          .containsPattern(
              "master@127.0.0.1:" + standby.uri().getPort() + ".*" + NAME + " +1.2.0 +ACTIVE");
    }
  }

  /** The contender as it is shipped, as another version. */
  private Path contender(String version) throws IOException {
    Path copy = folder.resolve("contenders-" + version + ".jar");
    Path shipped;
    try (Stream<Path> files = Files.list(Distribution.built().modules())) {
      shipped =
          files
              .filter(it -> it.getFileName().toString().startsWith("mezzo-contenders-"))
              .findFirst()
              .orElseThrow();
    }
    try (JarFile in = new JarFile(shipped.toFile())) {
      Manifest manifest = new Manifest(in.getManifest());
      manifest.getMainAttributes().putValue("Bundle-Version", version);
      try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(copy), manifest)) {
        for (JarEntry entry : in.stream().toList()) {
          if (!entry.isDirectory() && !entry.getName().equals(JarFile.MANIFEST_NAME)) {
            out.putNextEntry(new JarEntry(entry.getName()));
            try (InputStream content = in.getInputStream(entry)) {
              content.transferTo(out);
            }
          }
        }
      }
    }
    return copy;
  }

  private static double metric(Master master, String name) throws IOException {
    return Http.get(master.uri().resolve("/metrics/snapshot")).json().path(name).asDouble();
  }

  /** A leader that stands alone keeps its term; among others it may lose it, and nothing else. */
  @Test
  void whatStandsForElectionIsReplacedUnderTheLeader() throws Exception {
    Master first = master("master-0", host(0), "--hooks=rolled");
    Await.until("the first leads", PATIENCE, first::leads);
    agent(3, host(3));
    awaitAgents(first, 1);
    List<Master> standbys = new ArrayList<>();
    FollowingFramework framework = new FollowingFramework(List.of(first.uri()), Map.of(), "", 1);
    try {
      framework.awaitSteady();
      roll(first, contender("9.1.0"), "selector=role=master&pause=0secs");
      awaitState(first, "DONE");
      assertThat(versions(report(first), "masters").values()).containsExactly("9.1.0 ACTIVE");
      // Works for so long that a term in doubt would be over.
      long doubt = System.nanoTime() + TimeUnit.SECONDS.toNanos(MasterContender.PATIENCE_SECONDS);
      while (System.nanoTime() < doubt) {
        framework.awaitTasks(1);
      }
      framework.awaitTasks(1);
      assertThat(framework.subscriptions()).isEqualTo(1);
      assertThat(metric(first, "master/messages_reregister_slave")).isZero();
      assertThat(metric(first, "master/elected")).isEqualTo(1);
      framework.drain();
    } finally {
      framework.close();
    }

    for (int i = 1; i < 3; i++) {
      standbys.add(master("master-" + i, host(i), "--hooks=rolled"));
    }
    await("all masters are seen", first, () -> report(first).path("masters").size() == 3);
    List<Master> all = List.of(first, standbys.get(0), standbys.get(1));
    framework = new FollowingFramework(all.stream().map(Master::uri).toList(), Map.of(), "", 1);
    try {
      framework.awaitSteady();
      roll(first, contender("9.2.0"), "selector=role=master&pause=0secs");
      await(
          "it is done, whoever leads now",
          first,
          () -> {
            for (Master each : all) {
              if (each.leads() && report(each).at("/rollout/state").asText().equals("DONE")) {
                return versions(report(each), "masters").values().stream()
                        .filter("9.2.0 ACTIVE"::equals)
                        .count()
                    == 3;
              }
            }
            return false;
          });
      framework.awaitTasks(5);
      framework.awaitSteady();
      int leaders = 0;
      for (Master each : all) {
        leaders += each.leads() ? 1 : 0;
      }
      assertThat(leaders).isEqualTo(1);
      framework.drain();
    } finally {
      framework.close();
    }
  }

  @Test
  void versionsThatTurnOutBadWhenTasksRunAreUndone() throws Exception {
    Master master = master("master");
    Await.until("it leads", PATIENCE, master::leads);
    agent(0, host(0));
    agent(1, host(1));
    awaitAgents(master, 2);
    roll(master, bundle("1.1.0", GoodHook.class), "pause=0secs");
    awaitState(master, "DONE");
    try (Load load = new Load(master.uri())) {
      Await.until("tasks have ended", PATIENCE, () -> load.ended() > 20);

      assertUndone(master, bundle("2.0.0", ThrowingHook.class), "no variables today");
      assertUndone(master, bundle("2.1.0", HangingHook.class), "");
      final long before = load.failed();
      assertUndone(
          master, bundle("2.2.0", TaskBreakingHook.class), "tasks that ended since failed");
      assertThat(load.failed()).isGreaterThanOrEqualTo(before + 5);

      // One that joins takes no task before it has what is wanted.
      agent(2, host(2));
      Await.until("tasks run on the third agent", PATIENCE, () -> load.agents() == 3);
      JsonNode report = report(master);
      assertThat(versions(report).values()).hasSize(3).allMatch("1.1.0 ACTIVE"::equals);
      assertThat(report.path("agents")).noneMatch(agent -> agent.has("no_offers"));
      assertThat(load.firsts()).allMatch("1.1.0 ACTIVE"::equals);
    }
  }

  private void assertUndone(Master master, Path jar, String reason) throws Exception {
    roll(master, jar, "batch=1&pause=1hrs&patience=90secs");
    awaitState(master, "ROLLED_BACK");
    JsonNode report = report(master);
    assertThat(report.at("/rollout/touched")).hasSize(1);
    assertThat(report.at("/rollout/reason").asText()).contains(reason);
    assertThat(versions(report).values()).hasSize(2).allMatch("1.1.0 ACTIVE"::equals);
  }

  /** Has short tasks run on every agent, one after the other. */
  private final class Load implements AutoCloseable {
    private final TestFramework framework;
    private final URI master;
    private final Thread thread = new Thread(this::run, "load");
    private final Set<String> agents = ConcurrentHashMap.newKeySet();
    private final Queue<String> firsts = new ConcurrentLinkedQueue<>();
    private final AtomicLong ended = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private int launched;
    private volatile boolean over;

    Load(URI master) throws IOException {
      this.master = master;
      framework =
          TestFramework.subscribe(
              master,
              "{\"user\":\"root\",\"name\":\"load\",\"roles\":[\"*\"],"
                  + "\"capabilities\":[{\"type\":\"MULTI_ROLE\"}]}");
      thread.start();
    }

    long ended() {
      return ended.get();
    }

    long failed() {
      return failed.get();
    }

    int agents() {
      return agents.size();
    }

    /** What each agent had by its own word when it was offered first. */
    Queue<String> firsts() {
      return firsts;
    }

    /** An offer may come while a task of the other agent runs: everything is taken as it comes. */
    private void run() {
      try {
        while (!over) {
          JsonNode event = framework.next();
          switch (event.path("type").asText()) {
            case "OFFERS" -> launch(event.at("/offers/offers"));
            case "UPDATE" -> updated(event.at("/update/status"));
            default -> {}
          }
        }
      } catch (IOException | AssertionError e) {
        if (!over) {
          e.printStackTrace();
        }
      }
    }

    private void launch(JsonNode offers) throws IOException {
      for (JsonNode offer : offers) {
        String agent = offer.at("/agent_id/value").asText();
        if (agents.add(agent)) {
          JsonNode report = Http.get(master.resolve("/mezzo/rollouts")).json();
          firsts.add(String.valueOf(versions(report).get(agent)));
        }
        launched++;
        framework.launch(
            offer, "task-" + launched, "test -z \"$" + TaskBreakingHook.VARIABLE + "\"");
      }
    }

    private void updated(JsonNode status) throws IOException {
      framework.acknowledge(status);
      if (TestFramework.isEnd(status)) {
        ended.incrementAndGet();
        if (!status.path("state").asText().equals("TASK_FINISHED")) {
          failed.incrementAndGet();
        }
      }
    }

    @Override
    public void close() throws Exception {
      over = true;
      framework.close();
      thread.join(PATIENCE.toMillis());
    }
  }
}
