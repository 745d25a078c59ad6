package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceStatistics;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.protocol.v1.Value;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private final {{class}} controller = new {{class}}();

  private void open(String percent) {
    controller.open(FakeDaemonContext.agent().withParameters(Map.of("percent", percent)));
  }

  private static Resource.Builder scalar(String name, double amount) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(amount));
  }

  private static ResourceUsage.Executor executor(String id, boolean lent, long megabytes) {
    Resource.Builder cpus = scalar("cpus", 1);
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
        .setStatistics(ResourceStatistics.newBuilder().setTimestamp(0).setMemRssBytes(megabytes << 20))
        .build();
  }

  private List<String> ended(ResourceUsage.Executor... executors) throws Exception {
    ResourceUsage usage =
        ResourceUsage.newBuilder()
            .addTotal(scalar("mem", 1000))
            .addAllExecutors(List.of(executors))
            .build();
    return controller.corrections(usage).stream().map(QosCorrection::executorId).toList();
  }

  @Test
  void endsTheLargestOnLentResourcesWhileMemoryIsScarce() throws Exception {
    open("50");
    assertThat(ended(executor("own", false, 300), executor("lent", true, 100))).isEmpty();
    assertThat(
            ended(
                executor("own", false, 300),
                executor("small", true, 100),
                executor("large", true, 200)))
        .containsExactly("large");
    assertThat(ended(executor("own", false, 900))).isEmpty();
  }

  @Test
  void refusesWhatIsNoShare() {
    assertThatThrownBy(() -> open("101")).hasMessageContaining("'101' is no number from 0 to 100");
    assertThatThrownBy(() -> open("most")).hasMessageContaining("'most'");
  }
}
