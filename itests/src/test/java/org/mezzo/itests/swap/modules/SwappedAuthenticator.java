package org.mezzo.itests.swap.modules;

import org.mezzo.api.DaemonContext;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;

/** Believes everybody. Goes into test bundles. */
public final class SwappedAuthenticator implements HttpAuthenticator {
  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public String scheme() {
    return "Basic";
  }

  @Override
  public Result authenticate(Request request) throws Exception {
    return witness.call("authenticate", () -> Result.of(Principal.named(witness.signature())));
  }
}
