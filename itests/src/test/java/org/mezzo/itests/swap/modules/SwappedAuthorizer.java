package org.mezzo.itests.swap.modules;

import java.util.Optional;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.Authorizer;

/** Allows everything until it is closed. Goes into test bundles. */
public final class SwappedAuthorizer implements Authorizer {
  private final Witness witness = new Witness(KIND);
  private volatile boolean closed;

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public Approver approver(Optional<Principal> subject, Set<Action> actions) throws Exception {
    return witness.call("approver", () -> (action, object) -> approved());
  }

  private boolean approved() {
    if (closed) {
      witness.fault("an approver was asked after its authorizer had been closed");
    }
    return true;
  }

  @Override
  public void close() {
    closed = true;
  }
}
