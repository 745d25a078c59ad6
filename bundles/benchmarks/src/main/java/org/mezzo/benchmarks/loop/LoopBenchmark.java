package org.mezzo.benchmarks.loop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.mezzo.master.state.MasterState;

/**
 * How long the master's event loop is held. A whole master with its real state, allocator, codec
 * and workers; in place of the network, N emulated agents and M emulated frameworks in 50 roles in
 * the same process.
 *
 * <p>Arguments: sizes as {@code AGENTSxFRAMEWORKS}, one after the other; {@code 10000x1000
 * 50000x2000} when there are none. Prints a line per scenario: how long it took to its end; how
 * long of that the loop's thread was running; the longest turn of the loop and the 99th percentile,
 * on the clock and on the processor (what the loop's thread was running: without other work of the
 * machine and collections); and how many turns were running for more than 50 ms.
 */
public final class LoopBenchmark implements AutoCloseable {
  private static final int ROLES = 50;
  private static final int WAVES = 5;
  private static final int LOST = 1_000;
  private static final int RECONCILED_TASKS = 100_000;
  private static final int TORN_DOWN_TASKS = 50_000;
  private static final int MOST_TASKS_PER_AGENT = 100;

  private final List<EmulatedAgent> agents;
  private final List<EmulatedFramework> frameworks = new ArrayList<>();
  private final EmulatedMaster emulated;
  private final EmulatedFramework.Counts counts;
  private final Turns turns;

  private LoopBenchmark(int agentCount, int frameworkCount) throws Exception {
    emulated =
        new EmulatedMaster(
            Map.of("agent_ping_timeout", "10secs", "max_agent_ping_timeouts", "2"),
            EmulatedMaster.nowhere());
    counts = emulated.counts;
    turns = new Turns(emulated.master.loop());
    agents = emulated.agents(0, agentCount);
    for (int i = 0; i < frameworkCount; i++) {
      frameworks.add(emulated.framework(Emulated.framework(i, ROLES)));
    }
  }

  private interface Begin {
    void run() throws Exception;
  }

  private void scenario(String name, Begin begin, BooleanSupplier end) throws Exception {
    turns.take();
    long from = System.nanoTime();
    begin.run();
    Emulated.await(name, end);
    print(name, System.nanoTime() - from, turns.take());
  }

  private static void print(String name, long nanos, Turns.Figures figures) {
    System.out.printf(
        "%-56s %8.2f %8.2f %9.1f %9.1f %9.1f %9.1f %7d %9d%n",
        name,
        nanos / 1e9,
        figures.sumProcessor() / 1e3,
        figures.longestClock(),
        figures.p99Clock(),
        figures.longestProcessor(),
        figures.p99Processor(),
        figures.slow(),
        figures.clock().length);
  }

  private void run() throws Exception {
    int all = agents.size();
    System.out.printf(
        "%n%d agents, %d frameworks in %d roles; ms per turn%n%-56s %8s %8s %9s %9s %9s %9s %7s"
            + " %9s%n",
        all,
        frameworks.size(),
        ROLES,
        "scenario",
        "s to end",
        "loop s",
        "longest",
        "p99",
        "cpu long.",
        "cpu p99",
        ">50 ms",
        "turns");
    scenario(
        "agents register", () -> emulated.connect(agents), () -> emulated.registered.get() == all);
    scenario(
        "frameworks subscribe",
        () -> frameworks.forEach(EmulatedFramework::subscribe),
        () -> counts.subscribed.get() == frameworks.size());
    scenario(
        "an allocator starts; everything is offered",
        () -> emulated.leases.register(new DrfRegistration(1)),
        () -> counts.offers.get() >= all);
    scenario(
        "everything is declined, " + WAVES + " times",
        () -> frameworks.forEach(EmulatedFramework::declineAll),
        () -> counts.declined.get() >= (long) WAVES * all);
    frameworks.forEach(EmulatedFramework::suppress);
    Emulated.await("no offers", () -> emulated.state().offers().isEmpty());
    loseAgents();
    launchAndReconcile();
    failOver();
  }

  private void loseAgents() throws Exception {
    List<EmulatedAgent> lost = List.copyOf(agents.subList(0, Math.min(LOST, agents.size() / 2)));
    agents.subList(0, lost.size()).clear();
    lost.forEach(EmulatedAgent::fallSilent);
    Emulated.await("a lost agent", () -> !emulated.state().unreachableAgents().isEmpty());
    scenario(
        lost.size() + " agents are lost at once, filters in place",
        () -> {},
        () -> emulated.state().unreachableAgents().size() == lost.size());
  }

  private void launchAndReconcile() throws Exception {
    EmulatedFramework first = frameworks.get(0);
    EmulatedFramework second = frameworks.get(1);
    // As many as small clusters have room for.
    int reconciled = Math.min(RECONCILED_TASKS, MOST_TASKS_PER_AGENT * agents.size());
    int tornDown = Math.min(TORN_DOWN_TASKS, MOST_TASKS_PER_AGENT * agents.size());
    launch(first, reconciled);
    scenario(
        "implicit reconciliation of " + reconciled + " tasks",
        first::reconcile,
        () -> counts.reconciled.get() >= reconciled);
    launch(second, tornDown);
    long hosts =
        emulated.state().frameworks().get(second.id()).tasks().values().stream()
            .map(task -> task.agentId())
            .distinct()
            .count();
    scenario(
        "teardown of a framework with " + tornDown + " tasks",
        second::tearDown,
        () ->
            !emulated.state().frameworks().containsKey(second.id())
                && emulated.shutDown.get() >= hosts);
    frameworks.remove(second);
  }

  private void launch(EmulatedFramework framework, int tasks) throws Exception {
    int perOffer = (tasks + agents.size() - 1) / agents.size();
    long before = counts.running.get();
    scenario(
        "launch of " + tasks + " tasks, to all running",
        () -> framework.launch(tasks, perOffer),
        () -> counts.running.get() - before >= tasks);
    framework.suppress();
    framework.declineAll();
    Emulated.await("no offers", () -> emulated.state().offers().isEmpty());
  }

  private void failOver() throws Exception {
    emulated.registered.set(0);
    counts.subscribed.set(0);
    scenario(
        "a leader takes over, all agents and frameworks come back",
        () -> {
          MasterState before = emulated.state();
          emulated.coordination.reelect();
          Emulated.await(
              "a new term",
              () ->
                  emulated
                      .master
                      .cluster()
                      .state()
                      .filter(now -> now != before && fresh(now))
                      .isPresent());
          emulated.connect(agents);
          frameworks.forEach(EmulatedFramework::subscribe);
        },
        () ->
            emulated.registered.get() == agents.size()
                && counts.subscribed.get() == frameworks.size());
  }

  private static boolean fresh(MasterState state) {
    return state.agents().isEmpty();
  }

  @Override
  public void close() throws Exception {
    emulated.close();
  }

  public static void main(String[] arguments) throws Exception {
    Emulated.logErrorsOnly();
    String[] sizes = arguments.length > 0 ? arguments : new String[] {"10000x1000", "50000x2000"};
    for (String size : sizes) {
      String[] parts = size.split("x");
      if (parts.length != 2) {
        System.err.println("Arguments: AGENTSxFRAMEWORKS ..., for example 10000x1000");
        System.exit(2);
      }
      try (LoopBenchmark benchmark =
          new LoopBenchmark(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]))) {
        benchmark.run();
      }
    }
    System.exit(0);
  }
}
