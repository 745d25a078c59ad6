package org.mezzo.itests.swap;

import static org.junit.Assert.assertEquals;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mezzo.deployment.Deployments;
import org.mezzo.itests.osgi.ClusterInside;
import org.mezzo.modules.Kind;
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
 * The proof of {@link SwapProofIT} can fail: without handover, or where swaps drop what waits in
 * mailboxes, it finds for each kind what a swap loses. The allocator is left out, as it is told
 * everything anew by each swap and loses nothing, and so are estimators and QoS controllers: nobody
 * waits for their answers, and a question that is lost is asked again. Where mailboxes are dropped
 * so are the fetcher, as fetches are bounded before they come to one, and the container logger,
 * which takes more calls at a time than there are.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class SkippedHandoverIT {
  private static final int SWAPS = 3;
  private static final int ROUNDS = 5;

  /** Kinds that are asked anew, or by nobody. */
  private static final Set<Kind<?>> UNHARMED =
      Set.of(
          Kinds.ALLOCATOR,
          Kinds.RESOURCE_ESTIMATOR,
          Kinds.QOS_CONTROLLER,
          Kinds.ANONYMOUS,
          Kinds.CHECKER,
          Kinds.MASTER_DETECTOR,
          Kinds.MASTER_CONTENDER);

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
  public void withoutHandoverTheProofFailsForEachKind() throws Exception {
    proofFails("skipHandover", Set.of());
  }

  @Test
  public void withoutMailboxesTheProofFailsForEachKindInWhichCallsWait() throws Exception {
    proofFails(
        "dropMailboxes",
        Set.of(
            Kinds.FETCHER, Kinds.CONTAINER_LOGGER, Kinds.SECRET_RESOLVER, Kinds.SECRET_GENERATOR));
  }

  private void proofFails(String without, Set<Kind<?>> but) throws Exception {
    Field table = leases.getClass().getDeclaredField("table");
    table.setAccessible(true);
    Object mechanism = table.get(leases);
    sabotage(mechanism, without, true);
    List<Kind<?>> kinds =
        Kinds.all().stream()
            .filter(kind -> !but.contains(kind) && !UNHARMED.contains(kind))
            .toList();
    try {
      // Whether a call waits at the instant of a swap is chance: those that had luck try again.
      for (int round = 1; round <= ROUNDS && !kinds.isEmpty(); round++) {
        kinds = thatLostNothing(kinds, without);
      }
    } finally {
      sabotage(mechanism, without, false);
    }
    assertEquals("kinds that lost nothing with " + without, List.of(), kinds);
  }

  private List<Kind<?>> thatLostNothing(List<Kind<?>> kinds, String without) throws Exception {
    Path jars = Path.of(context.getProperty(JARS));
    List<SwapProof.Row> rows;
    try (SwapProof proof =
        new SwapProof(
            jars,
            configurations,
            deployments,
            leases,
            SWAPS,
            Duration.ofMillis(500),
            new Leaks(context),
            false)) {
      rows = proof.rows(kinds);
    }
    System.out.println(
        "Swaps with " + without + ":\n\n" + SwapProof.table(rows) + SwapProof.failures(rows));
    Set<String> lost =
        rows.stream()
            .filter(row -> !row.failures().isEmpty())
            .map(SwapProof.Row::kind)
            .collect(Collectors.toSet());
    return kinds.stream().filter(kind -> !lost.contains(kind.name())).toList();
  }

  private static void sabotage(Object mechanism, String what, boolean on)
      throws ReflectiveOperationException {
    Method method = mechanism.getClass().getMethod(what, boolean.class);
    method.setAccessible(true);
    method.invoke(mechanism, on);
  }
}
