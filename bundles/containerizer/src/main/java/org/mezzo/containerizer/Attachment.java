package org.mezzo.containerizer;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Somebody who is attached to a container. Lasts until it is closed, the container ends or the
 * agent detaches from its containers. Safe for any thread.
 */
@ProviderType
public interface Attachment extends AutoCloseable {

  /** Ends it; the container goes on. Does not block, and is of no effect when it is over. */
  @Override
  void close();
}
