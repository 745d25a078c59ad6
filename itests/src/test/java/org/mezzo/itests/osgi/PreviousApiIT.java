package org.mezzo.itests.osgi;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployments;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.TaskInfo;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;

/** The promise to authors: what was built against the version before loads and works. */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class PreviousApiIT {
  private static final String JARS = "mezzo.test.jars";

  @Inject private ModuleLeases leases;
  @Inject private Deployments deployments;
  @Inject private BundleContext context;

  /** Runs outside of the framework. */
  @Configuration
  public Option[] configuration() throws Exception {
    return options(
        junitBundles(),
        ClusterInside.fixtures(),
        frameworkProperty(JARS).value(PreviousApiBundles.build().toString()));
  }

  private Action install(String jar) throws Exception {
    return deployments
        .install(Path.of(context.getProperty(JARS)).resolve(jar))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  @Test
  public void whatWasBuiltAgainstTheVersionBeforeWorksAndOneOfTheNextMajorIsRefused()
      throws Exception {
    Action installed = install("previous.jar");
    assertTrue(installed.outcome(), installed.succeeded());
    ExecutorService loop = Executors.newSingleThreadExecutor();
    try (ModuleLease<Hook> lease =
        leases.lease(
            LeaseRequest.of(
                Kinds.HOOK,
                "previous",
                LocalModules.daemon("itest", DaemonContext.Role.AGENT, Path.of("/nowhere")),
                loop))) {
      Await.until("it holds the lease", () -> lease.epoch() > 0);
      Map<String, String> variables =
          lease
              .ask(
                  "agentTaskEnvironment",
                  hook ->
                      hook.agentTaskEnvironment(TaskInfo.newBuilder().setName("a").buildPartial()))
              .toCompletableFuture()
              .get(60, TimeUnit.SECONDS);
      assertEquals(Map.of("OF", "itest a"), variables);
      // It knows nothing of health, and is taken for well.
      assertEquals(List.of(), leases.unhealthy());

      Action next = install("next.jar");
      assertFalse(next.succeeded());
      assertTrue(next.outcome(), next.outcome().contains("it needs the package org.mezzo.api in"));
      assertEquals("1.0.0", lease.holder().orElseThrow().bundleVersion());
    } finally {
      loop.shutdownNow();
      deployments
          .uninstall(PreviousApiBundles.NAME)
          .toCompletableFuture()
          .get(60, TimeUnit.SECONDS);
    }
  }
}
