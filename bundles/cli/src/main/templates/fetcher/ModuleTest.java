package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  @TempDir Path folder;
  private final {{class}} fetcher = new {{class}}();
  private HttpServer server;

  @BeforeEach
  void start() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/place/file",
        exchange -> {
          exchange.sendResponseHeaders(200, 4);
          exchange.getResponseBody().write("data".getBytes());
          exchange.close();
        });
    server.start();
    String endpoint = "http://127.0.0.1:" + server.getAddress().getPort();
    fetcher.open(FakeDaemonContext.agent().withParameters(Map.of("endpoint", endpoint)));
  }

  @AfterEach
  void stop() throws Exception {
    fetcher.close();
    server.stop(0);
  }

  private void fetch(String uri) throws Exception {
    fetcher.fetch(
        Fetcher.Request.of(
            URI.create(uri), folder.resolve("target"), Duration.ofSeconds(60), line -> {}));
  }

  @Test
  void fetches() throws Exception {
    assertThat(fetcher.schemes()).containsExactly("{{scheme}}");
    fetch("{{scheme}}://place/file");
    assertThat(folder.resolve("target")).hasContent("data");
  }

  @Test
  void saysWhatTheServerRefuses() {
    assertThatThrownBy(() -> fetch("{{scheme}}://place/missing"))
        .hasMessageContaining("Status 404")
        .hasMessageContaining("/place/missing");
  }
}
