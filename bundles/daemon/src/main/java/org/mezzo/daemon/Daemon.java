package org.mezzo.daemon;

import java.io.IOException;

/**
 * What runs in a {@link DaemonFrame}: a master or an agent. Its constructor puts the parts together
 * and gives the frame those that must be closed; it adds its routes, and begins nothing.
 */
public interface Daemon extends AutoCloseable {

  /**
   * Begins its work. May wait, and opens the border ({@link DaemonFrame#openBorder}) as soon as it
   * can answer; it is open at the latest when this returns.
   *
   * @throws IOException when something stands in the way; the message says what to do
   */
  void start() throws IOException;

  /** Ends its work and closes its frame. Does nothing the second time. */
  @Override
  void close();
}
