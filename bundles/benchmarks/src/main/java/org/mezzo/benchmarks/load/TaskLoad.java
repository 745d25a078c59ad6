package org.mezzo.benchmarks.load;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Launches command tasks on a running cluster through the public scheduler API and measures: first
 * one task at a time, from the ACCEPT sent to TASK_RUNNING and TASK_FINISHED received; then bursts,
 * each a single ACCEPT, in tasks finished per second.
 *
 * <p>Arguments: {@code HOST:PORT [singles=100] [burst=500] [bursts=3]}.
 */
public final class TaskLoad {
  private static final CommandInfo COMMAND = CommandInfo.newBuilder().setValue("true").build();

  private final LoadFramework framework;

  private TaskLoad(LoadFramework framework) {
    this.framework = framework;
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0) {
      System.err.println("Arguments: HOST:PORT [singles=100] [burst=500] [bursts=3]");
      System.exit(2);
    }
    Map<String, Integer> sizes =
        new java.util.HashMap<>(Map.of("singles", 100, "burst", 500, "bursts", 3));
    for (String argument : Arrays.asList(arguments).subList(1, arguments.length)) {
      String[] parts = argument.split("=", 2);
      sizes.put(parts[0], Integer.parseInt(parts[1]));
    }
    try (LoadFramework framework = new LoadFramework(arguments[0], "task-load", 120)) {
      TaskLoad load = new TaskLoad(framework);
      load.singles("warm-up", 30);
      load.singles("measured", sizes.get("singles"));
      for (int i = 0; i < sizes.get("bursts"); i++) {
        load.burst(i, sizes.get("burst"));
      }
    }
    System.exit(0);
  }

  private void singles(String name, int count) throws InterruptedException {
    List<Long> toRunning = new ArrayList<>();
    List<Long> toFinished = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = name + "-" + i;
      long sent = framework.launch(List.of(id), COMMAND);
      toRunning.add(framework.running(id) - sent);
      toFinished.add(framework.finished(id) - sent);
    }
    System.out.printf(
        "%-9s %4d single tasks: ACCEPT to RUNNING p50 %.1f ms, p99 %.1f ms;"
            + " to FINISHED p50 %.1f ms, p99 %.1f ms%n",
        name,
        count,
        percentile(toRunning, 0.5),
        percentile(toRunning, 0.99),
        percentile(toFinished, 0.5),
        percentile(toFinished, 0.99));
  }

  private void burst(int number, int count) throws InterruptedException {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ids.add("burst-" + number + "-" + i);
    }
    long sent = framework.launch(ids, COMMAND);
    long last = ids.stream().mapToLong(framework::finished).max().orElseThrow();
    List<Long> toRunning = ids.stream().map(id -> framework.running(id) - sent).toList();
    System.out.printf(
        "burst     %4d tasks in one ACCEPT: %.0f tasks/s; ACCEPT to RUNNING p50 %.0f ms%n",
        count, count / ((last - sent) / 1e9), percentile(new ArrayList<>(toRunning), 0.5));
  }

  private static double percentile(List<Long> nanos, double share) {
    nanos.sort(null);
    return nanos.get((int) Math.min(nanos.size() - 1, Math.round(share * nanos.size()))) / 1e6;
  }
}
