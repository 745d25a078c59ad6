package org.mezzo.estimator.fixed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.ExecutorID;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeDaemonContext;

class FixedEstimatorTest {

  private static FixedEstimator lending(Map<String, String> parameters) {
    FixedEstimator estimator = new FixedEstimator();
    estimator.open(FakeDaemonContext.agent().withParameters(parameters));
    return estimator;
  }

  private static Resource.Builder cpus(double amount) {
    return Resource.newBuilder()
        .setName("cpus")
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(amount));
  }

  private static ResourceUsage holding(Resource.Builder... resources) {
    ResourceUsage.Builder usage = ResourceUsage.newBuilder();
    for (Resource.Builder each : resources) {
      usage
          .addExecutorsBuilder()
          .setExecutorInfo(
              ExecutorInfo.newBuilder().setExecutorId(ExecutorID.newBuilder().setValue("e")))
          .setContainerId(ContainerID.newBuilder().setValue("c"))
          .addAllocated(each);
    }
    return usage.build();
  }

  private static Resource.Builder lent(double amount) {
    return cpus(amount).setRevocable(Resource.RevocableInfo.getDefaultInstance());
  }

  @Test
  void lendsWhatItWasToldToWithoutWhatIsInUseOfIt() throws Exception {
    FixedEstimator estimator = lending(Map.of("resources", "cpus:4;mem:512"));
    assertThat(estimator.oversubscribable(ResourceUsage.getDefaultInstance()))
        .isEqualTo(Resources.parse("cpus:4;mem:512", "*"));
    assertThat(estimator.oversubscribable(holding(lent(1), lent(0.5), cpus(2))))
        .as("what executors have of their own does not count")
        .isEqualTo(Resources.parse("cpus:2.5;mem:512", "*"));
    assertThat(estimator.oversubscribable(holding(lent(5))))
        .as("more in use than there is, after the parameter became smaller")
        .isEqualTo(Resources.parse("mem:512", "*"));
  }

  @Test
  void saysWhatIsWrongWithItsParameters() {
    assertThatThrownBy(() -> lending(Map.of())).hasMessageContaining("'resources' is missing");
    assertThatThrownBy(() -> lending(Map.of("resource", "cpus:4")))
        .hasMessageContaining("no parameter 'resource'");
    for (String text :
        new String[] {"cpus(r):1", "ports:[1-2]", "cpus:-1", "cpus", "[{\"name\":1}]"}) {
      assertThatThrownBy(() -> lending(Map.of("resources", text)))
          .as(text)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'resources'");
    }
  }
}
