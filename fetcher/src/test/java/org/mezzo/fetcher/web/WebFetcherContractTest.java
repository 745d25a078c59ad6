package org.mezzo.fetcher.web;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.testing.contract.FetcherContract;

class WebFetcherContractTest extends FetcherContract {
  private final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/",
        exchange -> {
          byte[] file = files.get(exchange.getRequestURI().getPath());
          if (file == null) {
            exchange.sendResponseHeaders(404, -1);
          } else if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", "" + file.length);
            exchange.getResponseHeaders().set("ETag", "\"" + Arrays.hashCode(file) + "\"");
            exchange.sendResponseHeaders(200, -1);
          } else {
            exchange.sendResponseHeaders(200, file.length == 0 ? -1 : file.length);
            exchange.getResponseBody().write(file);
          }
          exchange.close();
        });
    server.createContext(
        "/stalling",
        exchange -> {
          try {
            exchange.sendResponseHeaders(200, 0);
            ended.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    server.start();
  }

  @AfterEach
  void stop() {
    ended.countDown();
    server.stop(0);
    threads.shutdownNow();
  }

  @Override
  protected Fetcher module() {
    return new WebFetcher();
  }

  @Override
  protected URI serve(String name, byte[] content) {
    files.put("/" + name, content);
    return at(name);
  }

  @Override
  protected URI missing() {
    return at("missing");
  }

  @Override
  protected Optional<URI> stalling() {
    return Optional.of(at("stalling"));
  }

  private URI at(String name) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/" + name);
  }
}
