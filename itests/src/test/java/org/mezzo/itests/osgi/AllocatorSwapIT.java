package org.mezzo.itests.osgi;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.mezzo.itests.osgi.AllocatorBundles.OTHER;
import static org.mezzo.itests.osgi.AllocatorBundles.PLAIN;
import static org.mezzo.itests.osgi.AllocatorBundles.ROUND_ROBIN;
import static org.mezzo.itests.osgi.AllocatorBundles.SHIPPED;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.container.HostContainer;
import org.mezzo.modules.ModuleLeases;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * The allocator of a live cluster under load is updated, uninstalled, reinstalled and replaced 50
 * times in every way there is, and no client notices more than a pause between offers. Seeded: run
 * with {@code -Dmezzo.swap.seed=N} to replay.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class AllocatorSwapIT {
  private static final int SWAPS = Integer.getInteger("mezzo.swap.count", 50);
  private static final String JARS = "mezzo.test.jars";

  /** What is done to the allocator. */
  private enum Operation {
    /** Deployment installs another version beside the old one. */
    ROLLING,
    /** Deployment installs the same version with other content. */
    UPDATE_IN_PLACE,
    /** Deployment uninstalls and then installs. */
    REINSTALL,
    /** Deployment installs another implementation of the same name, and uninstalls the former. */
    REPLACE,
    /** The master's configuration selects another implementation, and then the former again. */
    SELECT,
    /** Somebody updates the bundle through its own interface. */
    BUNDLE_UPDATE,
    /** Somebody installs a bundle behind deployment's back, restarts and uninstalls it. */
    BUNDLE_INSTALL,
    /** Somebody uninstalls deployment's bundle; what the hot folder holds comes back. */
    BUNDLE_UNINSTALL
  }

  @Inject private ModuleLeases leases;
  @Inject private Deployments deployments;
  @Inject private ConfigurationAdmin configurations;
  @Inject private BundleContext context;

  private Path jars;
  private int version;
  private ClusterInside cluster;
  private Load load;

  /** Runs outside of the framework. */
  @Configuration
  public Option[] configuration() throws Exception {
    return options(
        junitBundles(),
        ClusterInside.json(),
        frameworkProperty(JARS).value(AllocatorBundles.good(SWAPS + 1).toString()),
        frameworkProperty(HostContainer.MODULES).value(ShippedModules.copy().toString()));
  }

  @Test
  public void fiftySwapsCostNothingButAPauseBetweenOffers() throws Exception {
    long seed = Long.getLong("mezzo.swap.seed", System.nanoTime());
    System.out.println("AllocatorSwapIT: -Dmezzo.swap.seed=" + seed);
    Random random = new Random(seed);
    jars = Path.of(context.getProperty(JARS));
    done(deployments.install(jar(ROUND_ROBIN, 0, "a")));
    done(deployments.swap(jar(SHIPPED, version, "a")));
    Map<Operation, Integer> times = new EnumMap<>(Operation.class);
    Map<Operation, Long> gaps = new EnumMap<>(Operation.class);
    try (ClusterInside running = ClusterInside.start(configurations, leases);
        Load clients = new Load(running)) {
      cluster = running;
      load = clients;
      load.awaitTasks(10);
      for (int i = 0; i < SWAPS; i++) {
        Operation operation = Operation.values()[random.nextInt(Operation.values().length)];
        boolean hold = random.nextBoolean();
        try {
          if (hold) {
            load.hold();
          }
          load.mark();
          perform(operation);
          load.awaitTasks(2);
          if (hold) {
            load.useHeld();
          }
        } catch (AssertionError | Exception e) {
          throw new AssertionError(
              "Swap " + i + ", " + operation + " to " + version + ": " + e.getMessage(), e);
        }
        times.merge(operation, 1, Integer::sum);
        gaps.merge(operation, load.gapSinceMarkMillis(), Math::max);
      }
      load.finish();
      cluster.checkLedger();
      load.check();
      System.out.printf(
          "AllocatorSwapIT: %d swaps %s, %d tasks finished, %d offers, %d reads; longest gap"
              + " between offers %d ms, by operation %s%n",
          SWAPS,
          times,
          load.finished(),
          load.offers(),
          load.reads(),
          load.longestGapMillis(),
          gaps);
      assertEquals(0, load.unfinished());
    }
  }

  private Path jar(String bundle, int n, String content) {
    return AllocatorBundles.jar(jars, bundle, n, content);
  }

  private static Action done(CompletionStage<Action> stage) throws Exception {
    Action action = stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
    assertTrue(action.outcome(), action.succeeded());
    return action;
  }

  private void perform(Operation operation) throws Exception {
    int before = version++;
    switch (operation) {
      case ROLLING ->
          assertEquals(Duration.ZERO, done(deployments.swap(jar(SHIPPED, version, "a"))).gap());
      case UPDATE_IN_PLACE -> {
        done(deployments.swap(jar(SHIPPED, version, "a")));
        assertEquals(
            Action.Kind.UPDATE, done(deployments.install(jar(SHIPPED, version, "b"))).kind());
      }
      case REINSTALL -> {
        done(deployments.uninstall(SHIPPED));
        cluster.awaitAllocator("");
        done(deployments.install(jar(SHIPPED, version, "a")));
      }
      case REPLACE -> {
        done(deployments.install(jar(OTHER, version, "a")));
        done(deployments.uninstall(SHIPPED));
        expect(OTHER);
        load.awaitTasks(2);
        done(deployments.install(jar(SHIPPED, version, "a")));
        done(deployments.uninstall(OTHER));
      }
      case SELECT -> {
        cluster.selectAllocator("round-robin");
        cluster.awaitAllocator(ROUND_ROBIN + " " + AllocatorBundles.version(0));
        load.awaitTasks(2);
        cluster.selectAllocator("hierarchical");
        version = before;
      }
      case BUNDLE_UPDATE -> {
        try (InputStream content = Files.newInputStream(jar(SHIPPED, version, "b"))) {
          deployed().update(content);
        }
      }
      case BUNDLE_INSTALL -> {
        Bundle plain;
        try (InputStream content = Files.newInputStream(jar(PLAIN, version, "a"))) {
          plain = context.installBundle("plain:" + version, content);
        }
        plain.start();
        expect(PLAIN);
        load.awaitTasks(2);
        plain.stop();
        plain.start();
        expect(PLAIN);
        plain.uninstall();
        version = before;
      }
      case BUNDLE_UNINSTALL -> {
        // In the folder is this version, whatever was done to the bundle.
        done(deployments.swap(jar(SHIPPED, version, "a")));
        long id = deployed().getBundleId();
        deployed().uninstall();
        Await.until(
            "the bundle of the folder is back",
            ClusterInside.PATIENCE,
            () ->
                deployments.list().stream()
                    .anyMatch(
                        deployment ->
                            deployment.symbolicName().equals(SHIPPED)
                                && deployment.bundleId() > id));
      }
    }
    expect(SHIPPED);
  }

  private void expect(String bundle) {
    cluster.awaitAllocator(bundle + " " + AllocatorBundles.version(version));
  }

  private Bundle deployed() {
    return context.getBundle(
        deployments.list().stream()
            .filter(deployment -> deployment.symbolicName().equals(SHIPPED))
            .mapToLong(Deployment::bundleId)
            .max()
            .orElseThrow());
  }
}
