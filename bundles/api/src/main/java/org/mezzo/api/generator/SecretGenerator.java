package org.mezzo.api.generator;

import org.mezzo.api.Module;
import org.mezzo.api.authentication.Principal;
import org.mezzo.protocol.v1.Secret;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Makes the secret by which an executor is known to its agent, just before its container is made.
 * The executor finds it in the variable {@code MESOS_EXECUTOR_AUTHENTICATION_TOKEN} and sends it as
 * a bearer token (RFC 6750) with every call; the agent keeps it nowhere. Whoever is to recognize it
 * there answers with the same principal: an {@link org.mezzo.api.authentication.HttpAuthenticator},
 * also after restarts of the agent and swaps of the generator, as executors outlive both.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}; several calls are taken at a time, and each may
 * ask a server. Deadline of each call: 5 seconds. Where the generator throws, is late or is absent,
 * the launch fails, which its framework is told with the message of what was thrown: no secret
 * belongs into that, nor into a log. A generator that (re)appears is told nothing.
 */
@ConsumerType
public interface SecretGenerator extends Module {

  /** The value of {@code mezzo.module.kind} of secret generators. */
  String KIND = "secret-generator";

  /**
   * A secret for a principal.
   *
   * @param principal of an executor: without a value, with the claims {@code fid}, {@code eid} and
   *     {@code cid}, the ids of its framework, of itself and of its container (rule 187)
   * @return of type VALUE, with 1 to 16384 bytes, all of them visible characters of ASCII, as it
   *     becomes a variable and a header; anything else fails the launch. Not null
   * @throws Exception when none can be made; the message says why, and the remedy
   */
  Secret generate(Principal principal) throws Exception;
}
