package org.mezzo.coordination;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The durable part of the master's state during one term (rules 139, 144, 165, 167). Keys are of
 * the form {@code section/name}, for example {@code agents/<id>}; values are opaque bytes. Every
 * write checks the epoch of the election, so that a deposed leader's write fails. Completions run
 * on the events executor of the session.
 */
@ProviderType
public interface Registry {

  /** Bytes of the largest value. */
  int MAX_VALUE_BYTES = 1_000_000;

  /** Everything stored, read once at the begin of a term. */
  CompletionStage<Map<String, byte[]>> load();

  /**
   * Applies changes atomically and in order of the calls; changes that arrive while a write is
   * under way are stored together in the next one, as far as they fit into it. Fails with {@link
   * RefusedException} when these changes cannot be stored and everything else still can; any other
   * failure is the end of the registry in this term.
   *
   * @param changes at most about {@link #MAX_VALUE_BYTES} with their keys; what need not be atomic
   *     is given in several calls. None asks only whether the term may still write
   */
  CompletionStage<Void> apply(List<Change> changes);

  /** Ends the term's hold on it: what waits fails with that reason, and all that comes. */
  void end(String reason);

  /**
   * One change.
   *
   * @param value null deletes the key
   */
  record Change(String key, byte[] value) {}

  /**
   * Changes were not stored for what they contain: too large, or not valid. Nothing of them is
   * there, and writes before and after them are not affected.
   */
  final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;

    public RefusedException(String message) {
      super(message);
    }

    public RefusedException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
