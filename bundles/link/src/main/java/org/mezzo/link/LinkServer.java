package org.mezzo.link;

import java.util.Optional;
import org.mezzo.http.HttpExchange;
import org.mezzo.http.HttpHandler;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Welcome;
import org.osgi.annotation.versioning.ProviderType;

/** The master's side of the link; published as an OSGi service. */
@ProviderType
public interface LinkServer {

  /** Where the link lives on the master's connector. */
  String PATH = "/mezzo/link";

  /** Takes requests for {@link #PATH}. */
  @FunctionalInterface
  interface Entrance {
    /**
     * Takes one.
     *
     * @param principal whom the request was authenticated as; without one the agent's certificate
     *     says who it is, where it has one
     */
    void handle(HttpExchange exchange, Optional<String> principal);
  }

  /** Makes the entrance for {@link #PATH}. Every connection is given to the acceptor. */
  Entrance entrance(Acceptor acceptor);

  /** An entrance where nobody was authenticated before. */
  default HttpHandler handler(Acceptor acceptor) {
    Entrance entrance = entrance(acceptor);
    return exchange -> entrance.handle(exchange, Optional.empty());
  }

  /** How many events of all connections are still to be encoded. */
  default int waiting() {
    return 0;
  }

  /** Decides on connections, on a connector thread; must not block. */
  @FunctionalInterface
  interface Acceptor {
    /**
     * An agent opened a link. Answer by {@link Session#accept} or {@link Session#refuse}, now or
     * later.
     *
     * @param principal who the agent is; empty when nobody knows
     */
    void opened(Session session, Hello hello, Optional<String> principal);

    /**
     * A connection was cut because something went wrong on this side that should not; its listener
     * is told that it is closed as well.
     */
    default void failed(Session session, Throwable cause) {}
  }

  /** One agent's connection. Safe for any thread; no method blocks. */
  interface Session {
    /** Sends the welcome and delivers calls to the listener from now on. */
    void accept(Welcome welcome, Listener listener);

    /** Sends the refusal and closes; also what was accepted before. */
    void refuse(Refusal refusal);

    /**
     * Queues an event, which is encoded elsewhere; its number is set here. False when the
     * connection is closed or was cut, be it because too many events wait.
     */
    boolean send(MasterEvent.Builder event);

    void close();

    /** Host and port the agent connected from. */
    java.net.InetSocketAddress remote();
  }

  /** Called one at a time per session on connector threads; must hand over to the loop at once. */
  interface Listener {
    void call(AgentCall call);

    /** The connection is gone; the last call. */
    void closed(String reason);
  }
}
