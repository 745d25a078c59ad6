package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.ResourceUsage;

/**
 * The rules of {@link QosController}: whatever runs, it names only executors that run and hold
 * something revocable, each once, with a reason for its user. Give it parameters with which it has
 * something to do. {@link ModuleContract} says how to extend it.
 */
public abstract class QosControllerContract extends ModuleContract<QosController> {
  private static final int SAMPLES = 50;

  /** For subclasses. */
  protected QosControllerContract() {}

  @Override
  Role role() {
    return Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(10);
  }

  @Override
  void use(Instance<QosController> controller, Random random) {
    for (int i = 0; i < 3; i++) {
      correct(controller, Samples.usage(random));
    }
  }

  private static void correct(Instance<QosController> controller, ResourceUsage usage) {
    List<QosCorrection> corrections = controller.ask("corrections", it -> it.corrections(usage));
    check(corrections.size() <= QosController.MOST, corrections.size() + " corrections at a time");
    Set<String> lent =
        usage.getExecutorsList().stream()
            .filter(each -> each.getAllocatedList().stream().anyMatch(Resource::hasRevocable))
            .map(
                each ->
                    each.getExecutorInfo().getFrameworkId().getValue()
                        + "/"
                        + each.getExecutorInfo().getExecutorId().getValue())
            .collect(Collectors.toSet());
    for (QosCorrection each : corrections) {
      check(each != null, "corrections gave a list with null in it");
      check(
          lent.remove(each.frameworkId() + "/" + each.executorId()),
          "'"
              + each
              + "' is about an executor that does not run, holds nothing revocable or was"
              + " named before");
      check(!each.why().isBlank(), "'" + each + "' gives the user no reason");
    }
  }

  /** Answers whatever runs, and where nothing is known of it. */
  @Test
  public void correctsWhateverRuns() throws Exception {
    Random random = random();
    Instance<QosController> controller = opened();
    correct(controller, ResourceUsage.getDefaultInstance());
    for (int i = 0; i < SAMPLES; i++) {
      correct(controller, Samples.usage(random));
    }
    controller.close();
  }
}
