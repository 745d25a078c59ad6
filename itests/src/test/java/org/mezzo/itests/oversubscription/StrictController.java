package org.mezzo.itests.oversubscription;

import java.util.List;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.protocol.v1.ResourceUsage;

/** Wants everything to end that it is shown. Goes into a test bundle. */
public final class StrictController implements QosController {
  @Override
  public List<QosCorrection> corrections(ResourceUsage usage) {
    return usage.getExecutorsList().stream()
        .map(executor -> QosCorrection.kill(executor, "nobody may"))
        .toList();
  }
}
