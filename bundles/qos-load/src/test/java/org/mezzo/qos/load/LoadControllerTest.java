package org.mezzo.qos.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.protocol.v1.Value;
import org.mezzo.testing.FakeDaemonContext;

class LoadControllerTest {
  @TempDir Path folder;
  private Path source;

  @BeforeEach
  void idle() throws IOException {
    source = folder.resolve("loadavg");
    load("0.10 0.20 0.30 1/234 5678\n");
  }

  private void load(String text) throws IOException {
    Files.writeString(source, text);
  }

  private LoadController controller(Map<String, String> parameters) throws IOException {
    LoadController controller = new LoadController(source);
    controller.open(FakeDaemonContext.agent().withParameters(parameters));
    return controller;
  }

  private static ResourceUsage.Executor executor(String id, boolean lent) {
    Resource.Builder cpus =
        Resource.newBuilder()
            .setName("cpus")
            .setType(Value.Type.SCALAR)
            .setScalar(Value.Scalar.newBuilder().setValue(1));
    if (lent) {
      cpus.setRevocable(Resource.RevocableInfo.getDefaultInstance());
    }
    return ResourceUsage.Executor.newBuilder()
        .setExecutorInfo(
            ExecutorInfo.newBuilder()
                .setFrameworkId(FrameworkID.newBuilder().setValue("f"))
                .setExecutorId(ExecutorID.newBuilder().setValue(id)))
        .setContainerId(ContainerID.newBuilder().setValue("c-" + id))
        .addAllocated(cpus)
        .build();
  }

  private static List<String> killed(LoadController controller) throws IOException {
    return controller
        .corrections(
            ResourceUsage.newBuilder()
                .addExecutors(executor("own", false))
                .addExecutors(executor("lent-1", true))
                .addExecutors(executor("lent-2", true))
                .build())
        .stream()
        .map(QosCorrection::toString)
        .toList();
  }

  @Test
  void endsAllThatRunsOnLentResourcesWhileTheLoadIsTooHigh() throws Exception {
    LoadController controller =
        controller(Map.of("load_threshold_5min", "8", "load_threshold_15min", "6.5"));
    assertThat(killed(controller)).isEmpty();
    load("99.00 8.00 6.50 1/234 5678\n");
    assertThat(killed(controller)).as("not above it, and one minute does not count").isEmpty();
    load("0.00 8.01 0.00 1/234 5678\n");
    assertThat(killed(controller))
        .containsExactly(
            "kill executor 'lent-1' of framework f: the load of 5 minutes is 8.01 and may be 8.0",
            "kill executor 'lent-2' of framework f: the load of 5 minutes is 8.01 and may be 8.0");
    load("0.00 0.00 7.00 1/234 5678\n");
    assertThat(killed(controller)).hasSize(2).allMatch(it -> it.contains("load of 15 minutes"));
  }

  @Test
  void oneThresholdIsEnough() throws Exception {
    LoadController controller = controller(Map.of("load_threshold_15min", "1"));
    load("0.00 50.00 0.90 1/234 5678\n");
    assertThat(killed(controller)).isEmpty();
    load("0.00 0.00 1.10 1/234 5678\n");
    assertThat(killed(controller)).hasSize(2);
  }

  @Test
  void saysWhatIsWrong() throws Exception {
    assertThatThrownBy(() -> controller(Map.of())).hasMessageContaining("load_threshold_5min");
    assertThatThrownBy(() -> controller(Map.of("load_threshold_1min", "1")))
        .hasMessageContaining("no parameter 'load_threshold_1min'");
    for (String text : new String[] {"-1", "many", "NaN", "Infinity", ""}) {
      assertThatThrownBy(() -> controller(Map.of("load_threshold_5min", text)))
          .as(text)
          .hasMessageContaining("must be a number from 0");
    }
    LoadController controller = controller(Map.of("load_threshold_5min", "1"));
    load("no numbers");
    assertThatThrownBy(() -> killed(controller)).isInstanceOf(IOException.class);
    Files.delete(source);
    assertThatThrownBy(() -> controller(Map.of("load_threshold_5min", "1")))
        .isInstanceOf(IOException.class);
  }
}
