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

  /** Everything stored, read once at the begin of a term. */
  CompletionStage<Map<String, byte[]>> load();

  /**
   * Applies changes atomically and in order of the calls; changes that arrive while a write is
   * under way are stored together in the next one.
   */
  CompletionStage<Void> apply(List<Change> changes);

  /**
   * One change.
   *
   * @param value null deletes the key
   */
  record Change(String key, byte[] value) {}
}
