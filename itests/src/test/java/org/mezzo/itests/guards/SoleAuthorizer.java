package org.mezzo.itests.guards;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.Authorizer;

/**
 * Lets one principal do everything and others nothing, and takes its time to find out who asks, so
 * that every change meets requests that are under way. Goes into test bundles.
 */
public final class SoleAuthorizer implements Authorizer {
  /** Who may do everything; others may register agents. */
  public static final String PRINCIPAL = "ada";

  private static final long READING_MILLIS = 10;

  private volatile boolean closed;

  @Override
  public Approver approver(Optional<Principal> subject, Set<Action> actions) throws Exception {
    TimeUnit.MILLISECONDS.sleep(READING_MILLIS);
    boolean all = subject.flatMap(Principal::value).filter(PRINCIPAL::equals).isPresent();
    // Agents have no principal here.
    return (action, object) -> (all || action == Action.REGISTER_AGENT) && !closed;
  }

  @Override
  public void close() {
    closed = true;
  }
}
