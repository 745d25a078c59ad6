package org.mezzo.master.testing;

import java.net.InetSocketAddress;
import java.util.Optional;
import org.mezzo.http.HttpResponse;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.Hello;

/** A link without a network: agents of tests meet the master's acceptor directly. */
public final class TestLinks implements LinkServer {
  private volatile Acceptor acceptor;

  @Override
  public Entrance entrance(Acceptor given) {
    acceptor = given;
    return (exchange, principal) -> exchange.respond(HttpResponse.text(404, "no network here"));
  }

  /** Opens a link for an agent. */
  void open(LinkServer.Session session, Hello hello) {
    open(session, hello, Optional.empty());
  }

  /** Opens a link for an agent that was authenticated. */
  void open(LinkServer.Session session, Hello hello, Optional<String> principal) {
    acceptor.opened(session, hello, principal);
  }

  static InetSocketAddress address(int port) {
    return InetSocketAddress.createUnresolved("127.0.0.1", port);
  }
}
