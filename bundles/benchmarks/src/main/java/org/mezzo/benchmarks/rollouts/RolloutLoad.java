package org.mezzo.benchmarks.rollouts;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.mezzo.link.Links;
import org.slf4j.LoggerFactory;

/**
 * How long a rollout takes over many hosts: rolls a bundle out to all agents of a running master,
 * and then a version that fails on each. The agents are emulated ones that this connects, which
 * take the time that they are told to; the network, the registry and the master are real. With
 * {@code agents=0} and a real module they are those that the master has.
 *
 * <p>Arguments: {@code MASTER_HOST:PORT [agents=200] [batch=20] [install_ms=1500] [jar=FILE]}.
 */
public final class RolloutLoad {
  private static final Pattern STATE = Pattern.compile("\"rollout\":\\{\"state\":\"(\\w+)\"");
  private static final Pattern TOUCHED = Pattern.compile("\"touched\":\\[([^\\]]*)\\]");
  private static final String BAD = "1000.1.0";
  private static final int LOOK_MILLIS = 20;
  private static final int LIMIT_SECONDS = 600;

  private final HttpClient http = HttpClient.newHttpClient();
  private final URI rollouts;

  /** A module; empty for something that is a bundle in name only. */
  private final String jar;

  private RolloutLoad(String master, String jar) {
    this.jar = jar;
    rollouts = URI.create("http://" + master + "/mezzo/rollouts");
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 1) {
      System.err.println(
          "Arguments: MASTER_HOST:PORT [agents=200] [batch=20] [install_ms=1500] [jar=FILE]");
      System.exit(2);
    }
    // Keeps the log out of the figures.
    ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).setLevel(Level.ERROR);
    Map<String, String> options =
        new HashMap<>(Map.of("agents", "200", "batch", "20", "install_ms", "1500", "jar", ""));
    for (String argument : Arrays.asList(arguments).subList(1, arguments.length)) {
      String[] parts = argument.split("=", 2);
      options.put(parts[0], parts[1]);
    }
    int agents = Integer.parseInt(options.get("agents"));
    int batch = Integer.parseInt(options.get("batch"));
    String[] master = arguments[0].split(":", 2);
    ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
    try (Links.Client client = Links.client()) {
      List<EmulatedHost> hosts = new ArrayList<>();
      for (int i = 0; i < agents; i++) {
        hosts.add(
            new EmulatedHost(
                i,
                client,
                new InetSocketAddress(master[0], Integer.parseInt(master[1])),
                clock,
                Long.parseLong(options.get("install_ms")),
                module -> module.getVersion().equals(BAD)));
      }
      for (EmulatedHost host : hosts) {
        host.registered().get(LIMIT_SECONDS, TimeUnit.SECONDS);
      }
      new RolloutLoad(arguments[0], options.get("jar")).run(batch);
    } finally {
      clock.shutdownNow();
    }
    System.exit(0);
  }

  private void run(int batch) throws Exception {
    System.out.println("| what | seconds |\n|---|---|");
    long begin = System.nanoTime();
    roll("1000.0.0", batch);
    await("DONE");
    print(told() + " agents in batches of " + batch + ": all have it", begin);

    begin = System.nanoTime();
    roll(BAD, batch);
    await("ROLLING_BACK");
    print("a version that does not start: it is stopped", begin);
    long stopped = System.nanoTime();
    await("ROLLED_BACK");
    print("the same: it is undone, from then on", stopped);
    System.out.println("| the same: agents that were told, no time | " + told() + " |");
  }

  private int told() throws IOException, InterruptedException {
    Matcher touched = TOUCHED.matcher(report());
    return touched.find() ? touched.group(1).split(",").length : 0;
  }

  private static void print(String what, long begin) {
    System.out.printf("| %s | %.1f |%n", what, (System.nanoTime() - begin) / 1e9);
  }

  private void roll(String version, int batch) throws Exception {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(
                    URI.create(rollouts + "?pause=0secs&patience=2mins&batch=" + batch))
                .POST(HttpRequest.BodyPublishers.ofByteArray(bundle(version)))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(answer.statusCode() + " " + answer.body());
    }
  }

  /** A jar with that version; the bad one needs what nobody has. */
  private byte[] bundle(String version) throws IOException {
    return jar.isEmpty()
        ? VersionedJar.empty(version)
        : VersionedJar.of(jar, version, version.equals(BAD) ? "org.nowhere" : "");
  }

  private String report() throws IOException, InterruptedException {
    return http.send(HttpRequest.newBuilder(rollouts).build(), HttpResponse.BodyHandlers.ofString())
        .body();
  }

  private void await(String wanted) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (true) {
      String report = report();
      Matcher state = STATE.matcher(report);
      String now = state.find() ? state.group(1) : "";
      if (now.equals(wanted) || wanted.equals("ROLLING_BACK") && now.equals("ROLLED_BACK")) {
        return;
      }
      if (System.nanoTime() > end) {
        throw new IllegalStateException("The rollout is " + now + ", not " + wanted);
      }
      Thread.sleep(LOOK_MILLIS);
    }
  }
}
