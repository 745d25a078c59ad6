package org.mezzo.itests.osgi;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.inject.Inject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployments;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLease.Terms;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Label;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;

/**
 * A module bundle is swapped, spoilt and removed while its module is called without pause: no call
 * ever finds nobody, as long as there is a good version.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class ModuleSwapIT {
  private static final String NAME = HookBundles.NAME;
  private static final String JARS = "mezzo.test.jars";
  private static final Labels LABELS =
      Labels.newBuilder().addLabels(Label.newBuilder().setKey("k").setValue("v")).build();
  private static final TaskInfo TASK = TaskInfo.newBuilder().setLabels(LABELS).buildPartial();

  @Inject private ModuleLeases leases;
  @Inject private Deployments deployments;
  @Inject private org.osgi.framework.BundleContext context;

  private final ExecutorService loop = Executors.newSingleThreadExecutor();
  private final AtomicInteger answered = new AtomicInteger();
  private final AtomicInteger absent = new AtomicInteger();
  private final AtomicReference<String> wrong = new AtomicReference<>();
  private volatile boolean stop;
  private Thread caller;
  private Path jars;
  private Path modules;
  private ModuleLease<Hook> lease;

  /** Runs outside of the framework. */
  @Configuration
  public Option[] configuration() throws Exception {
    Path folder = HookBundles.build();
    return options(
        junitBundles(), ClusterInside.fixtures(), frameworkProperty(JARS).value(folder.toString()));
  }

  @Before
  public void begin() throws Exception {
    jars = Path.of(context.getProperty(JARS));
    modules = deployments.folder().orElseThrow();
    lease =
        leases.lease(
            LeaseRequest.of(
                Kinds.HOOK,
                "itest",
                LocalModules.daemon("itest", DaemonContext.Role.MASTER, modules),
                loop));
    assertEquals(0, lease.epoch());
  }

  @After
  public void end() throws Exception {
    stop = true;
    if (caller != null) {
      caller.join();
    }
    lease.close();
    loop.shutdownNow();
    deployments.uninstall(NAME).toCompletableFuture().get(60, TimeUnit.SECONDS);
    Await.until(() -> leases.modules().stream().noneMatch(module -> module.name().equals("itest")));
  }

  private void callWithoutPause() {
    caller =
        new Thread(
            () -> {
              while (!stop) {
                if (lease.epoch() == 0) {
                  absent.incrementAndGet();
                  continue;
                }
                try {
                  call();
                } catch (AssertionError e) {
                  wrong.set(e.getMessage());
                }
              }
            },
            "caller");
    caller.start();
  }

  private void call() {
    try {
      Labels labels =
          lease
              .ask(
                  Terms.of("masterLaunchTaskLabels").within(Duration.ofSeconds(2)),
                  hook ->
                      hook.masterLaunchTaskLabels(
                          TASK, FrameworkInfo.getDefaultInstance(), AgentInfo.getDefaultInstance()))
              .toCompletableFuture()
              .get();
      assertEquals(LABELS, labels);
      answered.incrementAndGet();
    } catch (ExecutionException e) {
      ModuleException.Kind kind = ((ModuleException) e.getCause()).kind();
      if (kind == ModuleException.Kind.ABSENT && lease.epoch() == 0) {
        absent.incrementAndGet();
      } else if (kind == ModuleException.Kind.STALE) {
        wrong.set("a swap was noticed: " + e.getMessage());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void drop(String jar) throws Exception {
    Path partial = modules.resolve(".dropped");
    Files.copy(jars.resolve(jar), partial, StandardCopyOption.REPLACE_EXISTING);
    Files.move(partial, modules.resolve("hook.jar"), StandardCopyOption.REPLACE_EXISTING);
  }

  private String version() {
    return lease.holder().map(ModuleDescription::bundleVersion).orElse("");
  }

  private Action lastAction(int after) throws Exception {
    Await.until(() -> deployments.history().size() > after);
    return deployments.history().get(0);
  }

  @Test
  public void aLeaseFollowsItsModuleAsJarsComeAndGo() throws Exception {
    drop("good-0.jar");
    Await.until(() -> version().equals("1.0.0"));
    call();
    assertEquals(1, answered.get());
    Files.delete(modules.resolve("hook.jar"));
    Await.until(() -> version().isEmpty());
    drop("good-1.jar");
    Await.until(() -> version().equals("1.1.0"));
  }

  @Test
  public void twentyRollingSwapsUnderCallsNeverLeaveACallWithoutAModule() throws Exception {
    drop("good-0.jar");
    Await.until(() -> version().equals("1.0.0"));
    callWithoutPause();
    long begin = System.nanoTime();
    for (int i = 1; i < 20; i++) {
      int actions = deployments.history().size();
      Action action =
          deployments.swap(jars.resolve("good-" + i + ".jar")).toCompletableFuture().get();
      assertTrue(action.outcome(), action.succeeded());
      assertEquals(Duration.ZERO, action.gap());
      assertTrue(deployments.history().size() > actions || actions == 100);
    }
    int calls = answered.get();
    stop = true;
    caller.join();
    System.out.printf(
        "ModuleSwapIT: 19 swaps in %d ms, %d calls answered, %d found nobody%n",
        (System.nanoTime() - begin) / 1_000_000, calls, absent.get());
    assertEquals(0, absent.get());
    assertTrue(calls > 0);
    assertEquals(null, wrong.get());
  }

  private Action spoil(String jar) throws Exception {
    drop("good-0.jar");
    Await.until(() -> version().equals("1.0.0"));
    Await.until(() -> deployments.list().stream().anyMatch(d -> d.symbolicName().equals(NAME)));
    callWithoutPause();
    Await.until(() -> answered.get() > 10);
    Action action = deployments.swap(jars.resolve(jar)).toCompletableFuture().get();
    assertFalse(action.outcome(), action.succeeded());
    Await.until(() -> version().equals("1.0.0"));
    int before = answered.get();
    Await.until(() -> answered.get() > before + 10);
    assertEquals(
        1, leases.modules().stream().filter(module -> module.name().equals("itest")).count());
    return action;
  }

  @Test
  public void aVersionThatThrowsInEveryCallIsTakenBack() throws Exception {
    assertTrue(spoil("throwing.jar").outcome().contains("no labels today"));
  }

  @Test
  public void aVersionThatNeverReturnsIsTakenBackAndReportedWithItsStack() throws Exception {
    String outcome = spoil("hanging.jar").outcome();
    assertTrue(outcome, outcome.contains("did not return within 2000 ms"));
    assertTrue(outcome, outcome.contains("HangingHook.masterLaunchTaskLabels"));
  }

  @Test
  public void aVersionThatCannotOpenNeverServes() throws Exception {
    assertTrue(spoil("refusing.jar").outcome().contains("not in the mood"));
    assertEquals(0, absent.get());
  }

  @Test
  public void aVersionThatCannotResolveNeverServes() throws Exception {
    String outcome = spoil("unresolvable.jar").outcome();
    assertTrue(outcome, outcome.contains("it needs the package org.nowhere"));
    assertEquals(0, absent.get());
  }

  @Test
  public void aVersionWhoseComponentWaitsForeverNeverServes() throws Exception {
    String outcome = spoil("unsatisfied.jar").outcome();
    assertTrue(outcome, outcome.contains("missing"));
    assertEquals(0, absent.get());
  }

  @Test
  public void aVersionWhoseActivatorFailsNeverServes() throws Exception {
    String outcome = spoil("activator.jar").outcome();
    assertTrue(outcome, outcome.contains("org.nowhere.Activator"));
    assertEquals(0, absent.get());
  }
}
