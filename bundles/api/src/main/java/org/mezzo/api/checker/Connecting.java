package org.mezzo.api.checker;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import org.osgi.annotation.versioning.ProviderType;

/** A connection that is about to be there. For one thread at a time. */
@ProviderType
public interface Connecting extends AutoCloseable {

  /** The connection; does not block, and is nobody else's. Not of every protocol family. */
  SocketChannel channel();

  /**
   * What the channel is to be ready for before {@link #finish}: {@link
   * java.nio.channels.SelectionKey#OP_CONNECT} or {@code OP_READ}.
   */
  int operation();

  /**
   * Goes on. To be called at first, and each time that the channel is ready, until it says that
   * there is a connection, and not after that; before, nothing may be read or written.
   *
   * @return whether there is a connection
   * @throws java.net.ConnectException when it was refused
   * @throws IOException when there will be none
   */
  boolean finish() throws IOException;

  /** Ends it; never throws. */
  @Override
  void close();
}
