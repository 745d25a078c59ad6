package org.mezzo.api.authorization;

import java.util.Optional;
import org.mezzo.api.Module;
import org.mezzo.api.authentication.Principal;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Tells whether a principal may do what it asks. Without {@code --acls} nobody is asked and
 * everything is allowed, as in Mesos; with it a missing, failing or late authorizer refuses.
 *
 * <p>Threading: {@link #authorize} is called on several threads at a time, never on the event loop,
 * and may block. Deadline: 5 seconds. An authorizer that appears is told nothing but its {@link
 * org.mezzo.api.DaemonContext}, in which it finds {@code --acls} and its parameters; requests do
 * not wait for it, they are refused until it has opened.
 */
@ConsumerType
public interface Authorizer extends Module {

  /** The value of {@code mezzo.module.kind} of authorizers. */
  String KIND = "authorizer";

  /** Whether the action is allowed. Throwing counts as no. */
  boolean authorize(Request request) throws Exception;

  /**
   * What is asked.
   *
   * @param subject empty when the request was not authenticated
   * @param object what the action is about, for example a role or a framework's principal; empty
   *     when it is about anything
   */
  record Request(Optional<Principal> subject, Action action, Optional<String> object) {}
}
