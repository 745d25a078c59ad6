package org.mezzo.agent.checks.probes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Probe;
import org.mezzo.agent.checks.Probing;
import org.mezzo.agent.checks.Subject;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.Metrics;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;
import org.mezzo.api.checker.Connecting;
import org.mezzo.containerizer.LauncherChoice;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CommandInfo;

/** What an agent does about checkers; what those that come with Mezzo do is in their own tests. */
class NetworkProbesTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final long ME = ProcessHandle.current().pid();
  private static final Probe.Tcp TCP = new Probe.Tcp(false, 80);
  private static final Probe.Http HTTP = new Probe.Http(true, true, -1, "/health");

  @TempDir Path folder;

  private final Map<String, DoubleSupplier> gauges = new ConcurrentHashMap<>();
  private final AtomicLong unknown = new AtomicLong();
  private final List<AutoCloseable> closing = new CopyOnWriteArrayList<>();
  private final Metrics metrics =
      new Metrics() {
        @Override
        public Counter counter(String name) {
          assertThat(name).isEqualTo("slave/mezzo/check_probes_unknown");
          return unknown::addAndGet;
        }

        @Override
        public void gauge(String name, DoubleSupplier value) {
          gauges.put(name, value);
        }

        @Override
        public void remove(String name) {
          gauges.remove(name);
        }
      };
  private final LocalModules modules = new LocalModules();
  private final Held held = new Held();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : closing) {
      each.close();
    }
    modules.close();
  }

  /** Answers when the test does. */
  private static final class Held implements Checker {
    final List<CheckRequest> requests = new CopyOnWriteArrayList<>();
    final List<CompletableFuture<CheckResult>> results = new CopyOnWriteArrayList<>();

    @Override
    public CompletionStage<CheckResult> check(CheckRequest request) {
      CompletableFuture<CheckResult> result = new CompletableFuture<>();
      results.add(result);
      requests.add(request);
      return result;
    }

    void awaitRequests(int count) {
      Await.until(() -> requests.size() == count);
    }
  }

  /** Connects, on a thread of the call, which no other checker should. */
  private static final class Connects implements Checker {
    @Override
    public CompletionStage<CheckResult> check(CheckRequest request) throws Exception {
      try (Connecting connecting =
              request.connect(InetAddress.getByName("127.0.0.1"), request.port());
          Selector selector = Selector.open()) {
        connecting.channel().register(selector, connecting.operation());
        while (!connecting.finish()) {
          selector.select();
          selector.selectedKeys().clear();
        }
        return CompletableFuture.completedStage(CheckResult.connected());
      } catch (java.net.ConnectException e) {
        return CompletableFuture.completedStage(CheckResult.refused(e.getMessage()));
      } catch (IOException e) {
        return CompletableFuture.completedStage(CheckResult.failed(String.valueOf(e.getMessage())));
      }
    }
  }

  private NetworkProbes probes(NetworkRelay relay, Path proc, int most, Duration counted) {
    NetworkProbes probes =
        new NetworkProbes(
            "test",
            modules.of(LocalModules.daemon("agent", Role.AGENT, folder)),
            relay,
            metrics,
            proc,
            most,
            counted);
    closing.add(probes);
    return probes;
  }

  private NetworkProbes probes() throws Exception {
    return probes(10, LONG);
  }

  private NetworkProbes probes(int most, Duration counted) throws Exception {
    NetworkProbes probes =
        probes(new NetworkRelay(Optional.empty(), folder), Path.of("/proc"), most, counted);
    modules.awaitHolders();
    return probes;
  }

  private record Process(long pid) implements Subject {
    @Override
    public String name() {
      return "t";
    }

    @Override
    public boolean runs() {
      return true;
    }

    @Override
    public Probing run(CommandInfo command, Duration timeout, Consumer<Outcome> done) {
      done.accept(new Outcome.Exited(command.getValue().length()));
      return Probing.NONE;
    }
  }

  private static CompletableFuture<Outcome> begin(
      NetworkProbes probes, long pid, Probe probe, Duration timeout) {
    CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    probes.probe(new Process(pid), probe, timeout, outcome::complete);
    return outcome;
  }

  private static CompletableFuture<Outcome> begin(NetworkProbes probes, Probe probe) {
    return begin(probes, ME, probe, LONG);
  }

  private static Outcome outcome(CompletableFuture<Outcome> begun) throws Exception {
    return begun.get(60, TimeUnit.SECONDS);
  }

  private int gauge(String name) {
    return (int) gauges.get("slave/check_probes_" + name).getAsDouble();
  }

  @Test
  void asksTheCheckerOfTheType() throws Exception {
    Held tcp = new Held();
    modules.register(Kinds.CHECKER, "http", held);
    modules.register(Kinds.CHECKER, "tcp", tcp);
    NetworkProbes probes = probes();
    CompletableFuture<Outcome> page = begin(probes, HTTP);
    CompletableFuture<Outcome> connection = begin(probes, TCP);
    held.awaitRequests(1);
    tcp.awaitRequests(1);
    CheckRequest asked = held.requests.get(0);
    assertThat(asked.type()).isEqualTo(CheckInfo.Type.HTTP);
    assertThat(asked.task()).isEqualTo("t");
    assertThat(asked.port()).isEqualTo(-1);
    assertThat(asked.path()).isEqualTo("/health");
    assertThat(asked.secure()).isTrue();
    assertThat(asked.ipv6()).isTrue();
    assertThat(asked.timeout()).isEqualTo(LONG);
    assertThat(tcp.requests.get(0).type()).isEqualTo(CheckInfo.Type.TCP);
    held.results.get(0).complete(CheckResult.answered(204));
    tcp.results.get(0).complete(CheckResult.refused("r".repeat(2_000)));
    assertThat(outcome(page)).isEqualTo(new Outcome.Answered(204));
    assertThat(outcome(connection)).isEqualTo(new Outcome.Connected(false, "r".repeat(1_000)));
    assertThat(unknown.get()).isZero();
    Await.until(() -> gauge("running") == 0);
  }

  @Test
  void whatIsNoVerdictSaysNothingOfTheTask() throws Exception {
    NetworkProbes probes = probes();
    assertThat(outcome(begin(probes, HTTP)).describe()).contains("no checker named 'http'");
    modules.register(Kinds.CHECKER, "tcp", held);
    modules.register(
        Kinds.CHECKER,
        "http",
        (Checker)
            request -> {
              throw new IOException("cannot look");
            });
    modules.awaitHolders();
    Outcome threw = outcome(begin(probes, HTTP));
    assertThat(threw).isInstanceOf(Outcome.Unknown.class);
    assertThat(threw.describe()).contains("cannot look");
    CompletableFuture<Outcome> lie = begin(probes, TCP);
    held.awaitRequests(1);
    held.results.get(0).complete(CheckResult.answered(200));
    assertThat(outcome(lie).describe()).contains("it said ANSWERED");
    CompletableFuture<Outcome> late = begin(probes, ME, TCP, Duration.ofMillis(1));
    held.awaitRequests(2);
    assertThat(outcome(late)).isInstanceOf(Outcome.Unknown.class);
    assertThat(unknown.get()).isEqualTo(4);
    Await.until(() -> gauge("running") == 0);
  }

  @Test
  void whatASwapCutsOffIsAskedOfTheSuccessor() throws Exception {
    LocalModules.Registered old = modules.register(Kinds.CHECKER, "tcp", held);
    NetworkProbes probes = probes();
    CompletableFuture<Outcome> begun = begin(probes, TCP);
    held.awaitRequests(1);
    Held next = new Held();
    modules.register(Kinds.CHECKER, "tcp", next);
    modules.awaitHolders();
    assertThat(next.requests).isEmpty();
    old.close();
    next.awaitRequests(1);
    assertThatThrownBy(() -> held.requests.get(0).connect(InetAddress.getLoopbackAddress(), 1))
        .hasMessageContaining("nobody waits");
    held.results.get(0).complete(CheckResult.refused("by nobody"));
    next.results.get(0).complete(CheckResult.connected());
    assertThat(outcome(begun)).isEqualTo(new Outcome.Connected(true, ""));
    assertThat(unknown.get()).isZero();
  }

  @Test
  void whatIsCalledOffIsCancelledAndTellsNothing() throws Exception {
    modules.register(Kinds.CHECKER, "tcp", held);
    NetworkProbes probes = probes();
    List<Outcome> told = new CopyOnWriteArrayList<>();
    Probing probing = probes.probe(new Process(ME), TCP, Duration.ZERO, told::add);
    held.awaitRequests(1);
    probing.cancel();
    Await.until(() -> held.results.get(0).isCancelled() && gauge("running") == 0);
    // What is asked for afterwards is told afterwards.
    CompletableFuture<Outcome> next = begin(probes, TCP);
    held.awaitRequests(2);
    held.results.get(1).complete(CheckResult.connected());
    outcome(next);
    assertThat(told).isEmpty();
  }

  @Test
  void connectionsThatACheckerLeavesAreClosed() throws Exception {
    modules.register(Kinds.CHECKER, "tcp", held);
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      NetworkProbes probes = probes();
      CompletableFuture<Outcome> begun = begin(probes, TCP);
      held.awaitRequests(1);
      Connecting left =
          held.requests.get(0).connect(server.getInetAddress(), server.getLocalPort());
      assertThat(gauge("open")).isEqualTo(1);
      held.results.get(0).complete(CheckResult.connected());
      outcome(begun);
      Await.until(() -> gauge("open") == 0);
      assertThat(left.channel().isOpen()).isFalse();
    }
  }

  @Test
  void othersWaitWithoutLosingTheirTime() throws Exception {
    modules.register(Kinds.CHECKER, "tcp", held);
    NetworkProbes probes = probes(2, LONG);
    List<Probing> silent = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      silent.add(probes.probe(new Process(ME), TCP, Duration.ZERO, outcome -> {}));
    }
    CompletableFuture<Outcome> waits = begin(probes, TCP);
    Await.until(() -> gauge("waiting") == 2);
    assertThat(gauge("running")).isEqualTo(2);
    silent.get(2).cancel();
    Await.until(() -> gauge("waiting") == 1);
    assertThat(waits).isNotDone();
    silent.get(0).cancel();
    held.awaitRequests(3);
    held.results.get(2).complete(CheckResult.connected());
    assertThat(outcome(waits).healthy()).isTrue();
  }

  @Test
  void whoNeverAnswersHoldsUpNobodyForLong() throws Exception {
    modules.register(Kinds.CHECKER, "tcp", held);
    NetworkProbes probes = probes(1, Duration.ofMillis(100));
    begin(probes, ME, TCP, Duration.ZERO);
    CompletableFuture<Outcome> next = begin(probes, TCP);
    held.awaitRequests(2);
    held.results.get(1).complete(CheckResult.connected());
    assertThat(outcome(next).healthy()).isTrue();
  }

  /** A server in a network of its own, which takes connections and then says its port. */
  public static final class Alone {
    private Alone() {}

    /** Serves until it is killed. */
    public static void main(String[] arguments) throws Exception {
      try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"))) {
        System.out.println(server.getLocalPort());
        while (true) {
          server.accept().close();
        }
      }
    }
  }

  @Test
  void aTaskWithANetworkOfItsOwnIsTriedThere() throws Exception {
    Path program = LauncherChoice.programIn(Path.of("../native/target/native")).toAbsolutePath();
    Assumptions.assumeTrue("root".equals(System.getProperty("user.name")), "only root enters");
    Assumptions.assumeTrue(Files.isExecutable(program), "there is no native launcher");
    java.lang.Process alone =
        new ProcessBuilder(
                "unshare",
                "-n",
                "sh",
                "-c",
                "ip link set lo up; exec \"$@\"",
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Alone.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    closing.add(() -> alone.destroyForcibly().waitFor());
    int port = Integer.parseInt(alone.inputReader().readLine());
    modules.register(Kinds.CHECKER, "tcp", new Connects());
    NetworkRelay relay = new NetworkRelay(Optional.of(program), folder);
    NetworkProbes probes = probes(relay, Path.of("/proc"), 10, LONG);
    modules.awaitHolders();
    assertThat(outcome(begin(probes, alone.pid(), new Probe.Tcp(false, port), LONG)))
        .isEqualTo(new Outcome.Connected(true, ""));
    int other = port == 1 ? 2 : port - 1;
    assertThat(outcome(begin(probes, alone.pid(), new Probe.Tcp(false, other), LONG)))
        .isEqualTo(new Outcome.Connected(false, "Connection refused"));
    // Beside it, tasks of the agent's network are tried in that.
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      assertThat(outcome(begin(probes, new Probe.Tcp(false, server.getLocalPort()))).healthy())
          .isTrue();
    }
    Await.until(() -> gauge("open") == 0);
    assertThat(relay.runs()).isTrue();
    probes.close();
    assertThat(relay.runs()).isFalse();
  }

  @Test
  void aTaskWithANetworkOfItsOwnIsNotTriedInTheAgents() throws Exception {
    Path proc = folder.resolve("proc");
    for (String process : new String[] {"self", "7", "8"}) {
      Files.createDirectories(proc.resolve(process).resolve("ns"));
    }
    Files.createSymbolicLink(proc.resolve("self/ns/net"), Path.of("net:[1]"));
    Files.createSymbolicLink(proc.resolve("7/ns/net"), Path.of("net:[1]"));
    Files.createSymbolicLink(proc.resolve("8/ns/net"), Path.of("net:[2]"));
    modules.register(Kinds.CHECKER, "tcp", new Connects());
    NetworkProbes probes = probes(new NetworkRelay(Optional.empty(), folder), proc, 10, LONG);
    modules.awaitHolders();
    ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
    closing.add(server);
    List<CompletableFuture<Outcome>> outcomes = new ArrayList<>();
    for (long pid : new long[] {7, 8, 9}) {
      outcomes.add(begin(probes, pid, new Probe.Tcp(false, server.getLocalPort()), LONG));
    }
    assertThat(outcomes.get(0).get(60, TimeUnit.SECONDS).healthy()).isTrue();
    assertThat(outcomes.get(1).get(60, TimeUnit.SECONDS))
        .isInstanceOf(Outcome.Impossible.class)
        .extracting(Outcome::describe)
        .asString()
        .contains("network namespace of its own")
        .contains("only agents with the native launcher");
    assertThat(outcomes.get(2).get(60, TimeUnit.SECONDS))
        .isEqualTo(new Outcome.Failed("the task's first process is gone"));
    Await.until(() -> gauge("running") == 0);
  }

  @Test
  void commandsAreTheTasks() throws Exception {
    assertThat(
            outcome(
                begin(
                    probes(),
                    new Probe.Command(CommandInfo.newBuilder().setValue("four").build()))))
        .isEqualTo(new Outcome.Exited(4));
  }
}
