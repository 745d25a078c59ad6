package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.Module;
import org.mezzo.files.TreeDeletion;
import org.mezzo.modules.DeclaredFlags;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.ServiceObjects;
import org.osgi.framework.ServiceReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the modules of a started bundle rehearse for each daemon that wants them, before any of them
 * serves: an instance of its own, opened over empty folders, asked to rehearse and closed.
 */
final class Rehearsal {
  private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);
  private static final String PREFIX = "mezzo.module.";

  private final BundleContext context;
  private final ModuleLeases leases;
  private final Path folder;
  private final Supplier<Settings> settings;
  private long rehearsals;

  /**
   * Rehearses below a folder.
   *
   * @param folder whose content is deleted
   */
  Rehearsal(BundleContext context, ModuleLeases leases, Path folder, Supplier<Settings> settings) {
    this.context = context;
    this.leases = leases;
    this.folder = folder;
    this.settings = settings;
    delete(folder);
  }

  /**
   * Rehearses with everything that a bundle has registered.
   *
   * @return what went wrong; empty when all went well, or nobody wants its modules
   */
  Optional<String> of(Bundle bundle) throws HangsException {
    ServiceReference<?>[] services = bundle.getRegisteredServices();
    if (services == null) {
      return Optional.empty();
    }
    for (ServiceReference<?> service : services) {
      Object kind = service.getProperty(PREFIX + "kind");
      Object name = service.getProperty(PREFIX + "name");
      if (kind != null && name != null) {
        for (DaemonContext daemon : leases.wanting(kind.toString(), name.toString())) {
          Optional<String> problem = rehearse(bundle, service, daemon);
          if (problem.isPresent()) {
            return Optional.of(
                "%s '%s' failed when it rehearsed for %s: %s"
                    .formatted(kind, name, daemon.daemon(), problem.get()));
          }
        }
      }
    }
    return Optional.empty();
  }

  private Optional<String> rehearse(Bundle bundle, ServiceReference<?> service, DaemonContext real)
      throws HangsException {
    Path own = folder.resolve(Long.toString(++rehearsals));
    try {
      DaemonContext stage =
          new Stage(
              real,
              DeclaredFlags.visible(
                  real.flags(), DeclaredFlags.of(service.getProperty(DeclaredFlags.PROPERTY))),
              Files.createDirectories(own.resolve("work")),
              Files.createDirectories(own.resolve("run")));
      Disposable.run(
          "mezzo-rehearsal-" + Reasons.name(bundle),
          "rehearsed",
          Duration.ofMillis(settings.get().startTimeoutMillis()),
          () -> perform(service, stage));
      return Optional.empty();
    } catch (HangsException e) {
      throw e;
    } catch (BundleException e) {
      LOG.warn("{} failed when it rehearsed", Reasons.name(bundle), e);
      return Optional.of(Reasons.plain(e));
    } catch (IOException e) {
      return Optional.of("there is no folder for it: " + e);
    } finally {
      delete(own);
    }
  }

  private <S> void perform(ServiceReference<S> service, DaemonContext stage)
      throws BundleException {
    ServiceObjects<S> objects = context.getServiceObjects(service);
    S instance = objects == null ? null : objects.getService();
    if (instance == null) {
      throw new BundleException("its component gave no instance; the log above tells why");
    }
    try {
      if (!(instance instanceof Module module)) {
        throw new BundleException(
            "it is no "
                + Module.class.getName()
                + " as this host knows it; build it against the"
                + " API of this Mezzo");
      }
      module.open(stage);
      try {
        module.rehearse();
      } finally {
        module.close();
      }
    } catch (BundleException e) {
      throw e;
    } catch (Exception e) {
      throw new BundleException(e.toString(), e);
    } finally {
      objects.ungetService(instance);
    }
  }

  private static void delete(Path tree) {
    try {
      TreeDeletion.delete(tree);
    } catch (IOException e) {
      LOG.warn("{} stays: {}", tree, e.toString());
    }
  }

  /** A daemon as a module sees it that rehearses. */
  private record Stage(DaemonContext real, Map<String, String> flags, Path workDir, Path runtimeDir)
      implements DaemonContext {
    private static final Metrics UNSEEN =
        new Metrics() {
          @Override
          public Counter counter(String name) {
            return n -> {};
          }

          @Override
          public void gauge(String name, DoubleSupplier value) {}

          @Override
          public void remove(String name) {}
        };

    @Override
    public String daemon() {
      return real.daemon();
    }

    @Override
    public Role role() {
      return real.role();
    }

    @Override
    public Map<String, String> parameters() {
      return real.parameters();
    }

    @Override
    public Metrics metrics() {
      return UNSEEN;
    }

    @Override
    public Clock clock() {
      return real.clock();
    }

    @Override
    public boolean rehearsal() {
      return true;
    }
  }
}
