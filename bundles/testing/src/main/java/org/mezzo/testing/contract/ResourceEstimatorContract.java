package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.estimator.ResourceEstimator;
import org.mezzo.protocol.v1.ResourceUsage;
import org.mezzo.resources.Resource;
import org.mezzo.resources.ResourceKind;
import org.mezzo.resources.Resources;

/**
 * The rules of {@link ResourceEstimator}: whatever runs, what it gives can be lent: scalars without
 * reservation, disk, sharing and allocation role, within {@link ResourceEstimator#MOST}. {@link
 * ModuleContract} says how to extend it.
 */
public abstract class ResourceEstimatorContract extends ModuleContract<ResourceEstimator> {
  private static final int SAMPLES = 50;

  /** For subclasses. */
  protected ResourceEstimatorContract() {}

  @Override
  Role role() {
    return Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(10);
  }

  @Override
  void use(Instance<ResourceEstimator> estimator, Random random) {
    for (int i = 0; i < 3; i++) {
      estimate(estimator, Samples.usage(random));
    }
  }

  private static void estimate(Instance<ResourceEstimator> estimator, ResourceUsage usage) {
    Resources lent = estimator.ask("oversubscribable", it -> it.oversubscribable(usage));
    for (Resource each : lent) {
      check(
          each.type() == ResourceKind.Type.SCALAR
              && each.reservationRole().isEmpty()
              && each.allocationRole().isEmpty()
              && each.disk().isEmpty(),
          "oversubscribable gave " + each + ", which cannot be lent; give plain scalars");
    }
    check(lent.nonShared().equals(lent), "oversubscribable gave what is shared: " + lent);
    for (String name : lent.names()) {
      check(
          lent.scalar(name) <= ResourceEstimator.MOST * 1000,
          "oversubscribable gave " + lent + ", of which '" + name + "' is too much");
    }
  }

  /** Answers whatever runs, and where nothing is known of it. */
  @Test
  public void estimatesWhateverRuns() throws Exception {
    Random random = random();
    Instance<ResourceEstimator> estimator = opened();
    estimate(estimator, ResourceUsage.getDefaultInstance());
    for (int i = 0; i < SAMPLES; i++) {
      estimate(estimator, Samples.usage(random));
    }
    estimator.close();
  }
}
