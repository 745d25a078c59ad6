package org.mezzo.itests.swap.modules;

import java.util.List;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.qos.QosController;
import org.mezzo.api.qos.QosCorrection;
import org.mezzo.protocol.v1.ResourceUsage;

/** Is content with what it sees. Goes into test bundles. */
public final class SwappedController implements QosController {
  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public List<QosCorrection> corrections(ResourceUsage usage) throws Exception {
    return witness.call("corrections", List::of);
  }
}
