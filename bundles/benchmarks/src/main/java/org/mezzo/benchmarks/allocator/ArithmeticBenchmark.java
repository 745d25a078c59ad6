package org.mezzo.benchmarks.allocator;

import java.util.concurrent.TimeUnit;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Arithmetic on what an agent and a task typically have. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class ArithmeticBenchmark {
  private final Resources agent =
      Clusters.resources("cpus:24;mem:65536;disk:409600;ports:[31000-32000]");
  private final Resources task =
      Clusters.resources("cpus:0.5;mem:128;disk:1024;ports:[31005-31006]");
  private final Resources rest = agent.minus(task);

  @Benchmark
  public Resources plus() {
    return rest.plus(task);
  }

  @Benchmark
  public Resources minus() {
    return agent.minus(task);
  }

  @Benchmark
  public boolean contains() {
    return agent.contains(task);
  }

  @Benchmark
  public Resources allocatedTo() {
    return agent.allocatedTo("role");
  }

  @Benchmark
  public Quantities quantities() {
    return agent.quantities();
  }
}
