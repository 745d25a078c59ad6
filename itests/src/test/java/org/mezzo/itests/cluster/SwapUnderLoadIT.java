package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.fixtures.Await;

/**
 * Swaps the allocator of a live cluster again and again through the hot folder, as an operator
 * would, while a framework launches tasks without pause. Invariants: the framework's stream stays
 * open, no offer is rescinded, every call is accepted, every task finishes. Seeded: run with {@code
 * -Dmezzo.swap.seed=N} to replay.
 */
class SwapUnderLoadIT {
  private static final int SWAPS = Integer.getInteger("mezzo.swap.count", 50);

  @TempDir Path folder;
  private Path modules;
  private Path hierarchical;
  private Path roundRobin;
  private int version;

  private enum Operation {
    UPDATE,
    REINSTALL,
    REPLACE
  }

  @Test
  void fiftySwapsCostNothing() throws Exception {
    long seed = Long.getLong("mezzo.swap.seed", System.nanoTime());
    System.out.println("SwapUnderLoadIT: -Dmezzo.swap.seed=" + seed);
    Random random = new Random(seed);
    Distribution distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    modules = distribution.modules();
    hierarchical = keep("mezzo-allocator-drf");
    roundRobin = Path.of(System.getProperty("mezzo.examples.allocator"));

    try (LocalCluster cluster = LocalCluster.start(distribution, 2);
        Load load = new Load(cluster)) {
      load.awaitTasks(10);
      List<String> done = new ArrayList<>();
      for (int i = 0; i < SWAPS; i++) {
        Operation operation = Operation.values()[random.nextInt(Operation.values().length)];
        boolean other = operation == Operation.REPLACE;
        String expected = "1.0." + ++version;
        switch (operation) {
          case UPDATE -> install(hierarchical, expected);
          case REINSTALL -> {
            uninstall();
            Await.until(
                "the allocator is gone",
                Duration.ofSeconds(60),
                () -> allocator(cluster).isEmpty());
            install(hierarchical, expected);
          }
          case REPLACE -> install(roundRobin, expected);
        }
        String bundle =
            other ? "org.mezzo.examples.allocator.roundrobin" : "org.mezzo.allocator.drf";
        Await.until(
            operation + " to " + bundle + " " + expected + " took place",
            Duration.ofSeconds(60),
            () -> allocator(cluster).equals(Set.of(bundle + " " + expected)));
        done.add(operation + " " + expected);
        load.awaitTasks(2);
        load.check();
      }
      load.stop();
      load.check();
      System.out.printf(
          "SwapUnderLoadIT: %d swaps, %d tasks finished, %d offers, longest gap between offers %d"
              + " ms%n",
          done.size(), load.finished(), load.offers.get(), load.longestGapMillis);
    }
  }

  /** The bundles whose allocator is leased by the master. */
  private static Set<String> allocator(LocalCluster cluster) throws IOException {
    Set<String> leased = new HashSet<>();
    for (JsonNode module :
        Http.get(cluster.master().resolve("/mezzo/modules")).json().path("modules")) {
      if (module.path("kind").asText().equals("allocator")
          && module.path("daemons").toString().contains("master")) {
        String bundle =
            module.path("bundle").path("name").asText(module.path("bundle_name").asText());
        String bundleVersion =
            module.path("bundle").path("version").asText(module.path("bundle_version").asText());
        leased.add(bundle + " " + bundleVersion);
      }
    }
    return leased;
  }

  /** Takes the shipped jar out of the hot folder's sight, to be made into other versions. */
  private Path keep(String prefix) throws IOException {
    try (Stream<Path> jars = Files.list(modules)) {
      Path shipped =
          jars.filter(jar -> jar.getFileName().toString().startsWith(prefix))
              .findFirst()
              .orElseThrow();
      Path kept = folder.resolve(shipped.getFileName());
      Files.copy(shipped, kept);
      install(kept, "1.0." + ++version);
      Files.delete(shipped);
      return kept;
    }
  }

  private Path target() {
    return modules.resolve("allocator.jar");
  }

  private void uninstall() throws IOException {
    Files.delete(target());
  }

  /**
   * Puts the module into the hot folder with that version, as the allocator {@code hierarchical}.
   */
  private void install(Path jar, String bundleVersion) throws IOException {
    Path temporary = folder.resolve("next.jar");
    try (JarFile in = new JarFile(jar.toFile())) {
      Manifest manifest = new Manifest(in.getManifest());
      manifest.getMainAttributes().put(new Attributes.Name("Bundle-Version"), bundleVersion);
      try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(temporary), manifest)) {
        for (JarEntry entry : in.stream().toList()) {
          if (entry.isDirectory() || entry.getName().equals(JarFile.MANIFEST_NAME)) {
            continue;
          }
          out.putNextEntry(new JarEntry(entry.getName()));
          byte[] content;
          try (InputStream stream = in.getInputStream(entry)) {
            content = stream.readAllBytes();
          }
          if (entry.getName().startsWith("OSGI-INF/") && entry.getName().endsWith(".xml")) {
            content =
                new String(content, StandardCharsets.UTF_8)
                    .replace("\"round-robin\"", "\"hierarchical\"")
                    .getBytes(StandardCharsets.UTF_8);
          }
          out.write(content);
        }
      }
    }
    Files.move(
        temporary, target(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * A framework that launches short tasks from every offer it gets, as many as fit, up to three.
   */
  private static final class Load implements AutoCloseable {
    private final TestFramework framework;
    private final Thread thread;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Set<String> launched = new HashSet<>();
    private final Set<String> finished = new HashSet<>();
    private volatile boolean stopping;
    private long lastOffers = System.nanoTime();
    volatile long longestGapMillis;
    final AtomicInteger offers = new AtomicInteger();

    Load(LocalCluster cluster) throws IOException {
      framework =
          TestFramework.subscribe(
              cluster.master(),
              """
              {"user":"%s","name":"load","roles":["load"],"failover_timeout":60.0,
               "capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}\
              """
                  .formatted(System.getProperty("user.name")));
      thread = new Thread(this::run, "load");
      thread.start();
    }

    private void run() {
      try {
        int seen = 0;
        while (!stopping || finished() < launched()) {
          List<JsonNode> events = framework.events();
          if (seen == events.size()) {
            assertThat(framework.ended()).as("the stream ended").isFalse();
            synchronized (framework) {
              framework.wait(10);
            }
            continue;
          }
          for (; seen < events.size(); seen++) {
            on(events.get(seen));
          }
        }
      } catch (Throwable t) {
        failure.compareAndSet(null, t);
      }
    }

    private void on(JsonNode event) throws IOException {
      switch (event.path("type").asText()) {
        case "OFFERS" -> {
          long now = System.nanoTime();
          longestGapMillis = Math.max(longestGapMillis, (now - lastOffers) / 1_000_000);
          lastOffers = now;
          for (JsonNode offer : event.at("/offers/offers")) {
            int number = offers.incrementAndGet();
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < Math.min(3, TestFramework.fit(offer)) && !stopping; i++) {
              ids.add("task-" + number + "-" + i);
            }
            synchronized (this) {
              launched.addAll(ids);
            }
            framework.launch(offer, ids, "true");
          }
        }
        case "UPDATE" -> {
          JsonNode status = event.at("/update/status");
          framework.acknowledge(status);
          String state = status.path("state").asText();
          if (state.equals("TASK_FINISHED")) {
            synchronized (this) {
              finished.add(status.at("/task_id/value").asText());
              notifyAll();
            }
          } else if (!state.equals("TASK_STARTING") && !state.equals("TASK_RUNNING")) {
            throw new AssertionError("unexpected " + status);
          }
        }
        case "RESCIND", "ERROR", "FAILURE" -> throw new AssertionError("unexpected " + event);
        default -> {}
      }
    }

    synchronized int launched() {
      return launched.size();
    }

    synchronized int finished() {
      return finished.size();
    }

    void awaitTasks(int more) {
      int goal = finished() + more;
      Await.until(
          more + " more tasks finished",
          Duration.ofSeconds(60),
          () -> failure.get() != null || finished() >= goal);
      check();
    }

    void stop() throws InterruptedException {
      stopping = true;
      thread.join(60_000);
      assertThat(thread.isAlive()).as("tasks that never finished: " + missing()).isFalse();
    }

    private synchronized Set<String> missing() {
      Set<String> missing = new HashSet<>(launched);
      missing.removeAll(finished);
      return missing;
    }

    void check() {
      if (failure.get() != null) {
        throw new AssertionError("The load saw a failure", failure.get());
      }
    }

    @Override
    public void close() throws IOException {
      stopping = true;
      framework.close();
    }
  }
}
