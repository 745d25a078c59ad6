package org.mezzo.itests.osgi;

import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.mezzo.itests.osgi.AllocatorBundles.BAD;
import static org.mezzo.itests.osgi.AllocatorBundles.SHIPPED;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Hashtable;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployments;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.container.HostContainer;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLeases;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Allocators that throw, hang, refuse and lie are put under a live cluster: its clients never see
 * anything but a pause between offers, and an operator can read what is wrong.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class BadAllocatorIT {
  private static final String JARS = "mezzo.test.jars";
  private static final String QUARANTINES = "modules/allocator/hierarchical/quarantines";
  private static final String DROPPED = "allocator/mezzo/proposals_dropped";
  private static final String FAILED = "allocator/mezzo/calls_failed";
  private static final String PRESENT = "allocator/mezzo/present";

  @Inject private ModuleLeases leases;
  @Inject private Deployments deployments;
  @Inject private ConfigurationAdmin configurations;
  @Inject private BundleContext context;

  private Path jars;
  private String shipped;
  private ClusterInside cluster;
  private Load load;

  /** Runs outside of the framework. */
  @Configuration
  public Option[] configuration() throws Exception {
    return options(
        junitBundles(),
        ClusterInside.json(),
        frameworkProperty(JARS).value(AllocatorBundles.bad().toString()),
        frameworkProperty(HostContainer.MODULES).value(ShippedModules.copy().toString()));
  }

  @Before
  public void begin() throws Exception {
    jars = Path.of(context.getProperty(JARS));
    configurations
        .getConfiguration("org.mezzo.deployment", "?")
        .update(new Hashtable<>(Map.of("startTimeoutMillis", 15_000L, "drainTimeoutMillis", 500L)));
    cluster = ClusterInside.start(configurations, leases);
    load = new Load(cluster);
    load.awaitTasks(5);
    shipped = cluster.allocator();
    assertTrue(shipped, shipped.startsWith(SHIPPED + " "));
  }

  /** Whatever happened: nobody saw it, the ledger is right, every task ended as it should. */
  @After
  public void end() throws Exception {
    try {
      if (leases.modules().stream().anyMatch(module -> module.bundleName().equals(BAD))) {
        done(deployments.uninstall(BAD));
      }
      if (load != null) {
        load.awaitTasks(5);
        load.finish();
        cluster.checkLedger();
        load.check();
      }
    } finally {
      if (load != null) {
        load.close();
      }
      if (cluster != null) {
        cluster.close();
      }
    }
  }

  private Path jar(String bundle, String what) {
    return jars.resolve(bundle + "-" + what + ".jar");
  }

  private static Action done(CompletionStage<Action> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** Swaps the shipped allocator for a bad version of it, which must be taken back. */
  private String spoil(String what) throws Exception {
    Action action = done(deployments.swap(jar(SHIPPED, what)));
    assertFalse(action.outcome(), action.succeeded());
    assertTrue(action.outcome(), action.outcome().endsWith("stays"));
    cluster.awaitAllocator(shipped);
    load.awaitReads(10);
    load.awaitTasks(5);
    System.out.printf(
        "BadAllocatorIT: %s as a new version: longest gap between offers %d ms%n",
        what, load.longestGapMillis());
    return action.outcome();
  }

  /** What is known of the allocator in the bundle of its own. */
  private ModuleDescription bad() {
    return leases.modules().stream()
        .filter(module -> module.bundleName().equals(BAD))
        .findFirst()
        .orElseThrow();
  }

  /**
   * Puts a bad one into the folder beside the shipped one; it is the newest and therefore taken
   * first. By request it would not stay when it fails.
   */
  private String intrude(String what) throws Exception {
    Path folder = deployments.folder().orElseThrow();
    Path hidden = Files.copy(jar(BAD, what), folder.resolve(".intruder"));
    Files.move(hidden, folder.resolve("intruder.jar"), StandardCopyOption.ATOMIC_MOVE);
    Await.until(
        "it is told what became of it",
        ClusterInside.PATIENCE,
        () -> {
          Action last = deployments.history().get(0);
          return last.symbolicName().equals(BAD) && last.kind() == Action.Kind.INSTALL;
        });
    Action action = deployments.history().get(0);
    assertFalse(action.outcome(), action.succeeded());
    cluster.awaitAllocator(shipped);
    load.awaitReads(10);
    load.awaitTasks(5);
    // Now and then it is tried again.
    AtomicReference<String> problem = new AtomicReference<>();
    Await.until(
        "it is in quarantine",
        ClusterInside.PATIENCE,
        () -> {
          ModuleDescription now = bad();
          problem.set(now.problem());
          return now.state().equals("quarantined");
        });
    assertTrue(cluster.metric(QUARANTINES) >= 1);
    Await.until(
        "the master shows it",
        ClusterInside.PATIENCE,
        () -> cluster.get("/mezzo/modules").toString().contains("quarantined"));
    done(deployments.uninstall(BAD));
    return problem.get();
  }

  @Test
  public void aVersionThatThrowsInEveryCallIsTakenBack() throws Exception {
    String outcome = spoil("throwing");
    assertTrue(outcome, outcome.contains("no allocation today"));
    assertTrue(cluster.metric(QUARANTINES) >= 1);
    assertTrue(cluster.metric(FAILED) >= 1);
  }

  @Test
  public void aVersionThatNeverReturnsFromACycleIsTakenBack() throws Exception {
    String outcome = spoil("hanging");
    assertTrue(outcome, outcome.contains("allocate did not return within 10 s"));
  }

  @Test
  public void aVersionThatNeverReturnsFromItsFirstCallIsTakenBack() throws Exception {
    String outcome = spoil("hanging-start");
    assertTrue(outcome, outcome.contains("has not returned from a call"));
  }

  @Test
  public void aVersionThatCannotBeOpenedNeverServes() throws Exception {
    String outcome = spoil("refusing");
    assertTrue(outcome, outcome.contains("no lease wanted"));
  }

  @Test
  public void aVersionThatCannotBeActivatedNeverServes() throws Exception {
    String outcome = spoil("activator");
    assertTrue(outcome, outcome.contains("org.nowhere.Activator"));
  }

  @Test
  public void anotherBundleThatThrowsIsQuarantinedAndTheShippedOneServes() throws Exception {
    String problem = intrude("throwing");
    assertTrue(problem, problem.contains("start threw"));
    assertTrue(problem, problem.contains("no allocation today"));
  }

  @Test
  public void anotherBundleThatCannotBeOpenedIsRefusedAndTheShippedOneServes() throws Exception {
    Action action = done(deployments.install(jar(BAD, "refusing")));
    assertFalse(action.outcome(), action.succeeded());
    assertTrue(action.outcome(), action.outcome().contains("no lease wanted"));
    assertTrue(leases.modules().stream().noneMatch(module -> module.bundleName().equals(BAD)));
    cluster.awaitAllocator(shipped);
    load.awaitReads(10);
    load.awaitTasks(5);
  }

  @Test
  public void anotherBundleThatHangsIsQuarantinedWithItsStackAndTheShippedOneServes()
      throws Exception {
    String problem = intrude("hanging");
    assertTrue(problem, problem.contains("allocate did not return within 10 s"));
    assertTrue(problem, problem.contains("HangingAllocator.allocate"));
  }

  @Test
  public void withABadOneAloneEverythingButOffersWorks() throws Exception {
    assertTrue(done(deployments.uninstall(SHIPPED)).succeeded());
    Action action = done(deployments.install(jar(BAD, "refusing")));
    assertFalse(action.outcome(), action.succeeded());
    assertTrue(action.outcome(), action.outcome().contains("no lease wanted"));
    Await.until(
        "the master says that it has no allocator",
        ClusterInside.PATIENCE,
        () -> cluster.metric(PRESENT) == 0 && cluster.allocator().isEmpty());
    load.awaitReads(20);
    load.check();
    assertTrue(done(deployments.install(jars.resolve(restored()))).succeeded());
    cluster.awaitAllocator(SHIPPED + " " + AllocatorBundles.version(99));
    load.awaitTasks(5);
    assertTrue(cluster.metric(PRESENT) == 1);
  }

  private static String restored() {
    return AllocatorBundles.jar(Path.of(""), SHIPPED, 99, "a").toString();
  }

  @Test
  public void liesAreDroppedAndCounted() throws Exception {
    double before = cluster.metric(DROPPED);
    Action action = done(deployments.install(jar(BAD, "lying")));
    assertTrue(action.outcome(), action.succeeded());
    cluster.awaitAllocator(BAD + " " + bad().bundleVersion());
    Await.until(
        "lies are counted", ClusterInside.PATIENCE, () -> cluster.metric(DROPPED) > before + 100);
    for (int i = 0; i < 10; i++) {
      cluster.checkLedger();
      load.awaitReads(5);
    }
    assertTrue(done(deployments.uninstall(BAD)).succeeded());
    cluster.awaitAllocator(shipped);
  }

  @Test
  public void anotherBundleThatAnswersNothingIsQuarantinedAndTheShippedOneServes()
      throws Exception {
    String problem = intrude("null");
    assertTrue(problem, problem.contains("5 calls in a row threw"));
    assertTrue(problem, problem.contains("allocate returned null"));
    assertTrue(cluster.metric(FAILED) >= 5);
  }
}
