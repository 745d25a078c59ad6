package org.mezzo.api.authorization;

import java.util.Optional;
import java.util.Set;
import org.mezzo.api.Module;
import org.mezzo.api.authentication.Principal;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Tells whether a principal may do what it asks. Without {@code --acls} nobody is asked and
 * everything is allowed, as in Mesos; with it a missing, failing or late authorizer refuses.
 *
 * <p>Threading: {@link #approver} is called on several threads at a time, never on the event loop,
 * and may block, for example to read rules from a file. Deadline: 5 seconds. What it gives is
 * called often and must not block, see {@link Approver}. An authorizer that appears is told nothing
 * but its {@link org.mezzo.api.DaemonContext}, in which it finds {@code --acls} and its parameters;
 * requests do not wait for it, they are refused until it has opened.
 */
@ConsumerType
public interface Authorizer extends Module {

  /** The value of {@code mezzo.module.kind} of authorizers. */
  String KIND = "authorizer";

  /**
   * What the client of one request may do. Throwing, or giving null, counts as nothing.
   *
   * @param subject empty when the request was not authenticated
   * @param actions all that the approver may be asked about; immutable, never empty
   */
  Approver approver(Optional<Principal> subject, Set<Action> actions) throws Exception;
}
