package org.mezzo.benchmarks.load;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Launches tasks on a master and an agent that have just started, through the public scheduler API,
 * and prints how long that took beside the machine's own rate of {@code posix_spawn} of {@code
 * true}, measured before each part of the same run; then what it cost in processor time and memory.
 *
 * <p>Arguments: {@code MASTER_PORT MASTER_PID AGENT_PORT AGENT_PID SPAWNER_PID|- RATE_PROGRAM}; see
 * {@code bundles/benchmarks/launches.sh}.
 */
public final class LaunchLoad {
  private static final CommandInfo TRUE = CommandInfo.newBuilder().setValue("true").build();
  private static final CommandInfo SLEEP = CommandInfo.newBuilder().setValue("sleep 3600").build();
  private static final int BURST = 500;
  private static final int SPAWNS = 1000;

  private final LoadFramework framework;
  private final int masterPort;
  private final long master;
  private final int agentPort;
  private final long agent;
  private final long spawner;
  private final String rateProgram;
  private int launches;

  private LaunchLoad(LoadFramework framework, String[] arguments) {
    this.framework = framework;
    masterPort = Integer.parseInt(arguments[0]);
    master = Long.parseLong(arguments[1]);
    agentPort = Integer.parseInt(arguments[2]);
    agent = Long.parseLong(arguments[3]);
    spawner = arguments[4].equals("-") ? 0 : Long.parseLong(arguments[4]);
    rateProgram = arguments[5];
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 6) {
      System.err.println(
          "Arguments: MASTER_PORT MASTER_PID AGENT_PORT AGENT_PID SPAWNER_PID|- RATE_PROGRAM");
      System.exit(2);
    }
    try (LoadFramework framework =
        new LoadFramework("127.0.0.1:" + arguments[0], "launch-load", 120)) {
      new LaunchLoad(framework, arguments).run();
    }
    System.exit(0);
  }

  private void run() throws Exception {
    System.out.println("| what | figure | machine's own | share |");
    System.out.println("|---|---|---|---|");
    burst("500 tasks in one ACCEPT, the first after start", BURST);
    for (int i = 0; i < 4; i++) {
      framework.launch(ids(BURST), TRUE);
    }
    for (int size : List.of(16, 64, 250, BURST, 1000, 2000)) {
      bursts(size, size < BURST ? 9 : 5);
    }
    singles("one task each second", 30, 1000);
    singles("20 tasks a second", 200, 50);
    group("a group of 500, the first", 1);
    group("a group of 500, median of five", 5);
    cost(4 * BURST);
    containers(100);
    containers(BURST);
    containers(1000);
    row(
        "longest turn of the master's loop, ms of processor time",
        longestTurn(masterPort, "master"));
    row("longest turn of the agent's loop, ms of processor time", longestTurn(agentPort, "slave"));
  }

  private List<String> ids(int count) {
    int launch = launches++;
    return IntStream.range(0, count).mapToObj(i -> "t" + launch + "-" + i).toList();
  }

  // --- How fast
  // ------------------------------------------------------------------------------------

  private double burst(int size) throws InterruptedException {
    List<String> ids = ids(size);
    long sent = framework.launch(ids, TRUE);
    return size / seconds(last(ids) - sent);
  }

  private void burst(String what, int size) throws Exception {
    double own = spawnsPerSecond();
    rate(what, burst(size), own);
  }

  private void bursts(int size, int count) throws Exception {
    double own = spawnsPerSecond();
    List<Double> rates = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rates.add(burst(size));
    }
    rate(size + " tasks in one ACCEPT, median of " + count, middle(rates, 0.5), own);
  }

  private void singles(String what, int count, long everyMillis) throws Exception {
    List<Double> toRunning = new ArrayList<>();
    List<Double> toEnd = new ArrayList<>();
    long next = System.nanoTime();
    for (int i = 0; i < count; i++) {
      next += TimeUnit.MILLISECONDS.toNanos(everyMillis);
      TimeUnit.NANOSECONDS.sleep(Math.max(0, next - System.nanoTime()));
      List<String> id = ids(1);
      long sent = framework.launch(id, TRUE);
      toRunning.add(seconds(framework.running(id.get(0)) - sent) * 1000);
      toEnd.add(seconds(framework.ended(id.get(0)) - sent) * 1000);
    }
    row(what + ", ms from ACCEPT to TASK_RUNNING, p50", middle(toRunning, 0.5));
    row(what + ", the same, p99", middle(toRunning, 0.99));
    row(what + ", ms from ACCEPT to TASK_FINISHED, p50", middle(toEnd, 0.5));
  }

  private void group(String what, int count) throws InterruptedException {
    List<Double> took = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> ids = ids(BURST);
      long sent = framework.launchGroup(ids, TRUE);
      took.add(seconds(last(ids) - sent));
    }
    row(what + ", s from ACCEPT to the last TASK_FINISHED", middle(took, 0.5));
  }

  // --- At what cost
  // --------------------------------------------------------------------------------

  private void cost(int tasks) throws IOException, InterruptedException {
    double masterBefore = Processes.used(master);
    double agentBefore = Processes.used(agent);
    double nativeBefore = spawner == 0 ? 0 : Processes.usedWithChildren(spawner);
    for (int done = 0; done < tasks; done += BURST) {
      framework.launch(ids(BURST), TRUE);
    }
    String what = ", ms of processor time for a task in bursts of " + BURST;
    row("master" + what, (Processes.used(master) - masterBefore) / tasks);
    row("agent" + what, (Processes.used(agent) - agentBefore) / tasks);
    if (spawner != 0) {
      row(
          "spawner, shim and the task itself" + what,
          (Processes.usedWithChildren(spawner) - nativeBefore) / tasks);
    }
    row(
        "the task itself (sh -c true, by posix_spawn), ms of processor time",
        spawn("/bin/sh", "-c", TRUE.getValue())[1]);
  }

  private void containers(int count) throws InterruptedException {
    List<String> ids = ids(count);
    long sent = framework.start(ids, SLEEP);
    long running = ids.stream().mapToLong(framework::running).max().orElseThrow();
    row(
        count + " containers that stay, s from ACCEPT to the last TASK_RUNNING",
        seconds(running - sent));
    row("agent with " + count + " running, MB resident", Processes.residentMegabytes(agent));
    row("master with " + count + " running, MB resident", Processes.residentMegabytes(master));
    if (spawner != 0) {
      row(
          "a shim with " + count + " running, KB (mean PSS)",
          Processes.children(spawner, "mezzo-shim").stream()
              .mapToDouble(Processes::proportionalKilobytes)
              .average()
              .orElse(Double.NaN));
    }
    long killed = framework.kill(ids);
    row(
        count + " containers killed, s from KILL to the last TASK_KILLED",
        seconds(last(ids) - killed));
  }

  /** The machine's own: posix_spawn of {@code true} and waiting for it, one after the other. */
  private double spawnsPerSecond() throws IOException, InterruptedException {
    return 1000 / spawn("/bin/true")[0];
  }

  /** Milliseconds that a program takes, one after the other, and those that it has a processor. */
  private double[] spawn(String... command) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(rateProgram, Integer.toString(SPAWNS), "1"));
    line.addAll(List.of(command));
    Process rate = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String milliseconds =
        new String(rate.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
    if (rate.waitFor() != 0) {
      throw new IllegalStateException(rateProgram + " failed");
    }
    return Arrays.stream(milliseconds.split(" ")).mapToDouble(Double::parseDouble).toArray();
  }

  private static double longestTurn(int port, String prefix) throws Exception {
    String metrics =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics/snapshot"))
                    .build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    Matcher matcher =
        Pattern.compile("\"" + prefix + "/event_longest_cpu_ms\":([0-9.E-]+)").matcher(metrics);
    return matcher.find() ? Double.parseDouble(matcher.group(1)) : Double.NaN;
  }

  // --- Printing
  // ------------------------------------------------------------------------------------

  private long last(List<String> ids) {
    return ids.stream().mapToLong(framework::ended).max().orElseThrow();
  }

  private static double seconds(long nanos) {
    return nanos / 1e9;
  }

  private static double middle(List<Double> values, double share) {
    values.sort(null);
    return values.get((int) Math.min(values.size() - 1, Math.round(share * (values.size() - 1))));
  }

  private static void rate(String what, double perSecond, double own) {
    System.out.printf(
        Locale.ROOT, "| %s | %.0f/s | %.0f/s | %.2f |%n", what, perSecond, own, perSecond / own);
  }

  private static void row(String what, double figure) {
    System.out.printf(Locale.ROOT, "| %s | %.2f | | |%n", what, figure);
  }
}
