package org.mezzo.agent.detection;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.daemon.metrics.MetricsRegistry;

class PressureTest {
  @TempDir Path proc;

  @Test
  void tellsWhatTheMachineTells() throws Exception {
    Files.createDirectory(proc.resolve("pressure"));
    Path memory = proc.resolve("pressure/memory");
    Files.writeString(
        memory,
        """
        some avg10=1.00 avg60=12.50 avg300=3.00 total=1
        full avg10=0.00 avg60=7.00 avg300=0.00 total=1
        """);
    Files.writeString(proc.resolve("pressure/io"), "something else");
    Files.writeString(
        proc.resolve("meminfo"), "MemTotal:       2048 kB\nMemAvailable:   1024 kB\n");
    MetricsRegistry metrics = new MetricsRegistry();
    new Pressure(proc).measure(metrics);
    assertThat(metrics.snapshot())
        .containsEntry("slave/mezzo/pressure/memory", 0.125)
        .containsEntry("slave/mezzo/pressure/io", 0.0)
        .containsEntry("slave/mezzo/memory_available_bytes", 1048576.0)
        .doesNotContainKey("slave/mezzo/pressure/cpu");
    Files.delete(memory);
    assertThat(metrics.snapshot()).containsEntry("slave/mezzo/pressure/memory", 0.0);
  }
}
