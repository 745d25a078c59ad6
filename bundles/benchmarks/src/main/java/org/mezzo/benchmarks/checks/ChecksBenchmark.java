package org.mezzo.benchmarks.checks;

import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.mezzo.agent.checks.CheckHost;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Prober;
import org.mezzo.agent.checks.Probing;
import org.mezzo.agent.checks.Subject;
import org.mezzo.agent.checks.TaskChecks;
import org.mezzo.agent.checks.probes.NetworkProbes;
import org.mezzo.agent.checks.probes.NetworkRelay;
import org.mezzo.api.DaemonContext;
import org.mezzo.checkers.HttpChecker;
import org.mezzo.checkers.TcpChecker;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;

/**
 * The processor time of an agent that has many tasks with health checks by HTTP and TCP, against a
 * server in another process. The checks are those of the agent, with its event loop and its thread
 * of probes; of tasks there is nothing but these.
 *
 * <p>Arguments: {@code [http=2000] [tcp=2000] [interval=10] [seconds=60]}. After three intervals to
 * warm up prints probes per second, and processor seconds per second of each thread that has to do
 * with checks, and of the process as a whole, which also compiles and collects.
 */
public final class ChecksBenchmark {
  private static final int PORTS = 4;
  private static final String NAME = "agent";

  private ChecksBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 1 && arguments[0].equals("serve")) {
      serve();
      return;
    }
    Map<String, Integer> sizes =
        new TreeMap<>(Map.of("http", 2_000, "tcp", 2_000, "interval", 10, "seconds", 60));
    for (String argument : arguments) {
      String[] parts = argument.split("=", 2);
      sizes.put(parts[0], Integer.parseInt(parts[1]));
    }
    Process server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                ChecksBenchmark.class.getName(),
                "serve")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      BufferedReader said =
          new BufferedReader(
              new InputStreamReader(server.getInputStream(), StandardCharsets.US_ASCII));
      List<Integer> ports =
          Arrays.stream(said.readLine().split(" ")).map(Integer::valueOf).toList();
      measure(sizes, ports);
    } finally {
      server.destroy();
    }
    System.exit(0);
  }

  /** Answers and connections, on the ports that it prints: first those of HTTP, then the others. */
  private static void serve() throws IOException, InterruptedException {
    List<String> ports = new ArrayList<>();
    for (int i = 0; i < PORTS; i++) {
      HttpServer server =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1_000);
      server.setExecutor(Executors.newFixedThreadPool(2));
      byte[] body = "healthy".getBytes(StandardCharsets.US_ASCII);
      server.createContext(
          "/",
          exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
          });
      server.start();
      ports.add(Integer.toString(server.getAddress().getPort()));
    }
    for (int i = 0; i < PORTS; i++) {
      ServerSocket server = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
      new Thread(
              () -> {
                while (true) {
                  try {
                    server.accept().close();
                  } catch (IOException e) {
                    // The other side was quicker.
                    continue;
                  }
                }
              })
          .start();
      ports.add(Integer.toString(server.getLocalPort()));
    }
    System.out.println(String.join(" ", ports));
    System.out.flush();
    Thread.currentThread().join();
  }

  /** This process, whose network is the agent's. */
  private record Here(String name, long pid) implements Subject {
    @Override
    public boolean runs() {
      return true;
    }

    @Override
    public Probing run(CommandInfo command, Duration timeout, Consumer<Outcome> done) {
      throw new IllegalStateException("no command is checked");
    }
  }

  private static void measure(Map<String, Integer> sizes, List<Integer> ports) throws Exception {
    int interval = sizes.get("interval");
    EventLoop loop = new EventLoop(NAME);
    AtomicLong probes = new AtomicLong();
    AtomicLong bad = new AtomicLong();
    try (LocalModules modules = new LocalModules();
        NetworkProbes network =
            new NetworkProbes(
                NAME,
                modules.of(
                    LocalModules.daemon(
                        NAME, DaemonContext.Role.AGENT, Path.of("").toAbsolutePath())),
                new NetworkRelay(Optional.empty(), Path.of("")),
                new MetricsRegistry())) {
      modules.register(Kinds.CHECKER, "http", new HttpChecker());
      modules.register(Kinds.CHECKER, "tcp", new TcpChecker());
      modules.awaitHolders();
      Prober counted =
          (subject, probe, timeout, done) ->
              network.probe(
                  subject,
                  probe,
                  timeout,
                  outcome -> {
                    probes.incrementAndGet();
                    if (!outcome.healthy()) {
                      bad.incrementAndGet();
                    }
                    done.accept(outcome);
                  });
      CheckHost host = new CheckHost(counted, loop, loop::schedule, System::nanoTime);
      int count = sizes.get("http") + sizes.get("tcp");
      for (int i = 0; i < count; i++) {
        boolean http = i < sizes.get("http");
        HealthCheck.Builder check =
            HealthCheck.newBuilder()
                .setDelaySeconds((double) interval * (i % 1_000) / 1_000)
                .setIntervalSeconds(interval);
        int port = ports.get(i % PORTS + (http ? 0 : PORTS));
        if (http) {
          check.setType(HealthCheck.Type.HTTP).getHttpBuilder().setPort(port).setPath("/health");
        } else {
          check.setType(HealthCheck.Type.TCP).getTcpBuilder().setPort(port);
        }
        TaskInfo task =
            TaskInfo.newBuilder()
                .setTaskId(TaskID.newBuilder().setValue("task-" + i))
                .setHealthCheck(check)
                .buildPartial();
        Here here = new Here("task-" + i, ProcessHandle.current().pid());
        loop.execute(() -> TaskChecks.of(task, host, here, new Nobody()).start(Duration.ZERO));
      }
      // A run of the measurement ends when its time is over: nothing is awaited but time.
      Thread.sleep(3_000L * interval);
      Map<String, Long> before = processorNanos();
      long processBefore = processNanos();
      long probesBefore = probes.get();
      long begin = System.nanoTime();
      Thread.sleep(1_000L * sizes.get("seconds"));
      double seconds = (System.nanoTime() - begin) / 1e9;
      double all = 0;
      System.out.printf(
          "%d HTTP and %d TCP checks every %d s: %.0f probes/s, %d of %d failed%n",
          sizes.get("http"),
          sizes.get("tcp"),
          interval,
          (probes.get() - probesBefore) / seconds,
          bad.get(),
          probes.get());
      for (Map.Entry<String, Long> thread : processorNanos().entrySet()) {
        double used =
            (thread.getValue() - before.getOrDefault(thread.getKey(), 0L)) / 1e9 / seconds;
        all += used;
        System.out.printf("  %-20s %.4f processors%n", thread.getKey(), used);
      }
      System.out.printf("  %-20s %.4f processors%n", "threads of checks", all);
      System.out.printf(
          "  %-20s %.4f processors%n",
          "whole process", (processNanos() - processBefore) / 1e9 / seconds);
    } finally {
      loop.close();
    }
  }

  private static long processNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  /** Of the threads whose names begin like the agent's. */
  private static Map<String, Long> processorNanos() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    Map<String, Long> all = new TreeMap<>();
    for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (thread != null && thread.getThreadName().startsWith(NAME + "-")) {
        all.merge(
            thread.getThreadName(),
            Math.max(0, threads.getThreadCpuTime(thread.getThreadId())),
            Long::sum);
      }
    }
    return all;
  }

  /** Whoever is told that the server was not there in time. */
  private static final class Nobody implements TaskChecks.Listener {
    @Override
    public void checked() {}

    @Override
    public void health(boolean healthy, boolean kill, String message) {
      if (!healthy) {
        System.out.println(message);
      }
    }

    @Override
    public void impossible(String reason) {
      throw new IllegalStateException(reason);
    }
  }
}
