package org.mezzo.http;

import java.net.InetSocketAddress;
import java.time.Duration;
import org.osgi.annotation.versioning.ProviderType;

/** A listening connector. */
@ProviderType
public interface HttpConnector extends AutoCloseable {

  /** The bound address with the real port. */
  InetSocketAddress address();

  /** Stops accepting, lets short exchanges end within {@code grace}, then closes everything. */
  void close(Duration grace);

  @Override
  default void close() {
    close(Duration.ZERO);
  }
}
