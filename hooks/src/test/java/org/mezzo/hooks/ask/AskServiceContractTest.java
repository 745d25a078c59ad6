package org.mezzo.hooks.ask;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.mezzo.api.hook.Hook;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HookContract;

/** With a service that leaves everything as it is. */
class AskServiceContractTest extends HookContract {
  static {
    // So often a client of the JDK looks whether it is still in use, and ends its thread else.
    System.setProperty("jdk.internal.httpclient.selectorTimeout", "1000");
  }

  private HttpServer server;

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          exchange.sendResponseHeaders(204, -1);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Override
  protected Hook module() {
    return new AskHook();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(
        Map.of(
            "url",
            "http://127.0.0.1:" + server.getAddress().getPort() + "/",
            "points",
            "agentRunTaskLabels,masterLaunchTaskResources,agentResources"));
  }
}
