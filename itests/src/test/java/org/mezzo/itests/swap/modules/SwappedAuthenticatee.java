package org.mezzo.itests.swap.modules;

import org.mezzo.api.DaemonContext;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.protocol.v1.MasterInfo;

/** Shows masters which version it is. Goes into test bundles. */
public final class SwappedAuthenticatee implements Authenticatee {
  /** The daemon that asks again and again; agents do so before a link alone. */
  public static final String ASKING = "asking";

  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    if (context.daemon().equals(ASKING)) {
      witness.opening(context);
    }
  }

  @Override
  public Credentials authenticate(MasterInfo master) throws Exception {
    return witness.call(
        "authenticate", () -> Credentials.authorization("Bearer " + witness.signature()));
  }
}
