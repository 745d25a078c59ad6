package org.mezzo.itests.swap.modules;

import org.mezzo.api.DaemonContext;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;

/** Takes values as they are. Goes into test bundles. */
public final class SwappedResolver implements SecretResolver {
  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public Secret.Value resolve(Secret secret) throws Exception {
    return witness.call("resolve", secret::getValue);
  }
}
