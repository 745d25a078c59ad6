package org.mezzo.benchmarks.rollouts;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.mezzo.link.Links;
import org.slf4j.LoggerFactory;

/**
 * How long a rollout takes over many hosts: connects emulated agents to a running master, rolls a
 * bundle out to them, and then a version that fails on each. The network, the jars, the registry
 * and the master are real; a host takes the time that it is told to.
 *
 * <p>Arguments: {@code MASTER_HOST:PORT [agents=200] [batch=20] [install_ms=1500] [jar_kb=100]}.
 * The master should have no other agents.
 */
public final class RolloutLoad {
  private static final Pattern STATE = Pattern.compile("\"rollout\":\\{\"state\":\"(\\w+)\"");
  private static final Pattern TOUCHED = Pattern.compile("\"touched\":\\[([^\\]]*)\\]");
  private static final String BAD = "2.0.0";
  private static final int LOOK_MILLIS = 20;
  private static final int LIMIT_SECONDS = 600;

  private final HttpClient http = HttpClient.newHttpClient();
  private final URI rollouts;

  private RolloutLoad(String master) {
    rollouts = URI.create("http://" + master + "/mezzo/rollouts");
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 1) {
      System.err.println(
          "Arguments: MASTER_HOST:PORT [agents=200] [batch=20] [install_ms=1500] [jar_kb=100]");
      System.exit(2);
    }
    // Keeps the log out of the figures.
    ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).setLevel(Level.ERROR);
    Map<String, Integer> sizes =
        new HashMap<>(Map.of("agents", 200, "batch", 20, "install_ms", 1500, "jar_kb", 100));
    for (String argument : Arrays.asList(arguments).subList(1, arguments.length)) {
      String[] parts = argument.split("=", 2);
      sizes.put(parts[0], Integer.parseInt(parts[1]));
    }
    String[] master = arguments[0].split(":", 2);
    ScheduledExecutorService clock = Executors.newScheduledThreadPool(1);
    try (Links.Client client = Links.client()) {
      List<EmulatedHost> hosts = new ArrayList<>();
      for (int i = 0; i < sizes.get("agents"); i++) {
        hosts.add(
            new EmulatedHost(
                i,
                client,
                new InetSocketAddress(master[0], Integer.parseInt(master[1])),
                clock,
                sizes.get("install_ms"),
                module -> module.getVersion().equals(BAD)));
      }
      for (EmulatedHost host : hosts) {
        host.registered().get(LIMIT_SECONDS, TimeUnit.SECONDS);
      }
      new RolloutLoad(arguments[0]).run(sizes.get("batch"), sizes.get("jar_kb"), hosts.size());
    } finally {
      clock.shutdownNow();
    }
    System.exit(0);
  }

  private void run(int batch, int kilobytes, int agents) throws Exception {
    System.out.println("| what | seconds |\n|---|---|");
    long begin = System.nanoTime();
    roll("1.0.0", batch, kilobytes);
    await("DONE");
    print(agents + " agents in batches of " + batch + ": all have it", begin);

    begin = System.nanoTime();
    roll(BAD, batch, kilobytes);
    await("ROLLING_BACK");
    print("a version that does not start: it is stopped", begin);
    long stopped = System.nanoTime();
    await("ROLLED_BACK");
    print("the same: it is undone, from then on", stopped);
    Matcher touched = TOUCHED.matcher(report());
    int told = touched.find() ? touched.group(1).split(",").length : 0;
    System.out.println("| the same: agents that were told, no time | " + told + " |");
  }

  private static void print(String what, long begin) {
    System.out.printf("| %s | %.1f |%n", what, (System.nanoTime() - begin) / 1e9);
  }

  private void roll(String version, int batch, int kilobytes) throws Exception {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(
                    URI.create(rollouts + "?pause=0secs&patience=2mins&batch=" + batch))
                .POST(HttpRequest.BodyPublishers.ofByteArray(jar(version, kilobytes)))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(answer.statusCode() + " " + answer.body());
    }
  }

  /** A bundle in name only, which no real host would take. */
  private static byte[] jar(String version, int kilobytes) throws IOException {
    byte[] noise = new byte[kilobytes * 1024];
    new Random(version.hashCode()).nextBytes(noise);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("META-INF/MANIFEST.MF"));
      zip.write(
          ("Manifest-Version: 1.0\nBundle-ManifestVersion: 2\nBundle-SymbolicName:"
                  + " org.mezzo.benchmarks.rolled\nBundle-Version: "
                  + version
                  + "\n\n")
              .getBytes(StandardCharsets.UTF_8));
      zip.putNextEntry(new ZipEntry("noise"));
      zip.write(noise);
    }
    return bytes.toByteArray();
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
