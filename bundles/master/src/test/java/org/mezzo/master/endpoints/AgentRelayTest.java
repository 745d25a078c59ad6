package org.mezzo.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.fixtures.Await;
import org.mezzo.http.ConnectorOptions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.JettyConnectors;

/** Answers of agents on their way through a master. */
@Timeout(120)
class AgentRelayTest {
  private static final int PIECE = 64 * 1024;
  private static final int PIECES = 1024;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final AtomicLong written = new AtomicLong();
  private final CountDownLatch silence = new CountDownLatch(1);
  private volatile boolean cut;
  private volatile URI target;
  private HttpServer agent;
  private AgentRelay relay;
  private HttpConnector master;

  @BeforeEach
  void open() throws Exception {
    agent = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    agent.setExecutor(threads);
    agent.createContext(
        "/who",
        exchange -> {
          List<String> given = exchange.getRequestHeaders().get("Authorization");
          byte[] body = String.valueOf(given).getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"agent\"");
          exchange.getResponseHeaders().add("Content-Type", "text/x-test");
          exchange.getResponseHeaders().add("Set-Cookie", "mine");
          exchange.sendResponseHeaders(given == null ? 401 : 200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    agent.createContext(
        "/large",
        exchange -> {
          exchange.sendResponseHeaders(200, (long) PIECE * PIECES);
          try (OutputStream out = exchange.getResponseBody()) {
            for (int i = 0; i < PIECES; i++) {
              out.write(new byte[PIECE]);
              written.addAndGet(PIECE);
            }
          } catch (IOException e) {
            cut = true;
            throw e;
          }
        });
    agent.createContext(
        "/silent",
        exchange -> {
          try {
            silence.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          exchange.close();
        });
    agent.start();
    relay = new AgentRelay(metrics, threads, Duration.ofSeconds(30));
    master =
        new JettyConnectors()
            .open(
                new ConnectorOptions(
                    "test",
                    InetAddress.getLoopbackAddress(),
                    0,
                    Optional.empty(),
                    16,
                    Duration.ofMinutes(1)),
                exchange -> Router.guard(exchange, it -> relay.relay(it, "A", target)));
  }

  @AfterEach
  void close() {
    silence.countDown();
    master.close();
    agent.stop(0);
    threads.shutdownNow();
  }

  private URI agent(String path) {
    return URI.create("http://127.0.0.1:" + agent.getAddress().getPort() + path);
  }

  private <T> HttpResponse<T> ask(HttpResponse.BodyHandler<T> handler, String... headers)
      throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + master.address().getPort()));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return HttpClient.newHttpClient().send(request.build(), handler);
  }

  private HttpResponse<String> ask(String... headers) throws Exception {
    return ask(HttpResponse.BodyHandlers.ofString(), headers);
  }

  private double open(String name) {
    return metrics.snapshot().get("master/mezzo/" + name);
  }

  @Test
  void theAgentGetsTheCredentialsOfTheCallerAndNoOthers() throws Exception {
    target = agent("/who");
    HttpResponse<String> known = ask("Authorization", "Basic eDp5");
    assertThat(known.statusCode()).isEqualTo(200);
    assertThat(known.body()).isEqualTo("[Basic eDp5]");
    assertThat(known.headers().firstValue("Content-Type")).contains("text/x-test");
    assertThat(known.headers().firstValue("Set-Cookie")).isEmpty();
    HttpResponse<String> nobody = ask();
    assertThat(nobody.statusCode()).isEqualTo(401);
    assertThat(nobody.body()).isEqualTo("null");
    assertThat(nobody.headers().firstValue("WWW-Authenticate")).contains("Basic realm=\"agent\"");
    Await.until("places are free again", () -> open("agent_files_open") == 0);
  }

  /** Far more than may wait for a client: it is read of the agent as the client takes it. */
  @Test
  void anAgentWritesNoFasterThanItsClientReads() throws Exception {
    target = agent("/large");
    HttpResponse<InputStream> answer = ask(HttpResponse.BodyHandlers.ofInputStream());
    long[] before = {-1};
    int[] same = {0};
    Await.until(
        "the agent waits",
        () -> {
          long now = written.get();
          same[0] = now > 0 && now == before[0] ? same[0] + 1 : 0;
          before[0] = now;
          return same[0] > 20;
        });
    assertThat(written.get()).isLessThan((long) PIECE * PIECES);
    try (InputStream in = answer.body()) {
      assertThat(in.transferTo(OutputStream.nullOutputStream())).isEqualTo((long) PIECE * PIECES);
    }
    Await.until("places are free again", () -> open("agent_files_open") == 0);
  }

  @Test
  void anAgentIsLeftWhenTheClientLeaves() throws Exception {
    target = agent("/large");
    ask(HttpResponse.BodyHandlers.ofInputStream()).body().close();
    Await.until("the agent notices", () -> cut);
    Await.until("places are free again", () -> open("agent_files_open") == 0);
  }

  @Test
  void whatIsWrongWithAnAgentIsTold() throws Exception {
    relay = new AgentRelay(metrics, threads, Duration.ofMillis(200));
    target = agent("/silent");
    HttpResponse<String> late = ask();
    assertThat(late.statusCode()).isEqualTo(504);
    assertThat(late.body())
        .isEqualTo("Agent A at 127.0.0.1:%d does not answer within 200 ms", target.getPort());

    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      target = URI.create("http://127.0.0.1:" + free.getLocalPort() + "/x");
    }
    HttpResponse<String> absent = ask();
    assertThat(absent.statusCode()).isEqualTo(502);
    assertThat(absent.body()).startsWith("Agent A at ").contains("cannot be asked by the master");
  }

  @Test
  void onlySoManyAreUnderWay() throws Exception {
    target = agent("/silent");
    for (int i = 0; i < AgentRelay.MOST; i++) {
      threads.execute(
          () -> {
            try {
              ask();
            } catch (Exception e) {
              // The master ends before it is answered.
            }
          });
    }
    Await.until("all are under way", () -> open("agent_files_open") == AgentRelay.MOST);
    HttpResponse<String> refused = ask();
    assertThat(refused.statusCode()).isEqualTo(503);
    assertThat(refused.body()).startsWith("The master passes on 64 files of agents already");
    assertThat(open("agent_files_refused")).isEqualTo(1);
    silence.countDown();
    Await.until("places are free again", () -> open("agent_files_open") == 0);
  }
}
