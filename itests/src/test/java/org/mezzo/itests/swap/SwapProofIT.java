package org.mezzo.itests.swap;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mezzo.deployment.Deployments;
import org.mezzo.itests.osgi.ClusterInside;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleLeases;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Modules of every kind are swapped under load at the places where daemons call them, and nobody
 * sees more of it than a pause. Prints the tables of docs/benchmarks.md.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class SwapProofIT {
  private static final int SWAPS = Integer.getInteger("mezzo.swap.proofs", 10);
  private static final Duration FETCH =
      Duration.ofMillis(Integer.getInteger("mezzo.swap.fetch.millis", 500));

  /** What a client may notice on the slowest of machines; what is aimed at is in the docs. */
  private static final int LONGEST_MILLIS = 10_000;

  private static final String JARS = "mezzo.test.jars";

  @Inject private ModuleLeases leases;
  @Inject private Deployments deployments;
  @Inject private ConfigurationAdmin configurations;
  @Inject private BundleContext context;

  /** Runs outside of the framework. */
  @Configuration
  public Option[] configuration() throws Exception {
    return options(
        junitBundles(),
        ClusterInside.json(),
        frameworkProperty(JARS).value(SwapBundles.build(SWAPS + 1).toString()));
  }

  @Test
  public void aSwapOfAnyKindLosesNoCall() throws Exception {
    prove("Swaps under load, each meeting a call that has begun:", false, "swaps.md");
  }

  /** What one client sees that asks for one thing at a time. */
  @Test
  public void norOnAnIdleCluster() throws Exception {
    assumeTrue("only with -Pswaps", Boolean.getBoolean("mezzo.swap.idle"));
    prove("Swaps on an idle cluster:", true, "swaps-idle.md");
  }

  private void prove(String title, boolean idle, String table) throws Exception {
    Path jars = Path.of(context.getProperty(JARS));
    Leaks leaks = new Leaks(context);
    Map<String, Integer> threads = Leaks.threads();
    List<String> services = leaks.services();
    List<String> bundles = leaks.bundles();
    List<SwapProof.Row> rows;
    List<String> loaders;
    try (SwapProof proof =
        new SwapProof(jars, configurations, deployments, leases, SWAPS, FETCH, leaks, idle)) {
      Set<String> metrics = proof.metrics();
      rows = proof.rows(Kinds.all());
      // Daemons and leases are still there, of which any might hold on to what it had before.
      loaders = leaks.awaitNone();
      assertEquals(metrics, proof.metrics());
    }
    SwapProof.print(title, rows, table);
    for (SwapProof.Row row : rows) {
      assertEquals(row.kind(), List.of(), row.failures());
      assertEquals("swaps of " + row.kind() + " that met no call", 0, row.unmet());
      assertTrue(row.toString(), row.longest() < LONGEST_MILLIS);
    }
    assertTrue(leaks.count() >= SWAPS * Kinds.all().size());
    assertEquals("versions that something still refers to", List.of(), loaders);
    // Of records Java 17 keeps the last version until there is another: a method handle remembers
    // to which type it was adapted last (MethodHandle.asTypeCache).
    leaks.forget("1.0." + SWAPS);
    assertEquals("once the cluster is gone", List.of(), leaks.awaitNone());
    assertEquals("threads too many", Map.of(), Leaks.awaitThreads(threads));
    assertEquals(services, leaks.services());
    assertEquals(bundles, leaks.bundles());
  }
}
