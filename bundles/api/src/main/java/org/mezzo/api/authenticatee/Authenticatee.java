package org.mezzo.api.authenticatee;

import org.mezzo.api.Module;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Says by what an agent shows its master who it is: asked each time before the agent opens a link
 * to a master, which has an authenticator that knows what is shown ({@code --authenticate_agents}).
 *
 * <p>Threading: see {@link org.mezzo.api.Module}; one question at a time, and each may ask a
 * server. Deadline of each question: 10 seconds. Where the authenticatee throws, is late, answers
 * what cannot be sent or is absent, the agent opens no link: it says why in its log, counts it
 * ({@code slave/mezzo/authentications_failed}) and asks again, after the wait that it has between
 * attempts to link. A question is taken back when its master leads no more. What is thrown has a
 * message that says why, and the remedy; no secret belongs into that, nor into a log.
 *
 * <p>A link that is there stays, however long: nothing is asked while it lasts, nor when the module
 * is swapped or goes away. An authenticatee that (re)appears is told nothing.
 */
@ConsumerType
public interface Authenticatee extends Module {

  /** The value of {@code mezzo.module.kind} of authenticatees. */
  String KIND = "authenticatee";

  /**
   * What to show a master. It should be made for that master alone, where the scheme can: whom a
   * detector names need not be who it seems to be.
   *
   * @param master as whoever named it describes it, the detector or a master that does not lead:
   *     {@code address} (or {@code hostname}) and {@code port} say where it is; {@code id} may be
   *     empty
   * @return header fields, or {@link Credentials#NONE} to show nothing. Not null
   * @throws Exception when there is nothing to show and that is wrong; the message says why
   */
  Credentials authenticate(MasterInfo master) throws Exception;
}
