package org.mezzo.benchmarks.hooks;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.hook.Hook;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.hooks.ask.AskHook;
import org.mezzo.master.election.ModuleConsultant;
import org.mezzo.master.transitions.Consultation;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.Value;

/**
 * How many tasks in a second a master has labelled by somebody else: through its leases, by the
 * hook {@code ask}, with a command or a service that answers at once. The service is in this
 * process.
 *
 * <p>Argument: {@code [tasks=20000]}. Prints a row for each who is asked: {@code cat}, which sends
 * the question back and so changes nothing, and programs that read it and answer with a label, as
 * far as the machine has them.
 */
public final class AskBenchmark {
  private static final int WARM_UP = 5;

  private static final String LABELS =
      "{\"labels\":{\"labels\":[{\"key\":\"asked\",\"value\":\"yes\"}]}}";

  private static final String PYTHON =
      """
      exec python3 -uc '
      import json, sys
      for line in sys.stdin:
          q = json.loads(line)
          print(json.dumps({"id": q["id"], "labels": {"labels": [{"key": "asked", "value": q["task_info"]["name"]}]}}))
      '
      """;

  private static final String PERL =
      """
      exec perl -ne 'BEGIN { $| = 1 } /"id":(\\d+)/;
      print "{\\"id\\":$1,\\"labels\\":{\\"labels\\":[{\\"key\\":\\"asked\\",\\"value\\":\\"yes\\"}]}}\\n"'
      """;

  private AskBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    int tasks = arguments.length == 0 ? 20_000 : Integer.parseInt(arguments[0].split("=")[1]);
    System.out.println("| asked | questions | in a second | unanswered |");
    System.out.println("|---|---|---|---|");
    measure("`cat`", Map.of("command", "exec cat"), tasks);
    measure("a program in Perl", Map.of("command", PERL), tasks);
    measure("a program in Python", Map.of("command", PYTHON), tasks);
    // Else this server waits 40 ms for an acknowledgement between head and body.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    ExecutorService threads = Executors.newCachedThreadPool();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    byte[] answer = LABELS.getBytes(StandardCharsets.UTF_8);
    server.createContext(
        "/",
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
    measure(
        "an HTTP service",
        Map.of("url", "http://127.0.0.1:" + server.getAddress().getPort() + "/"),
        tasks);
    server.stop(0);
    threads.shutdown();
  }

  private static void measure(String who, Map<String, String> asking, int tasks) throws Exception {
    Map<String, String> parameters = new HashMap<>(asking);
    parameters.put("points", "masterLaunchTaskLabels");
    MetricsRegistry metrics = new MetricsRegistry();
    DaemonContext master = master(parameters, metrics);
    try (LocalModules modules = new LocalModules()) {
      modules.register(Hook.class, Hook.KIND, "ask", AskHook::new);
      try (ModuleConsultant consultant =
          new ModuleConsultant(
              List.of("ask"), modules.of(master), Authorization.none(), Runnable::run)) {
        modules.awaitHolders();
        for (int i = 0; i < WARM_UP; i++) {
          ask(consultant, tasks / WARM_UP);
        }
        double before = value(metrics, "questions");
        long began = System.nanoTime();
        ask(consultant, tasks);
        double seconds = (System.nanoTime() - began) / 1e9;
        double asked = value(metrics, "questions") - before;
        System.out.printf(
            "| %s | %,.0f | %,.0f | %.0f |%n",
            who,
            asked,
            asked / seconds,
            value(metrics, "unanswered") + value(metrics, "not_asked"));
      }
    }
  }

  private static double value(MetricsRegistry metrics, String name) {
    return metrics.snapshot().entrySet().stream()
        .filter(it -> it.getKey().endsWith(name))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }

  private static void ask(ModuleConsultant consultant, int count) throws Exception {
    List<TaskInfo> tasks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      tasks.add(task("task-" + i));
    }
    consultant
        .ask(
            new Consultation(
                FrameworkInfo.newBuilder().setUser("batch").setName("framework").build(),
                AgentInfo.newBuilder()
                    .setHostname("host-17.example.com")
                    .addResources(scalar("cpus", 32))
                    .addResources(scalar("mem", 65536))
                    .build(),
                tasks,
                List.of(),
                (tx, answer) -> {}))
        .toCompletableFuture()
        .get();
  }

  private static TaskInfo task(String id) {
    return TaskInfo.newBuilder()
        .setName(id)
        .setTaskId(TaskID.newBuilder().setValue(id))
        .setAgentId(AgentID.newBuilder().setValue("agent-S17"))
        .addResources(scalar("cpus", 0.1))
        .addResources(scalar("mem", 128))
        .setCommand(CommandInfo.newBuilder().setValue("exec /opt/service/bin/run --port=$PORT0"))
        .setLabels(
            Labels.newBuilder()
                .addLabels(Label.newBuilder().setKey("team").setValue("data"))
                .addLabels(Label.newBuilder().setKey("tier").setValue("batch")))
        .build();
  }

  private static Resource scalar(String name, double amount) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(amount))
        .build();
  }

  private static DaemonContext master(Map<String, String> parameters, Metrics metrics) {
    return new DaemonContext() {
      @Override
      public String daemon() {
        return "master";
      }

      @Override
      public Role role() {
        return Role.MASTER;
      }

      @Override
      public Path workDir() {
        return Path.of("/nowhere");
      }

      @Override
      public Path runtimeDir() {
        return Path.of("/nowhere");
      }

      @Override
      public Map<String, String> flags() {
        return Map.of();
      }

      @Override
      public Map<String, String> parameters() {
        return parameters;
      }

      @Override
      public Metrics metrics() {
        return metrics;
      }

      @Override
      public Clock clock() {
        return Clock.systemUTC();
      }
    };
  }
}
