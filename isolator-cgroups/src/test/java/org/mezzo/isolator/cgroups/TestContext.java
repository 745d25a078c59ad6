package org.mezzo.isolator.cgroups;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;

/** An agent with these flags. */
record TestContext(Path runtimeDir, Map<String, String> flags) implements DaemonContext, Metrics {
  @Override
  public String daemon() {
    return "agent";
  }

  @Override
  public Role role() {
    return Role.AGENT;
  }

  @Override
  public Path workDir() {
    return runtimeDir;
  }

  @Override
  public Map<String, String> parameters() {
    return Map.of();
  }

  @Override
  public Metrics metrics() {
    return this;
  }

  @Override
  public Clock clock() {
    return Clock.systemUTC();
  }

  @Override
  public Counter counter(String name) {
    return n -> {};
  }

  @Override
  public void gauge(String name, DoubleSupplier value) {
    // Nobody looks.
  }
}
