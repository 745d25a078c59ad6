package org.mezzo.api.secret;

import org.mezzo.api.Module;
import org.mezzo.protocol.v1.Secret;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Says what the secrets of containers are, just before their first process is made. What it says
 * goes into the environment of that process and is kept nowhere else: no file of the agent, no log
 * and no other module gets it.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}; several calls are taken at a time, and each may
 * ask a server. Deadline of each call: 5 seconds. Where the resolver throws, is late or is absent,
 * the launch fails, which its framework is told with the message of what was thrown: no secret
 * belongs into that. Null is a fault. A resolver that (re)appears is told nothing: containers that
 * there are keep what they have.
 */
@ConsumerType
public interface SecretResolver extends Module {

  /** The value of {@code mezzo.module.kind} of secret resolvers. */
  String KIND = "secret-resolver";

  /**
   * The value of a secret.
   *
   * @param secret as the framework gave it: of type VALUE with its value, of type REFERENCE with
   *     the name of what is kept elsewhere and perhaps a key in that, or of type UNKNOWN
   * @return what a container gets; not null
   * @throws Exception when there is none, a checked one, as what a task asks for is no fault of the
   *     module; the message names what was looked for and the remedy
   */
  Secret.Value resolve(Secret secret) throws Exception;
}
