package org.mezzo.benchmarks.allocator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
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

/**
 * Whole allocation cycles in a single role. Run: {@code java -jar
 * bundles/benchmarks/target/benchmarks.jar AllocatorBenchmark}.
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgs = "-Xmx2g")
@Warmup(iterations = 15)
@Measurement(iterations = 25)
public class AllocatorBenchmark {

  /** Every agent idle, every framework active, no filters. */
  @State(Scope.Thread)
  public static class Idle {
    @Param({"1000x100", "5000x500", "10000x1000", "20000x2000"})
    public String size;

    AllocationState state;
    Allocator allocator;

    @Setup(Level.Trial)
    public void describe() {
      int[] counts = Clusters.size(size);
      state = Clusters.state(counts[0], counts[1]);
    }

    @Setup(Level.Invocation)
    public void start() {
      allocator = Clusters.start(state);
    }
  }

  /** The cycle that offers every agent of an idle cluster. */
  @Benchmark
  public List<Proposal> fullCycle(Idle cluster) {
    return cluster.allocator.allocate(Optional.empty());
  }

  /** Frameworks without agents. */
  @State(Scope.Thread)
  public static class Empty {
    @Param({"1000x1000", "10000x1000"})
    public String size;

    List<AgentState> agents;
    AllocationState frameworks;
    Allocator allocator;

    @Setup(Level.Trial)
    public void describe() {
      int[] counts = Clusters.size(size);
      agents = new ArrayList<>(Clusters.state(counts[0], 0).agents());
      frameworks = Clusters.state(0, counts[1]);
    }

    @Setup(Level.Invocation)
    public void start() {
      allocator = Clusters.start(frameworks);
    }
  }

  /** Adding all agents and offering them. */
  @Benchmark
  public List<Proposal> addAgents(Empty cluster) {
    for (AgentState agent : cluster.agents) {
      cluster.allocator.agentAdded(agent);
    }
    return cluster.allocator.allocate(Optional.empty());
  }
}
