package org.mezzo.benchmarks.load;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * What it costs an agent to tell what its containers use: launches tasks that sleep, lets them rest
 * for a while, then asks {@code /monitor/statistics} once a second. Tells the processor time of the
 * agent's process in both, of all and by threads.
 *
 * <p>Arguments: {@code MASTER_HOST:PORT AGENT_HOST:PORT AGENT_PID [containers=1000] [seconds=30]}.
 */
public final class SamplingLoad {
  private static final double TICKS_PER_SECOND = 100;
  private static final int WARM_UP_SECONDS = 20;

  private final long agent;
  private final URI statistics;
  private final HttpClient http = HttpClient.newHttpClient();

  private SamplingLoad(String agentAddress, long agent) {
    this.agent = agent;
    statistics = URI.create("http://" + agentAddress + "/monitor/statistics");
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 3) {
      System.err.println(
          "Arguments: MASTER_HOST:PORT AGENT_HOST:PORT AGENT_PID [containers=1000] [seconds=30]");
      System.exit(2);
    }
    Map<String, Integer> sizes = new HashMap<>(Map.of("containers", 1000, "seconds", 30));
    for (String argument : Arrays.asList(arguments).subList(3, arguments.length)) {
      String[] parts = argument.split("=", 2);
      sizes.put(parts[0], Integer.parseInt(parts[1]));
    }
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < sizes.get("containers"); i++) {
      ids.add("sampled-" + i);
    }
    CommandInfo sleep = CommandInfo.newBuilder().setValue("exec sleep 100000").build();
    try (LoadFramework framework = new LoadFramework(arguments[0], "sampling-load", 86_400)) {
      Thread launch =
          new Thread(
              () -> {
                try {
                  framework.launch(ids, sleep);
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      launch.setDaemon(true);
      launch.start();
      while (framework.running() < ids.size()) {
        TimeUnit.MILLISECONDS.sleep(100);
      }
      SamplingLoad load = new SamplingLoad(arguments[1], Long.parseLong(arguments[2]));
      load.measure("warm-up", WARM_UP_SECONDS, true);
      load.measure("at rest", sizes.get("seconds"), false);
      load.measure("asked", sizes.get("seconds"), true);
    }
    System.exit(0);
  }

  private void measure(String name, int seconds, boolean asking) throws Exception {
    Map<String, Double> before = threads();
    double processBefore = processor(Path.of("/proc", Long.toString(agent), "stat"));
    long begin = System.nanoTime();
    int answers = 0;
    long bytes = 0;
    long longest = 0;
    for (int second = 0; second < seconds; second++) {
      if (asking) {
        long asked = System.nanoTime();
        HttpResponse<String> answer =
            http.send(
                HttpRequest.newBuilder(statistics).build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
          throw new IllegalStateException(answer.statusCode() + " " + answer.body());
        }
        longest = Math.max(longest, System.nanoTime() - asked);
        bytes = answer.body().length();
        answers++;
      }
      long next = begin + TimeUnit.SECONDS.toNanos(second + 1);
      TimeUnit.NANOSECONDS.sleep(Math.max(0, next - System.nanoTime()));
    }
    double took = (System.nanoTime() - begin) / 1e9;
    double process = processor(Path.of("/proc", Long.toString(agent), "stat")) - processBefore;
    System.out.printf(
        "%-8s %.0f s: %.3f processors; %d answers of %d KB, the longest took %.0f ms%n",
        name, took, process / took, answers, bytes / 1024, longest / 1e6);
    Map<String, Double> spent = new TreeMap<>(threads());
    before.forEach((thread, time) -> spent.merge(thread, -time, Double::sum));
    spent.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(8)
        .forEach(
            entry -> System.out.printf("  %-16s %.3f%n", entry.getKey(), entry.getValue() / took));
  }

  /** Seconds on a processor by the names of threads, without their numbers. */
  private Map<String, Double> threads() throws IOException {
    Map<String, Double> threads = new HashMap<>();
    Path tasks = Path.of("/proc", Long.toString(agent), "task");
    try (DirectoryStream<Path> each = Files.newDirectoryStream(tasks)) {
      for (Path thread : each) {
        try {
          String name = Files.readString(thread.resolve("comm")).strip().replaceAll("[0-9]+", "N");
          threads.merge(name, processor(thread.resolve("stat")), Double::sum);
        } catch (IOException e) {
          // It has ended.
          continue;
        }
      }
    }
    return threads;
  }

  private static double processor(Path stat) throws IOException {
    String text = Files.readString(stat);
    String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ");
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
  }
}
