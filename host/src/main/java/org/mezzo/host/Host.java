package org.mezzo.host;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.FrameworkListener;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.log.LogService;
import org.osgi.service.log.LoggerFactory;
import org.osgi.service.log.admin.LoggerAdmin;
import org.slf4j.Logger;

/**
 * A running OSGi framework. {@link #boot} returns when every bundle is active; whatever the bundles
 * do because of their configuration may still be on its way then. Safe for any thread.
 *
 * <p>The host publishes three services: {@link LogService}, which ends in the host's log, {@link
 * LoggerAdmin}, which changes the levels of that log, and a {@link Consumer} of text with the
 * property {@code mezzo.host=fatal}: what a bundle tells it becomes the reason why the process
 * ends.
 */
public final class Host implements AutoCloseable {
  private static final Logger LOG = org.slf4j.LoggerFactory.getLogger(Host.class);

  /**
   * The logging API comes from the class path: as bundles both slf4j and logback would need a
   * service loader mediator. Bundles exist that ask for slf4j 1.7, which 2.0 can serve.
   */
  private static final List<String> SYSTEM_PACKAGES =
      List.of(
          "org.slf4j;version=\"1.7.36\"",
          "org.slf4j.helpers;version=\"1.7.36\"",
          "org.slf4j;version=\"2.0.20\"",
          "org.slf4j.event;version=\"2.0.20\"",
          "org.slf4j.helpers;version=\"2.0.20\"",
          "org.slf4j.spi;version=\"2.0.20\"",
          "org.osgi.service.cm;version=\"1.6.1\"",
          "org.osgi.service.component;version=\"1.5.1\"",
          "org.osgi.service.component.runtime;version=\"1.5.0\"",
          "org.osgi.service.component.runtime.dto;version=\"1.5.0\"",
          "org.osgi.util.promise;version=\"1.3.0\"",
          "org.osgi.util.function;version=\"1.2.0\"",
          "org.osgi.service.log;version=\"1.5.0\"",
          "org.osgi.service.log.admin;version=\"1.0.0\"");

  private final HostOptions options;
  private final BundleCache cache;
  private final Framework framework;
  private final AtomicReference<String> fatal = new AtomicReference<>();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final List<Bundle> bundles = new CopyOnWriteArrayList<>();
  private final Map<Long, Throwable> failures = new ConcurrentHashMap<>();

  private Host(HostOptions options) throws HostException {
    this.options = options;
    // Services that are built from a context class loader would otherwise bind the class path.
    Thread.currentThread().setContextClassLoader(null);
    cache = BundleCache.create(options.cacheRoot());
    framework = new FrameworkFactory().newFramework(frameworkConfiguration());
  }

  /**
   * Starts the framework and all bundles.
   *
   * @throws HostException when a bundle is missing something or fails to start; nothing is left
   *     running then
   */
  public static Host boot(HostOptions options) throws HostException {
    Host host = new Host(options);
    try {
      host.start();
    } catch (HostException | RuntimeException e) {
      host.close();
      throw e;
    }
    return host;
  }

  /** The framework's own context. */
  public BundleContext context() {
    return framework.getBundleContext();
  }

  /**
   * Creates or changes a configuration.
   *
   * @param pid {@code factory~name} for the instance {@code name} of a factory PID
   */
  public void configure(String pid, Map<String, ?> properties) throws HostException {
    try {
      configuration(pid).update(new Hashtable<>(properties));
    } catch (IOException e) {
      throw new HostException("The configuration " + pid + " cannot be stored", e);
    }
  }

  /** Deletes a configuration, and with it what exists because of it. */
  public void unconfigure(String pid) throws HostException {
    try {
      configuration(pid).delete();
    } catch (IOException e) {
      throw new HostException("The configuration " + pid + " cannot be deleted", e);
    }
  }

  /**
   * One line for each component of Declarative Services that threw when it was activated, of those
   * bundles that this host has booted: what others installed later is their own affair. Empty when
   * all is well or there is no such runtime.
   */
  public List<String> componentFailures() {
    List<String> lines = new ArrayList<>();
    BundleContext context = framework.getBundleContext();
    ServiceReference<ServiceComponentRuntime> reference =
        context == null ? null : context.getServiceReference(ServiceComponentRuntime.class);
    if (reference == null) {
      return lines;
    }
    ServiceComponentRuntime runtime = context.getService(reference);
    Bundle[] booted = bundles.toArray(Bundle[]::new);
    for (ComponentDescriptionDTO description : runtime.getComponentDescriptionDTOs(booted)) {
      for (ComponentConfigurationDTO component :
          runtime.getComponentConfigurationDTOs(description)) {
        if (component.state == ComponentConfigurationDTO.FAILED_ACTIVATION) {
          Object pid = component.properties.getOrDefault("service.pid", description.name);
          lines.add(pid + " did not start: " + Reasons.ofStackTrace(component.failure));
        }
      }
    }
    return lines;
  }

  /** Whether the framework stops or has stopped. */
  public boolean stopping() {
    return framework.getState() != Bundle.ACTIVE;
  }

  /** Ends the process's reason to live with a message for the operator; returns at once. */
  public void fail(String message) {
    if (fatal.compareAndSet(null, message)) {
      LOG.error("{}", message);
      Thread ender = new Thread(this::close, "mezzo-host-fatal");
      ender.setDaemon(true);
      ender.start();
    }
  }

  /**
   * Waits until the framework has stopped, or was left behind because it does not within the limit
   * for it.
   *
   * @throws HostException when it stopped because a bundle reported something fatal
   */
  public void awaitStop() throws HostException, InterruptedException {
    // Not here: the framework may never stop, and then whoever stops it gives up after the limit.
    Thread watcher = new Thread(this::closeWhenStopped, "mezzo-host-await");
    watcher.setDaemon(true);
    watcher.start();
    stopped.await();
    if (fatal.get() != null) {
      throw new HostException(fatal.get());
    }
  }

  private void closeWhenStopped() {
    try {
      framework.waitForStop(0);
      close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets SIGTERM and SIGINT stop the framework in order before the process ends. */
  public Host stopWithProcess() {
    Thread hook = new Thread(this::close, "mezzo-host-stop");
    hook.setContextClassLoader(null);
    Runtime.getRuntime().addShutdownHook(hook);
    return this;
  }

  /**
   * Stops all bundles in the order of falling start levels and waits for it, at most as long as the
   * options say; then the cache is deleted. Later calls wait for the first.
   */
  @Override
  public void close() {
    synchronized (this) {
      if (stopped.getCount() == 0) {
        return;
      }
      try {
        framework.stop();
        Duration limit = options.stopTimeout();
        FrameworkEvent event = framework.waitForStop(Math.max(1, limit.toMillis()));
        if (event.getType() == FrameworkEvent.WAIT_TIMEDOUT) {
          LOG.warn(
              "The bundles did not stop within {} ms and are left behind: {}",
              limit.toMillis(),
              stillActive());
        }
      } catch (BundleException e) {
        LOG.error("The framework does not stop", e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        cache.close();
        stopped.countDown();
      }
    }
  }

  private List<String> stillActive() {
    List<String> names = new ArrayList<>();
    BundleContext context = framework.getBundleContext();
    if (context != null) {
      for (Bundle bundle : context.getBundles()) {
        if (bundle.getBundleId() != 0 && bundle.getState() != Bundle.RESOLVED) {
          names.add(bundle.getSymbolicName());
        }
      }
    }
    return names;
  }

  private Map<String, Object> frameworkConfiguration() {
    List<String> packages = new ArrayList<>(SYSTEM_PACKAGES);
    packages.addAll(options.systemPackages());
    Map<String, Object> configuration = new HashMap<>(options.frameworkProperties());
    configuration.put(Constants.FRAMEWORK_STORAGE, cache.directory().toString());
    configuration.put(
        Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
    configuration.put(Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, String.join(",", packages));
    configuration.put(Constants.FRAMEWORK_BEGINNING_STARTLEVEL, "1");
    configuration.put("felix.log.logger", new FrameworkLogger());
    return configuration;
  }

  private void start() throws HostException {
    long begin = System.nanoTime();
    try {
      framework.init();
    } catch (BundleException e) {
      throw new HostException("The OSGi framework does not start: " + e.getMessage(), e);
    }
    BundleContext context = framework.getBundleContext();
    bundles.addAll(install(context));
    boolean resolved = framework.adapt(FrameworkWiring.class).resolveBundles(bundles);
    if (!resolved) {
      List<String> reasons = new Unresolved(context.getBundles()).reasons();
      if (!reasons.isEmpty()) {
        throw new HostException(
            "These bundles of "
                + options.systemDir()
                + " cannot be used:\n  "
                + String.join("\n  ", reasons));
      }
    }
    context.addFrameworkListener(this::remember);
    publishServices(context);
    try {
      for (Bundle bundle : bundles) {
        if (!fragment(bundle)) {
          bundle.start(Bundle.START_ACTIVATION_POLICY);
        }
      }
      framework.start();
    } catch (BundleException e) {
      throw new HostException("The OSGi framework does not start: " + e.getMessage(), e);
    }
    for (Map.Entry<String, Map<String, Object>> entry : options.configurations().entrySet()) {
      configure(entry.getKey(), entry.getValue());
    }
    raiseStartLevel();
    checkActive();
    LOG.info(
        "{} bundles are active after {} ms",
        bundles.size(),
        (System.nanoTime() - begin) / 1_000_000);
  }

  private List<Bundle> install(BundleContext context) throws HostException {
    List<Bundle> installed = new ArrayList<>();
    for (Path folder : sorted(options.systemDir(), "[0-9][0-9]")) {
      int level = Integer.parseInt(folder.getFileName().toString());
      if (level > options.highestLevel()) {
        continue;
      }
      for (Path jar : sorted(folder, "*.jar")) {
        try {
          Bundle bundle = context.installBundle("reference:" + jar.toUri());
          bundle.adapt(BundleStartLevel.class).setStartLevel(Math.max(1, level));
          installed.add(bundle);
        } catch (BundleException e) {
          throw new HostException(
              jar + " is no bundle that can be installed: " + e.getMessage(), e);
        }
      }
    }
    if (installed.isEmpty()) {
      throw new HostException("There are no bundles below " + options.systemDir());
    }
    return installed;
  }

  private void remember(FrameworkEvent event) {
    if (event.getType() == FrameworkEvent.ERROR) {
      failures.putIfAbsent(event.getBundle().getBundleId(), event.getThrowable());
    } else if (event.getType() == FrameworkEvent.WARNING && event.getThrowable() != null) {
      LOG.warn("{}: {}", event.getBundle(), String.valueOf(event.getThrowable().getMessage()));
    }
  }

  private void publishServices(BundleContext context) {
    LogBridge log = new LogBridge();
    context.registerService(
        new String[] {LogService.class.getName(), LoggerFactory.class.getName()}, log, null);
    context.registerService(LoggerAdmin.class, new LogLevels(), null);
    Dictionary<String, Object> properties = new Hashtable<>();
    properties.put("mezzo.host", "fatal");
    Consumer<String> end = this::fail;
    context.registerService(Consumer.class, end, properties);
  }

  private void raiseStartLevel() throws HostException {
    CountDownLatch done = new CountDownLatch(1);
    FrameworkListener listener =
        event -> {
          if (event.getType() == FrameworkEvent.STARTLEVEL_CHANGED) {
            done.countDown();
          }
        };
    framework.adapt(FrameworkStartLevel.class).setStartLevel(options.highestLevel(), listener);
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HostException("Interrupted while the bundles started", e);
    }
  }

  private void checkActive() throws HostException {
    List<String> reasons = new ArrayList<>();
    for (Bundle bundle : bundles) {
      boolean active = bundle.getState() == Bundle.ACTIVE || bundle.getState() == Bundle.STARTING;
      if (!active && !fragment(bundle)) {
        Throwable failure = failures.get(bundle.getBundleId());
        reasons.add(
            bundle.getSymbolicName()
                + " did not start: "
                + (failure == null ? "no reason was given" : rootMessage(failure)));
      }
    }
    if (!reasons.isEmpty()) {
      throw new HostException(String.join("\n", reasons));
    }
  }

  private static String rootMessage(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root.toString();
  }

  private Configuration configuration(String pid) throws HostException {
    BundleContext context = framework.getBundleContext();
    ServiceReference<ConfigurationAdmin> reference =
        context.getServiceReference(ConfigurationAdmin.class);
    if (reference == null) {
      throw new HostException(
          "No bundle of the first start level offers Configuration Admin, which " + pid + " needs");
    }
    ConfigurationAdmin admin = context.getService(reference);
    try {
      int tilde = pid.indexOf('~');
      return tilde < 0
          ? admin.getConfiguration(pid, "?")
          : admin.getFactoryConfiguration(pid.substring(0, tilde), pid.substring(tilde + 1), "?");
    } catch (IOException e) {
      throw new HostException("The configuration " + pid + " cannot be read", e);
    }
  }

  private static boolean fragment(Bundle bundle) {
    return (bundle.adapt(BundleRevision.class).getTypes() & BundleRevision.TYPE_FRAGMENT) != 0;
  }

  private static List<Path> sorted(Path directory, String glob) throws HostException {
    List<Path> paths = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory, glob)) {
      stream.forEach(paths::add);
    } catch (IOException e) {
      throw new HostException("The folder " + directory + " cannot be read", e);
    }
    Collections.sort(paths);
    return paths;
  }
}
