package org.mezzo.link;

import org.mezzo.link.client.JettyLinkClient;
import org.mezzo.link.server.HttpLinkServer;

/** Makes both ends of the link where there is no service registry. */
public final class Links {
  private Links() {}

  /** A link client that can be closed. */
  public interface Client extends LinkClient, AutoCloseable {
    /** Closes all its connections and ends its threads. */
    @Override
    void close();
  }

  /** A link server that can be closed. */
  public interface Server extends LinkServer, AutoCloseable {
    /** Closes all its sessions and ends its threads. */
    @Override
    void close();
  }

  /** A client with threads of its own, which its links share. */
  public static Client client() {
    return new JettyLinkClient();
  }

  /** A server end; its handlers share two threads. */
  public static Server server() {
    return new HttpLinkServer();
  }
}
