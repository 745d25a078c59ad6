package {{package}};

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

class {{class}}Test {
  private final {{class}} estimator = new {{class}}();

  private void open(String percent) {
    estimator.open(FakeDaemonContext.agent().withParameters(Map.of("percent", percent)));
  }

  private static Resource.Builder cpus(double amount) {
    return Resource.newBuilder()
        .setName("cpus")
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(amount));
  }

  /** An agent of eight processors, of which one executor has some, and some that are lent. */
  private static ResourceUsage usage(double own, double lent) {
    Resource.RevocableInfo revocable = Resource.RevocableInfo.getDefaultInstance();
    return ResourceUsage.newBuilder()
        .addTotal(cpus(8))
        .addExecutors(
            ResourceUsage.Executor.newBuilder()
                .setExecutorInfo(
                    ExecutorInfo.newBuilder().setExecutorId(ExecutorID.newBuilder().setValue("e")))
                .setContainerId(ContainerID.newBuilder().setValue("c"))
                .addAllocated(cpus(own))
                .addAllocated(cpus(lent).setRevocable(revocable)))
        .build();
  }

  @Test
  void lendsItsShareOnce() throws Exception {
    open("50");
    assertThat(estimator.oversubscribable(usage(8, 0.5)))
        .isEqualTo(Resources.parse("cpus:3.5", "*"));
    assertThat(estimator.oversubscribable(usage(1, 4))).isEqualTo(Resources.EMPTY);
  }

  @Test
  void refusesWhatIsNoShare() {
    assertThatThrownBy(() -> open("101")).hasMessageContaining("'101' is no number from 0 to 100");
    assertThatThrownBy(() -> open("half")).hasMessageContaining("'half'");
  }
}
