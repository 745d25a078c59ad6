package org.mezzo.deployment.bundles;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.lang.annotation.Annotation;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.greeting.Greeter;
import org.mezzo.deployment.modules.GoodGreeter;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseListener;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.leases.ServiceLeases;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.testing.bundles.ModuleBundle;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/**
 * Deployment in a real framework with a real component runtime; the core's classes come from the
 * class path.
 */
abstract class DeploymentsInFramework {
  static final Map<String, String> KINDS = Map.of("greeter", Greeter.class.getName());

  Map<String, String> kinds = KINDS;
  @TempDir Path dir;
  Path modules;
  Path state;

  /** What the framework is told besides, from the next boot on. */
  final Map<String, String> properties = new HashMap<>();

  volatile long trialMillis = 60_000;

  /** Long enough for a good one on any machine; short where one that hangs is waited for. */
  volatile long startMillis = 20_000;

  /** Long where it is to end by what is called meanwhile. */
  volatile long probationMillis = 100;

  private Framework framework;
  BundleContext context;
  ServiceLeases leases;
  BundleDeployments deployments;
  ModuleLease<Greeter> lease;
  private final ExecutorService loop = Executors.newSingleThreadExecutor();

  /** What reading the settings throws; null when nothing. */
  volatile Supplier<Error> failure;

  final AtomicInteger patienceAsked = new AtomicInteger();
  final AtomicInteger lost = new AtomicInteger();

  @BeforeEach
  void boot() throws Exception {
    modules = Files.createDirectories(dir.resolve("modules"));
    state = state == null ? dir.resolve("state") : state;
    Map<String, String> configuration = new HashMap<>();
    configuration.put(Constants.FRAMEWORK_STORAGE, dir.resolve("cache").toString());
    configuration.put("mezzo.modules.dir", modules.toString());
    configuration.put("mezzo.deployment.dir", state.toString());
    configuration.putAll(properties);
    configuration.put(
        Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
        "org.mezzo.api,org.mezzo.deployment.greeting,org.slf4j;version=2.0.0,"
            + "org.osgi.util.promise;version=1.3.0,org.osgi.util.function;version=1.2.0,"
            + Stream.of("", ".annotations", ".propertytypes", ".runtime", ".runtime.dto")
                .map(suffix -> "org.osgi.service.component" + suffix + ";version=1.5.1")
                .collect(Collectors.joining(",")));
    framework =
        java.util.ServiceLoader.load(FrameworkFactory.class)
            .findFirst()
            .orElseThrow()
            .newFramework(configuration);
    framework.init();
    install(Path.of(location("org.apache.felix.scr.impl.Activator")));
    Bundle self = install(ModuleBundle.of("tester", "1.0.0").build(dir.resolve("tester.jar")));
    framework.start();
    for (Bundle bundle : framework.getBundleContext().getBundles()) {
      bundle.start();
    }
    context = self.getBundleContext();
  }

  private static URI location(String type) throws Exception {
    return Class.forName(type, false, BundleDeploymentsTest.class.getClassLoader())
        .getProtectionDomain()
        .getCodeSource()
        .getLocation()
        .toURI();
  }

  private Bundle install(Path jar) throws Exception {
    try (var in = Files.newInputStream(jar)) {
      return framework.getBundleContext().installBundle(jar.toString(), in);
    }
  }

  void deploy() throws Exception {
    leases = new ServiceLeases(context);
    lease =
        leases.lease(
            LeaseRequest.of(
                    Kind.serial(Greeter.class, "greeter"),
                    "polite",
                    LocalModules.daemon("master", DaemonContext.Role.MASTER, dir),
                    loop)
                .heardBy(
                    new LeaseListener() {
                      @Override
                      public void acquired(long epoch, ModuleDescription module) {}

                      @Override
                      public void lost(long epoch, ModuleDescription module, String reason) {
                        lost.incrementAndGet();
                      }
                    }));
    ServiceComponentRuntime runtime =
        context.getService(context.getServiceReference(ServiceComponentRuntime.class));
    deployments = new BundleDeployments(context, leases, runtime, settings(), kinds);
  }

  Settings settings() {
    return new Settings() {
      @Override
      public long pollMillis() {
        patienceAsked.incrementAndGet();
        Supplier<Error> thrown = failure;
        if (thrown != null) {
          throw thrown.get();
        }
        return 40;
      }

      @Override
      public long settleMillis() {
        return 40;
      }

      @Override
      public long startTimeoutMillis() {
        return startMillis;
      }

      @Override
      public long probationMillis() {
        return probationMillis;
      }

      @Override
      public long trialMillis() {
        return trialMillis;
      }

      @Override
      public long drainTimeoutMillis() {
        return 5000;
      }

      @Override
      public Class<? extends Annotation> annotationType() {
        return Settings.class;
      }
    };
  }

  @AfterEach
  void stop() throws Exception {
    halt();
    loop.shutdownNow();
  }

  void halt() throws Exception {
    if (deployments != null) {
      deployments.deactivate();
      deployments = null;
    }
    boolean stuck =
        Arrays.stream(context.getBundles())
            .anyMatch(
                bundle ->
                    bundle.getState() == Bundle.STARTING || bundle.getState() == Bundle.STOPPING);
    framework.stop();
    // A framework with a bundle that hangs does not stop; its process halts instead.
    framework.waitForStop(stuck ? 100 : 10_000);
  }

  /** What a process that were killed now would leave behind. */
  Path leftNow() throws Exception {
    Path left = Files.createDirectories(dir.resolve("left-" + System.nanoTime()));
    Files.copy(state.resolve("journal"), left.resolve("journal"));
    Path bundles = Files.createDirectory(left.resolve("bundles"));
    try (Stream<Path> jars = Files.list(state.resolve("bundles"))) {
      for (Path jar : jars.toList()) {
        Files.copy(jar, bundles.resolve(jar.getFileName()));
      }
    }
    return left;
  }

  /**
   * What a process had left if it had been killed after the last line of its journal with a text.
   */
  static Path cutAfter(Path left, String text) throws Exception {
    List<String> lines = Files.readAllLines(left.resolve("journal"));
    int last = lines.size() - 1;
    while (!lines.get(last).contains(text)) {
      last--;
    }
    Files.write(left.resolve("journal"), new ArrayList<>(lines.subList(0, last + 1)));
    return left;
  }

  String journal() throws Exception {
    return Files.readString(state.resolve("journal"));
  }

  /** Another process after one that was killed. */
  void restartAfterKill(Path left) throws Exception {
    halt();
    state = left;
    reboot();
  }

  /** Another process over the same folder and the same state. */
  void restart() throws Exception {
    halt();
    reboot();
  }

  void reboot() throws Exception {
    Path cache = dir.resolve("cache");
    Files.move(cache, dir.resolve("cache-" + System.nanoTime()));
    boot();
    deploy();
  }

  static ModuleBundle greeter(String version, Class<? extends Module> type) throws Exception {
    return ModuleBundle.of("greeter", version)
        .header("Import-Package", "org.mezzo.api,org.mezzo.deployment.greeting")
        .module(type, Greeter.class, "greeter", "polite");
  }

  Path good(String version, String file) throws Exception {
    return greeter(version, GoodGreeter.class).with("v", version).build(modules.resolve(file));
  }

  /** The same version with other content. */
  Path other(String version, String content, Path jar) throws Exception {
    return greeter(version, GoodGreeter.class).with("v", content).build(jar);
  }

  /** What the bundle that serves holds. */
  String content() throws Exception {
    long id = lease.holder().orElseThrow().bundleId();
    try (var in = context.getBundle(id).getEntry("v").openStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  static void await(Callable<Boolean> condition) {
    Await.until(condition);
  }

  String holder() {
    return lease.holder().map(ModuleDescription::bundleVersion).orElse("");
  }

  List<String> installed() {
    return Arrays.stream(context.getBundles())
        .filter(bundle -> bundle.getLocation().startsWith("mezzo-module:"))
        .map(bundle -> bundle.getSymbolicName() + " " + bundle.getVersion())
        .sorted()
        .toList();
  }

  /** What is there to serve, without what is kept to go back to. */
  List<String> running() {
    return deployments.list().stream()
        .filter(deployment -> deployment.state().equals("active"))
        .map(deployment -> deployment.symbolicName() + " " + deployment.version())
        .toList();
  }

  Action last(int actions) throws Exception {
    await(() -> deployments.history().size() >= actions);
    return deployments.history().get(0);
  }

  Action ask(Path jar) throws Exception {
    return deployments.install(jar, "Ada").toCompletableFuture().get();
  }

  Deployment only() {
    List<Deployment> wanted = deployments.list();
    if (wanted.size() != 1) {
      throw new IllegalStateException("Not one: " + wanted);
    }
    return wanted.get(0);
  }

  static List<String> lines(ListAppender<ILoggingEvent> log) {
    return List.copyOf(log.list).stream().map(ILoggingEvent::getFormattedMessage).toList();
  }

  static void awaitLine(ListAppender<ILoggingEvent> log, String part) throws Exception {
    await(() -> lines(log).stream().anyMatch(line -> line.contains(part)));
  }
}
