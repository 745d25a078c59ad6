package org.mezzo.benchmarks.loop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.allocator.Allocator;

/**
 * What a swap of the allocator costs a framework, in a cluster of N emulated agents and M
 * frameworks, of which all hold offers of everything, but for one agent. Another framework is
 * offered that one, declines it and revives, again and again; the gap of a swap is by how much
 * longer than usually it waited for an offer.
 *
 * <p>Arguments: sizes as {@code AGENTSxFRAMEWORKS}, one after the other; {@code 10000x1000
 * 50000x2000} when there are none; {@code swaps=20}. Prints a line for each size.
 */
public final class SwapBenchmark implements AutoCloseable {
  private static final int ROLES = 50;
  private static final int USUAL_ROUNDS = 200;
  private static final int ROUNDS_BETWEEN = 20;
  private static final double MILLI = 1e6;

  private final int agents;
  private final int frameworks;
  private final EmulatedMaster emulated;

  private SwapBenchmark(int agents, int frameworks) throws Exception {
    this.agents = agents;
    this.frameworks = frameworks;
    emulated = new EmulatedMaster(Map.of(), EmulatedMaster.nowhere());
  }

  /** Waits until an allocator of that bundle has the lease. */
  private void awaitHolder(int bundle) throws InterruptedException {
    Emulated.await(
        "an allocator",
        () ->
            emulated.leases.leases().stream()
                .anyMatch(
                    lease ->
                        lease.kind().equals(Allocator.KIND)
                            && lease.holder().filter(it -> it.bundleId() == bundle).isPresent()));
  }

  private void run(int swaps) throws Exception {
    DrfRegistration former = new DrfRegistration(1);
    emulated.leases.register(former);
    awaitHolder(1);
    List<EmulatedFramework> holders = new ArrayList<>();
    for (int i = 0; i < frameworks; i++) {
      holders.add(emulated.framework(Emulated.framework(i, ROLES)));
    }
    holders.forEach(EmulatedFramework::subscribe);
    Emulated.await("frameworks", () -> emulated.counts.subscribed.get() == frameworks);
    emulated.connect(emulated.agents(0, agents - 1));
    Emulated.await("offers", () -> emulated.state().offers().size() == agents - 1);
    holders.forEach(EmulatedFramework::suppress);
    EmulatedFramework asking = emulated.framework(Emulated.framework(frameworks, frameworks + 1));
    Rounds rounds = new Rounds();
    asking.askAgain(rounds);
    asking.subscribe();
    Emulated.await("one more", () -> emulated.counts.subscribed.get() == frameworks + 1);
    emulated.connect(emulated.agents(agents - 1, 1));
    rounds.awaitMore(USUAL_ROUNDS);
    rounds.take();
    rounds.awaitMore(USUAL_ROUNDS);
    double usual = median(rounds.take());
    double[] gaps = new double[swaps];
    double[] took = new double[swaps];
    for (int i = 0; i < swaps; i++) {
      DrfRegistration next = new DrfRegistration(i + 2);
      long begin = System.nanoTime();
      emulated.leases.register(next);
      awaitHolder(i + 2);
      took[i] = (System.nanoTime() - begin) / MILLI;
      emulated
          .leases
          .drain(i + 1, Duration.ofSeconds(10))
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS);
      emulated.leases.withdraw(former);
      former = next;
      rounds.awaitMore(ROUNDS_BETWEEN);
      double[] all = rounds.take();
      gaps[i] = Math.max(0, all[all.length - 1] - usual);
    }
    asking.hold();
    long held =
        emulated.state().offers().values().stream()
            .filter(offer -> !offer.frameworkId().equals(asking.id()))
            .count();
    Arrays.sort(gaps);
    System.out.printf(
        Locale.ROOT,
        "| %d | %d | %d | %.1f ms | %.0f ms | %.0f ms | %.0f ms | %d |%n",
        agents,
        frameworks,
        swaps,
        usual,
        median(took),
        median(gaps),
        gaps[swaps - 1],
        agents - 1 - held);
  }

  /** Of some values, which are sorted. */
  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  /** How long the framework waited each time, from reviving to its offer. */
  private static final class Rounds implements EmulatedFramework.Asked {
    private final List<Double> millis = new ArrayList<>();

    @Override
    public synchronized void offered(long nanos) {
      millis.add(nanos / MILLI);
    }

    private synchronized int count() {
      return millis.size();
    }

    void awaitMore(int more) throws InterruptedException {
      int goal = count() + more;
      Emulated.await("offers", () -> count() >= goal);
    }

    /** Those since the last call, ascending. */
    synchronized double[] take() {
      double[] all = millis.stream().mapToDouble(it -> it).sorted().toArray();
      millis.clear();
      return all;
    }
  }

  @Override
  public void close() throws Exception {
    emulated.close();
  }

  public static void main(String[] arguments) throws Exception {
    Emulated.logErrorsOnly();
    int swaps = 20;
    List<int[]> sizes = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.matches("swaps=[1-9][0-9]{0,3}")) {
        swaps = Integer.parseInt(argument.substring(6));
      } else if (argument.matches("[1-9][0-9]{0,5}x[1-9][0-9]{0,4}")) {
        String[] parts = argument.split("x");
        sizes.add(new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[1])});
      } else {
        System.err.println("Arguments: [swaps=20] AGENTSxFRAMEWORKS ..., for example 10000x1000");
        System.exit(2);
      }
    }
    if (sizes.isEmpty()) {
      sizes.add(new int[] {10_000, 1_000});
      sizes.add(new int[] {50_000, 2_000});
    }
    System.out.println(
        "| agents | frameworks | swaps | an offer usually takes | until the new one has the lease,"
            + " median | gap, median | gap, longest | offers that others lost |\n"
            + "|---|---|---|---|---|---|---|---|");
    for (int[] size : sizes) {
      try (SwapBenchmark benchmark = new SwapBenchmark(size[0], size[1])) {
        benchmark.run(swaps);
      }
    }
    System.exit(0);
  }
}
