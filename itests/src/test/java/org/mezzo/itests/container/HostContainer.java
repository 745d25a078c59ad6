package org.mezzo.itests.container;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.mezzo.host.Host;
import org.mezzo.host.HostException;
import org.mezzo.host.HostOptions;
import org.ops4j.pax.exam.ExamSystem;
import org.ops4j.pax.exam.ProbeInvoker;
import org.ops4j.pax.exam.TestAddress;
import org.ops4j.pax.exam.TestContainer;
import org.ops4j.pax.exam.TestContainerException;
import org.ops4j.pax.exam.options.FrameworkPropertyOption;
import org.ops4j.pax.exam.options.ProvisionOption;
import org.ops4j.pax.exam.options.SystemPropertyOption;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.util.tracker.ServiceTracker;

/**
 * The host, booted from the built distribution (system property {@code mezzo.distribution}) with
 * Pax Exam's bundles on top. Framework properties of the test's configuration reach it; {@link
 * #LEVEL} and {@link #MODULES} are for the container itself.
 */
public final class HostContainer implements TestContainer {
  /** The highest start level; 20, which leaves out the shell, by default. */
  public static final String LEVEL = "mezzo.test.level";

  /** A folder to use as hot folder; an empty one by default. */
  public static final String MODULES = "mezzo.test.modules";

  /** System property: how many seconds one test may take. */
  private static final String LIMIT_SECONDS = "mezzo.test.limit.seconds";

  private static final String EXAM_VERSION = "4.14.0";
  private static final String PROBE_SIGNATURE = "Probe-Signature";
  private static final long PATIENCE_MILLIS = 60_000;

  private final ExamSystem system;
  private final Deque<Bundle> probes = new ArrayDeque<>();
  private Path run;
  private Host host;

  HostContainer(ExamSystem system) {
    this.system = system;
  }

  private String property(String key, String fallback) {
    String value = fallback;
    for (FrameworkPropertyOption option : system.getOptions(FrameworkPropertyOption.class)) {
      if (option.getKey().equals(key)) {
        value = String.valueOf(option.getValue());
      }
    }
    return value;
  }

  @Override
  public TestContainer start() {
    // The host clears the context class loader of the thread that boots it.
    ClassLoader before = Thread.currentThread().getContextClassLoader();
    try {
      run = Files.createTempDirectory("mezzo-itest");
      Path home = Path.of(System.getProperty("mezzo.distribution"));
      Path modules = Files.createDirectories(Path.of(property(MODULES, run + "/modules")));
      HostOptions.Builder options =
          HostOptions.builder(home.resolve("system"), run.resolve("cache"))
              .highestLevel(Integer.parseInt(property(LEVEL, "20")))
              .frameworkProperty("mezzo.home", home.toString())
              .frameworkProperty("mezzo.modules.dir", modules.toString())
              .frameworkProperty("mezzo.run.dir", run.toString())
              .frameworkProperty("org.osgi.framework.bootdelegation", "sun.*")
              .systemPackage("org.ops4j.pax.exam;version=\"" + EXAM_VERSION + "\"")
              .systemPackage("org.ops4j.pax.exam.options;version=\"" + EXAM_VERSION + "\"")
              .systemPackage("org.ops4j.pax.exam.util;version=\"" + EXAM_VERSION + "\"");
      for (FrameworkPropertyOption option : system.getOptions(FrameworkPropertyOption.class)) {
        options.frameworkProperty(option.getKey(), String.valueOf(option.getValue()));
      }
      for (SystemPropertyOption option : system.getOptions(SystemPropertyOption.class)) {
        System.setProperty(option.getKey(), option.getValue());
      }
      host = Host.boot(options.build());
      Thread.currentThread().setContextClassLoader(before);
      for (ProvisionOption<?> option : system.getOptions(ProvisionOption.class)) {
        installOnce(option.getURL());
      }
      for (Bundle bundle : host.context().getBundles()) {
        if (bundle.getState() == Bundle.INSTALLED || bundle.getState() == Bundle.RESOLVED) {
          bundle.start();
        }
      }
      return this;
    } catch (IOException | HostException | BundleException e) {
      throw new TestContainerException("The host does not boot from the distribution", e);
    } finally {
      Thread.currentThread().setContextClassLoader(before);
    }
  }

  private void installOnce(String url) throws IOException, BundleException {
    if (host.context().getBundle(url) == null) {
      try (InputStream in = URI.create(url).toURL().openStream()) {
        host.context().installBundle(url, in);
      }
    }
  }

  @Override
  public long install(InputStream stream) {
    return install("probe:" + probes.size(), stream);
  }

  @Override
  public long install(String location, InputStream stream) {
    try {
      Bundle bundle = host.context().installBundle(location, stream);
      probes.push(bundle);
      bundle.start();
      return bundle.getBundleId();
    } catch (BundleException e) {
      throw new TestContainerException("The probe does not start", e);
    }
  }

  @Override
  public long installProbe(InputStream stream) {
    return install("probe:" + probes.size(), stream);
  }

  @Override
  public void uninstallProbe() {
    try {
      probes.pop().uninstall();
    } catch (BundleException e) {
      throw new TestContainerException("The probe cannot be removed", e);
    }
  }

  @Override
  public void call(TestAddress address) {
    BundleContext context = host.context();
    String filter =
        "(&(objectClass="
            + ProbeInvoker.class.getName()
            + ")("
            + PROBE_SIGNATURE
            + "="
            + address.root().identifier()
            + "))";
    try {
      // The extender registers the invokers of a probe in its own time.
      ServiceTracker<ProbeInvoker, ProbeInvoker> invokers =
          new ServiceTracker<>(context, context.createFilter(filter), null);
      invokers.open();
      try {
        ProbeInvoker invoker = invokers.waitForService(PATIENCE_MILLIS);
        if (invoker == null) {
          throw new TestContainerException("No probe offers " + filter);
        }
        callWithinLimit(invoker, address);
      } finally {
        invokers.close();
      }
    } catch (InvalidSyntaxException e) {
      throw new TestContainerException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TestContainerException(e);
    }
  }

  /** The limit that JUnit has for other tests; it does not know those that the probe runs. */
  private static void callWithinLimit(ProbeInvoker invoker, TestAddress address) {
    long seconds = Long.getLong(LIMIT_SECONDS, 300);
    Thread test = Thread.currentThread();
    CompletableFuture<Void> end = new CompletableFuture<>();
    CompletableFuture<Boolean> late =
        end.orTimeout(seconds, TimeUnit.SECONDS)
            .handle(
                (ended, timeout) -> {
                  if (timeout != null) {
                    test.interrupt();
                  }
                  return timeout != null;
                });
    try {
      invoker.call(address.arguments());
    } finally {
      end.complete(null);
      if (late.join()) {
        // The next test is not meant.
        Thread.interrupted();
      }
    }
    if (late.join()) {
      throw new TestContainerException("The test took longer than " + seconds + " s");
    }
  }

  @Override
  public TestContainer stop() {
    if (host != null) {
      host.close();
      host = null;
    }
    try (Stream<Path> files = Files.walk(run)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  @Override
  public String toString() {
    return "Mezzo host";
  }
}
