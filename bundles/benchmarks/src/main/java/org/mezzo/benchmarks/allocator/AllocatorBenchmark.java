package org.mezzo.benchmarks.allocator;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.resources.Quantities;
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

  /** As many roles as agents, each with a framework and a guarantee of one agent. */
  @State(Scope.Thread)
  public static class Guaranteed {
    @Param({"300", "3000"})
    public int count;

    AllocationState state;
    Allocator allocator;

    @Setup(Level.Trial)
    public void describe() {
      AllocationState one = Clusters.state(count, 0);
      Quota quota =
          new Quota(
              Quantities.parse("cpus:24;mem:65536;disk:409600"),
              Quantities.parse("cpus:24;mem:65536;disk:409600"));
      Map<String, Quota> quotas = new HashMap<>();
      List<FrameworkState> frameworks = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        frameworks.add(Clusters.framework(i, "role-" + i));
        quotas.put("role-" + i, quota);
      }
      state =
          AllocationState.builder()
              .agents(one.agents())
              .frameworks(frameworks)
              .quotas(quotas)
              .build();
    }

    @Setup(Level.Invocation)
    public void start() {
      allocator = Clusters.start(state);
    }
  }

  /** The cycle that gives every role its guarantee. */
  @Benchmark
  public List<Proposal> guarantees(Guaranteed cluster) {
    return cluster.allocator.allocate(Optional.empty());
  }
}
