package org.mezzo.benchmarks.allocator;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Allocation cycles in which frameworks have refused much. */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgs = "-Xmx3g")
public class FilteredBenchmark {
  private static final Instant LATER = Instant.now().plusSeconds(86_400);

  /** Frameworks that refuse all they are offered, for long, until all have refused everything. */
  @State(Scope.Thread)
  public static class Declining {
    @Param({"1000x50", "5000x200", "10000x50"})
    public String size;

    AllocationState state;
    Allocator allocator;
    List<Proposal> offered = List.of();

    @Setup(Level.Trial)
    public void describe() {
      int[] counts = Clusters.size(size);
      state = Clusters.state(counts[0], counts[1]);
    }

    @Setup(Level.Invocation)
    public void decline() {
      if (offered.isEmpty()) {
        allocator = Clusters.start(state);
      }
      decline(allocator, offered);
    }

    static void decline(Allocator allocator, List<Proposal> offered) {
      for (Proposal proposal : offered) {
        allocator.released(proposal.frameworkId(), proposal.agentId(), proposal.resources());
        allocator.filterAdded(
            new OfferFilter(
                proposal.frameworkId(),
                proposal.role(),
                proposal.agentId(),
                proposal.resources().unallocated(),
                LATER));
      }
    }
  }

  /** One cycle after another; each agent goes to a framework that has not refused it yet. */
  @Benchmark
  @Warmup(iterations = 101)
  @Measurement(iterations = 201)
  public List<Proposal> everyFrameworkDeclines(Declining cluster) {
    cluster.offered = cluster.allocator.allocate(Optional.empty());
    return cluster.offered;
  }

  /** A framework that has refused every agent. */
  @State(Scope.Thread)
  public static class Refused {
    @Param({"1000x1", "5000x1", "10000x1", "10000x50"})
    public String size;

    Allocator allocator;

    @Setup(Level.Trial)
    public void refuse() {
      int[] counts = Clusters.size(size);
      allocator = Clusters.start(Clusters.state(counts[0], counts[1]));
      List<Proposal> offered = allocator.allocate(Optional.empty());
      while (!offered.isEmpty()) {
        Declining.decline(allocator, offered);
        offered = allocator.allocate(Optional.empty());
      }
    }
  }

  /** Nothing to offer, and nothing has changed since the cycle that found that out. */
  @Benchmark
  @Warmup(iterations = 50)
  @Measurement(iterations = 50)
  public List<Proposal> allFiltered(Refused cluster) {
    return cluster.allocator.allocate(Optional.empty());
  }

  /** As {@link Refused}, but a framework changes before every cycle, so that all is looked at. */
  @State(Scope.Thread)
  public static class Changing extends Refused {
    @Setup(Level.Invocation)
    public void change() {
      allocator.frameworkUpdated(Clusters.framework(0));
    }
  }

  /** Nothing to offer, but every refusal must be looked at again. */
  @Benchmark
  @Warmup(iterations = 50)
  @Measurement(iterations = 50)
  public List<Proposal> allFilteredAfterChange(Changing cluster) {
    return cluster.allocator.allocate(Optional.empty());
  }
}
