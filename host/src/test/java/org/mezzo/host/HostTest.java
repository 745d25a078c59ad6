package org.mezzo.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ManagedServiceFactory;

class HostTest {
  private static final String RESULTS = "org.mezzo.host.test";

  @TempDir Path directory;
  private Path system;
  private ClassLoader contextLoader;

  /** Publishes when it was started, and fails when told to. */
  public static final class Started implements BundleActivator {
    @Override
    public void start(BundleContext context) {
      String name = context.getBundle().getSymbolicName();
      if (name.equals("broken")) {
        throw new IllegalStateException("the disk is full");
      }
      Dictionary<String, Object> properties = new Hashtable<>();
      properties.put(RESULTS, name);
      properties.put("at", System.nanoTime());
      properties.put("home", String.valueOf(context.getProperty("test.home")));
      context.registerService(Object.class, new Object(), properties);
    }

    @Override
    public void stop(BundleContext context) throws InterruptedException {
      if (context.getBundle().getSymbolicName().equals("slow")) {
        Thread.sleep(Long.MAX_VALUE);
      }
    }
  }

  @BeforeEach
  void folder() {
    system = directory.resolve("system");
    contextLoader = Thread.currentThread().getContextClassLoader();
  }

  @AfterEach
  void restore() {
    Thread.currentThread().setContextClassLoader(contextLoader);
  }

  private HostOptions.Builder options() {
    return HostOptions.builder(system, directory.resolve("cache"))
        .frameworkProperty("test.home", "/home");
  }

  private void started(String level, String name) {
    TestBundles.bundle(
        system.resolve(level),
        name,
        Map.of("Bundle-Activator", Started.class.getName(), "Import-Package", "org.osgi.framework"),
        Started.class);
  }

  @Test
  void bundlesStartByLevelAndFindTheirProperties() throws Exception {
    started("20", "later");
    started("05", "sooner");
    started("30", "left-out");

    try (Host host = Host.boot(options().highestLevel(20).build())) {
      ServiceReference<?> later = find(host, "later");
      ServiceReference<?> sooner = find(host, "sooner");
      assertThat((Long) later.getProperty("at")).isGreaterThan((Long) sooner.getProperty("at"));
      assertThat(later.getProperty("home")).isEqualTo("/home");
      assertThat(find(host, "left-out")).isNull();
      assertThat(host.componentFailures()).isEmpty();
      assertThat(host.stopping()).isFalse();
    }
    try (Stream<Path> left = Files.list(directory.resolve("cache"))) {
      assertThat(left).isEmpty();
    }
  }

  private static ServiceReference<?> find(Host host, String name) throws Exception {
    ServiceReference<?>[] found =
        host.context()
            .getAllServiceReferences(Object.class.getName(), "(" + RESULTS + "=" + name + ")");
    return found == null ? null : found[0];
  }

  @Test
  void whatIsMissingIsSaidInPlainWords() {
    TestBundles.bundle(
        system.resolve("10"),
        "provider",
        Map.of("Export-Package", "org.example;version=2.1.0", "Bundle-Version", "1.0.0"));
    TestBundles.bundle(
        system.resolve("10"),
        "needs-older",
        Map.of("Import-Package", "org.example;version=\"[1.0,2)\""));
    TestBundles.bundle(
        system.resolve("10"), "needs-absent", Map.of("Import-Package", "org.absent"));
    TestBundles.bundle(
        system.resolve("10"), "needs-bundle", Map.of("Require-Bundle", "needs-absent"));
    TestBundles.bundle(
        system.resolve("10"),
        "needs-java",
        Map.of(
            Constants.REQUIRE_CAPABILITY, "osgi.ee;filter:=\"(&(osgi.ee=JavaSE)(version=99))\""));

    assertThatExceptionOfType(HostException.class)
        .isThrownBy(() -> Host.boot(options().build()))
        .withMessageContaining(
            "needs-older 0.0.0 needs the package org.example in version 1.0.0 or newer, but below"
                + " 2.0.0; there is only version 2.1.0 from provider")
        .withMessageContaining(
            "needs-absent 0.0.0 needs the package org.absent, which no bundle provides")
        .withMessageContaining(
            "needs-bundle 0.0.0 needs needs-absent 0.0.0, which cannot be used either")
        .withMessageContaining("needs-java 0.0.0 needs Java 99, and this is Java");
  }

  @Test
  void bundlesThatDoNotStartAreFatal() {
    started("10", "broken");

    assertThatExceptionOfType(HostException.class)
        .isThrownBy(() -> Host.boot(options().build()))
        .withMessage("broken did not start: java.lang.IllegalStateException: the disk is full");
  }

  @Test
  void emptyFoldersAreFatal() {
    assertThatExceptionOfType(HostException.class)
        .isThrownBy(() -> Host.boot(options().build()))
        .withMessageContaining("cannot be read");
  }

  @Test
  void configurationsReachTheirServices() throws Exception {
    TestBundles.configurationAdmin(system);
    LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();

    try (Host host =
        Host.boot(options().configuration("org.example~one", Map.of("port", "1")).build())) {
      Dictionary<String, Object> properties = new Hashtable<>();
      properties.put(Constants.SERVICE_PID, "org.example");
      host.context()
          .registerService(
              ManagedServiceFactory.class,
              new ManagedServiceFactory() {
                @Override
                public String getName() {
                  return "example";
                }

                @Override
                public void updated(String pid, Dictionary<String, ?> values) {
                  events.add(pid + " " + values.get("port"));
                }

                @Override
                public void deleted(String pid) {
                  events.add(pid + " deleted");
                }
              },
              properties);

      assertThat(events.poll(60, TimeUnit.SECONDS)).isEqualTo("org.example~one 1");
      host.configure("org.example~two", Map.of("port", "2"));
      assertThat(events.poll(60, TimeUnit.SECONDS)).isEqualTo("org.example~two 2");
      host.unconfigure("org.example~one");
      assertThat(events.poll(60, TimeUnit.SECONDS)).isEqualTo("org.example~one deleted");
    }
  }

  @Test
  void bundlesCanEndTheProcessWithAReason() throws Exception {
    started("10", "some");
    Host host = Host.boot(options().build());

    ServiceReference<?> reference =
        host.context().getServiceReferences(Consumer.class, "(mezzo.host=fatal)").iterator().next();
    @SuppressWarnings("unchecked")
    Consumer<String> fatal = (Consumer<String>) host.context().getService(reference);
    fatal.accept("The work directory is in use");

    assertThatExceptionOfType(HostException.class)
        .isThrownBy(host::awaitStop)
        .withMessage("The work directory is in use");
  }

  @Test
  void stoppingIsCutOff() throws Exception {
    started("10", "slow");
    Host host = Host.boot(options().stopTimeout(Duration.ofMillis(100)).build());

    host.close();

    assertThat(host.stopping()).isTrue();
  }

  @Test
  void whatAKilledProcessLeftIsDeleted() throws Exception {
    Path left = Files.createDirectories(directory.resolve("cache/boot-1/bundles/bundle1"));
    Files.createFile(directory.resolve("cache/boot-1/lock"));
    Files.createFile(left.resolve("bundle.info"));
    started("10", "some");

    try (Host first = Host.boot(options().build());
        Host second = Host.boot(options().build())) {
      try (Stream<Path> folders = Files.list(directory.resolve("cache"))) {
        assertThat(folders).hasSize(2).doesNotContain(directory.resolve("cache/boot-1"));
      }
      assertThat(List.of(first, second)).noneMatch(Host::stopping);
    }
  }
}
