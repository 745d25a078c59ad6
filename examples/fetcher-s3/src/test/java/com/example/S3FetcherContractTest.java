package com.example;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.FetcherContract;

class S3FetcherContractTest extends FetcherContract {
  private final Map<String, byte[]> objects = new ConcurrentHashMap<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/",
        exchange -> {
          byte[] object = objects.get(exchange.getRequestURI().getPath());
          if (object == null) {
            exchange.sendResponseHeaders(404, -1);
          } else if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", "" + object.length);
            exchange.getResponseHeaders().set("ETag", "\"" + Arrays.hashCode(object) + "\"");
            exchange.sendResponseHeaders(200, -1);
          } else {
            exchange.sendResponseHeaders(200, object.length == 0 ? -1 : object.length);
            exchange.getResponseBody().write(object);
          }
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
    threads.shutdownNow();
  }

  @Override
  protected Fetcher module() {
    return new S3Fetcher();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(
        Map.of("endpoint", "http://127.0.0.1:" + server.getAddress().getPort()));
  }

  @Override
  protected URI serve(String name, byte[] content) {
    objects.put("/bucket/" + name, content);
    return URI.create("s3://bucket/" + name);
  }

  @Override
  protected URI missing() {
    return URI.create("s3://bucket/missing");
  }
}
