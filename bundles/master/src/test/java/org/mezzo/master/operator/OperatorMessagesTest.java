package org.mezzo.master.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;

class OperatorMessagesTest {
  @TempDir Path workDir;

  @Test
  void aFrameworkIsAnnouncedWithATimeOfRemovalAndOnlyWithConstraintsThatThereAre()
      throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("test").build())) {
      var state = cluster.state();
      var framework = state.frameworks().get(scheduler.id);
      var listed = OperatorMessages.framework(state, framework);
      assertThat(listed.hasUnregisteredTime()).isFalse();
      assertThat(listed.hasOfferConstraints()).isTrue();
      var announced = OperatorMessages.announced(state, framework);
      assertThat(announced.getUnregisteredTime().getNanoseconds()).isZero();
      assertThat(announced.hasUnregisteredTime()).isTrue();
      assertThat(announced.hasOfferConstraints()).isFalse();
      assertThat(announced.getFrameworkInfo()).isEqualTo(listed.getFrameworkInfo());
    }
  }
}
