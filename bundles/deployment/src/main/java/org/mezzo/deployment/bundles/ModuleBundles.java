package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.mezzo.deployment.folder.ModuleJar;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.wiring.FrameworkWiring;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Installs, starts, drains and removes bundles. */
final class ModuleBundles {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleBundles.class);
  private static final String LOCATION = "mezzo-module:";

  private final BundleContext context;
  private final ModuleLeases leases;
  private final Supplier<Settings> settings;
  private long locations;

  ModuleBundles(BundleContext context, ModuleLeases leases, Supplier<Settings> settings) {
    this.context = context;
    this.leases = leases;
    this.settings = settings;
  }

  /** Bundles of a former life of this component; what is still wanted is installed again. */
  void removeLeftovers() {
    for (Bundle bundle : context.getBundles()) {
      if (bundle.getLocation().startsWith(LOCATION)) {
        try {
          bundle.uninstall();
        } catch (BundleException e) {
          LOG.warn("{} of an earlier run cannot be removed", bundle, e);
        }
      }
    }
  }

  /** Refuses what would replace a bundle that is not a module. */
  void checkNotCore(ModuleJar jar) throws IOException {
    for (Bundle bundle : context.getBundles()) {
      if (jar.symbolicName().equals(bundle.getSymbolicName())
          && !bundle.getLocation().startsWith(LOCATION)) {
        throw new IOException(
            jar.symbolicName()
                + " is a core bundle of this host, which cannot be swapped; replace it in the"
                + " distribution's system folder and restart");
      }
    }
  }

  Bundle install(Path content, ModuleJar jar) throws IOException, BundleException {
    String location = LOCATION + jar.symbolicName() + "/" + jar.version() + "/" + ++locations;
    try (InputStream in = Files.newInputStream(content)) {
      Bundle bundle = context.installBundle(location, in);
      // Stopped before this one and after the daemons, which are of a later level.
      int level = context.getBundle().adapt(BundleStartLevel.class).getStartLevel();
      bundle.adapt(BundleStartLevel.class).setStartLevel(level);
      return bundle;
    }
  }

  void resolve(List<Bundle> bundles) {
    context.getBundle(0).adapt(FrameworkWiring.class).resolveBundles(bundles);
  }

  void start(Bundle bundle) throws BundleException {
    // Transient: otherwise the start level thread would try to start it, too, and log its failure.
    bundle.start(Bundle.START_TRANSIENT | Bundle.START_ACTIVATION_POLICY);
  }

  /** Stops a bundle, gives it other content and starts it. */
  void restart(Bundle bundle, Path content) throws IOException, BundleException {
    try (InputStream in = Files.newInputStream(content)) {
      bundle.stop(Bundle.STOP_TRANSIENT);
      bundle.update(in);
      refreshRemoved();
      leases.readmit(bundle.getBundleId());
      start(bundle);
    }
  }

  /** Why a bundle could not be started. */
  String notStarted(Bundle bundle, BundleException failure) {
    return Reasons.notStarted(context, bundle, failure);
  }

  /** Drains a bundle, so that nothing is lost by stopping it, and removes it. */
  void retire(Bundle bundle) throws BundleException {
    long id = bundle.getBundleId();
    drain(id);
    try {
      bundle.stop(Bundle.STOP_TRANSIENT);
    } catch (BundleException e) {
      LOG.warn("{} does not stop in order; it is removed all the same", Reasons.name(bundle), e);
    }
    bundle.uninstall();
    refreshRemoved();
    leases.readmit(id);
  }

  /** Only bundles that others are wired to linger; modules export nothing, so this is rare. */
  private void refreshRemoved() {
    FrameworkWiring wiring = context.getBundle(0).adapt(FrameworkWiring.class);
    if (!wiring.getRemovalPendingBundles().isEmpty()) {
      wiring.refreshBundles(null);
    }
  }

  /** Waits until no call runs in a bundle, and lets none begin until it is readmitted. */
  void drain(long bundleId) {
    Duration deadline = Duration.ofMillis(settings.get().drainTimeoutMillis());
    try {
      leases
          .drain(bundleId, deadline)
          .toCompletableFuture()
          .get(deadline.toMillis() + 5_000, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("Bundle {} is stopped though calls into it may run", bundleId, e);
    }
  }
}
