package org.mezzo.link;

import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.osgi.annotation.versioning.ProviderType;

/** The agent's side of the link; published as an OSGi service. */
@ProviderType
public interface LinkClient {

  /**
   * Opens a link in the background; the listener is told how it went. Never blocks. A version that
   * the hello lacks is filled in.
   *
   * @param tls present: the link is opened over TLS and the master's host name is verified; absent:
   *     over cleartext HTTP/2
   * @param shown header fields by which the agent shows who it is; empty when it has nothing to
   *     show. No text of this client has them
   */
  Connection connect(
      InetSocketAddress master,
      Optional<SSLContext> tls,
      Map<String, String> shown,
      Hello hello,
      Listener listener);

  /** Opens a link without anything to show. */
  default Connection connect(
      InetSocketAddress master, Optional<SSLContext> tls, Hello hello, Listener listener) {
    return connect(master, tls, Map.of(), hello, listener);
  }

  /** Opens a cleartext link. */
  default Connection connect(InetSocketAddress master, Hello hello, Listener listener) {
    return connect(master, Optional.empty(), hello, listener);
  }

  /** One connection; of no use after closed was reported. Safe for any thread. */
  interface Connection extends AutoCloseable {
    /**
     * Queues a call; its number is set here. Calls may be queued before the link is open and are
     * sent when it is. False when the connection is closed, or was cut because too much waits.
     */
    boolean send(AgentCall.Builder call);

    /** Sends what is queued when the link is open, then closes; returns at once. */
    @Override
    void close();
  }

  /** Called one at a time on a thread of the link; must hand over to the event loop at once. */
  interface Listener {
    void opened(Welcome welcome);

    void refused(Refusal refusal);

    void event(MasterEvent event);

    /** The connection is gone; the last call. */
    void closed(String reason);
  }
}
