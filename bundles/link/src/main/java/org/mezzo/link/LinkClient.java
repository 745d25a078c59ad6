package org.mezzo.link;

import java.net.InetSocketAddress;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.osgi.annotation.versioning.ProviderType;

/** The agent's side of the link; published as an OSGi service. */
@ProviderType
public interface LinkClient {

  /** Opens a link in the background; the listener is told how it went. Never blocks. */
  Connection connect(InetSocketAddress master, Hello hello, Listener listener);

  /** One connection; of no use after closed was reported. Safe for any thread. */
  interface Connection extends AutoCloseable {
    /** Queues a call; its number is set here. False when the connection is closed. */
    boolean send(AgentCall.Builder call);

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
