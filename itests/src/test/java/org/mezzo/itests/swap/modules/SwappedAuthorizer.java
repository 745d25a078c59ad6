package org.mezzo.itests.swap.modules;

import org.mezzo.api.DaemonContext;
import org.mezzo.api.authorization.Authorizer;

/** Allows everything. Goes into test bundles. */
public final class SwappedAuthorizer implements Authorizer {
  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public boolean authorize(Request request) throws Exception {
    return witness.call("authorize", () -> true);
  }
}
