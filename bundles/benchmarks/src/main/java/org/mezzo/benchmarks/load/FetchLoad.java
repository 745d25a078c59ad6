package org.mezzo.benchmarks.load;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Has many containers ask a running cluster for the same file at once, over HTTP from this process:
 * first without the agent's cache, then when the cache does not have it, then when it does.
 *
 * <p>Arguments: {@code HOST:PORT [containers=200] [mb=50] [uncached=20] [agent=PID]}. With the
 * process of the agent the bytes it wrote are told, downloads and copies together.
 */
public final class FetchLoad {
  private static final int PIECE = 1 << 16;

  private final LoadFramework framework;
  private final long size;
  private final long agent;
  private final AtomicInteger downloads = new AtomicInteger();
  private final AtomicLong sent = new AtomicLong();
  private final HttpServer server;
  private int round;

  private FetchLoad(LoadFramework framework, long size, long agent) throws IOException {
    this.framework = framework;
    this.size = size;
    this.agent = agent;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task);
              thread.setDaemon(true);
              return thread;
            }));
    server.createContext("/", this::serve);
    server.start();
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0) {
      System.err.println("Arguments: HOST:PORT [containers=200] [mb=50] [uncached=20] [agent=PID]");
      System.exit(2);
    }
    Map<String, Long> sizes =
        new HashMap<>(Map.of("containers", 200L, "mb", 50L, "uncached", 20L, "agent", 0L));
    for (String argument : Arrays.asList(arguments).subList(1, arguments.length)) {
      String[] parts = argument.split("=", 2);
      sizes.put(parts[0], Long.parseLong(parts[1]));
    }
    try (LoadFramework framework = new LoadFramework(arguments[0], "fetch-load", 1800)) {
      FetchLoad load = new FetchLoad(framework, sizes.get("mb") * 1_000_000, sizes.get("agent"));
      int containers = sizes.get("containers").intValue();
      // What starts a first task is not what is measured.
      load.ask("warm-up", "/warm-up", false, 1);
      load.ask("no cache", "/uncached", false, sizes.get("uncached").intValue());
      load.ask("cold cache", "/cached", true, containers);
      load.ask("warm cache", "/cached", true, containers);
    }
    System.exit(0);
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (exchange.getRequestMethod().equals("HEAD")) {
        exchange.getResponseHeaders().set("Content-Length", Long.toString(size));
        exchange.sendResponseHeaders(200, -1);
        return;
      }
      downloads.incrementAndGet();
      exchange.sendResponseHeaders(200, size);
      byte[] piece = new byte[PIECE];
      new Random(7).nextBytes(piece);
      for (long left = size; left > 0; left -= PIECE) {
        exchange.getResponseBody().write(piece, 0, (int) Math.min(PIECE, left));
        sent.addAndGet(Math.min(PIECE, left));
      }
    }
  }

  private void ask(String name, String path, boolean cache, int containers)
      throws IOException, InterruptedException {
    String uri = "http://127.0.0.1:" + server.getAddress().getPort() + path;
    CommandInfo command =
        CommandInfo.newBuilder()
            .setValue("rm file")
            .addUris(
                CommandInfo.URI.newBuilder().setValue(uri).setCache(cache).setOutputFile("file"))
            .build();
    List<String> ids = new ArrayList<>();
    round++;
    for (int i = 0; i < containers; i++) {
      ids.add("fetch-" + round + "-" + i);
    }
    downloads.set(0);
    sent.set(0);
    long written = written();
    long begin = framework.launch(ids, command);
    long last = ids.stream().mapToLong(framework::running).max().orElseThrow();
    double seconds = (last - begin) / 1e9;
    System.out.printf(
        "%-10s %4d containers: all run after %.2f s, %.1f ms each; %d downloads, %.0f MB sent%s%n",
        name,
        containers,
        seconds,
        1000 * seconds / containers,
        downloads.get(),
        sent.get() / 1e6,
        agent == 0
            ? ""
            : String.format(", %.0f MB written by the agent", (written() - written) / 1e6));
  }

  /** What the agent has written so far, into whatever. */
  private long written() throws IOException {
    if (agent == 0) {
      return 0;
    }
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + agent + "/io"))) {
        if (line.startsWith("wchar: ")) {
          return Long.parseLong(line.substring(7));
        }
      }
    } catch (NoSuchFileException e) {
      System.err.println("There is no process " + agent);
    }
    return 0;
  }
}
