package org.mezzo.modules.leases;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.modules.DeclaredFlags;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleConfiguration;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.ParameterDescriptions;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceObjects;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.ComponentConstants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.util.tracker.ServiceTracker;
import org.osgi.util.tracker.ServiceTrackerCustomizer;

/** Leases of the modules that are registered as OSGi services with module properties. */
@Component(service = ModuleLeases.class, immediate = true)
public final class ServiceLeases implements ModuleLeases {
  private static final String PREFIX = "mezzo.module.";

  private final LeaseTable table = new LeaseTable(Limits.DEFAULT);
  private final ServiceTracker<Object, Service> tracker;

  @Activate
  public ServiceLeases(BundleContext context) throws InvalidSyntaxException {
    tracker =
        new ServiceTracker<>(
            context,
            context.createFilter("(&(" + PREFIX + "kind=*)(" + PREFIX + "name=*))"),
            new Follower(context));
    // All of them, also those built against another API: these are reported instead of ignored.
    tracker.open(true);
  }

  @Deactivate
  void deactivate() {
    table.close();
    tracker.close();
  }

  private final class Follower implements ServiceTrackerCustomizer<Object, Service> {
    private final BundleContext context;

    Follower(BundleContext context) {
      this.context = context;
    }

    @Override
    public Service addingService(ServiceReference<Object> reference) {
      Service service = new Service(context, reference);
      table.register(service);
      return service;
    }

    @Override
    public void modifiedService(ServiceReference<Object> reference, Service service) {
      service.update();
      table.changed();
    }

    @Override
    public void removedService(ServiceReference<Object> reference, Service service) {
      table.withdraw(service);
    }
  }

  private static final class Service implements Registration {
    private final BundleContext context;
    private final ServiceReference<Object> reference;
    private final Bundle bundle;
    private final Optional<String> packageName;
    private volatile Announcement announcement;

    /** Null until somebody has asked; it stays what it is for as long as the bundle is resolved. */
    private volatile Optional<ParameterDescriptions> parameters;

    Service(BundleContext context, ServiceReference<Object> reference) {
      this.context = context;
      this.reference = reference;
      this.bundle = reference.getBundle();
      packageName = packageOf(reference.getProperty(ComponentConstants.COMPONENT_NAME));
      update();
    }

    /** Components are called like their class unless they say otherwise. */
    private Optional<String> packageOf(Object component) {
      String name = String.valueOf(component);
      return name.indexOf('.') > 0 && bundle.getEntry(name.replace('.', '/') + ".class") != null
          ? Optional.of(name.substring(0, name.lastIndexOf('.')))
          : Optional.empty();
    }

    void update() {
      announcement =
          new Announcement(
              text("kind"),
              text("name"),
              text("version"),
              text("author"),
              text("description"),
              DeclaredFlags.of(reference.getProperty(DeclaredFlags.PROPERTY)),
              bundle.getBundleId(),
              String.valueOf(bundle.getSymbolicName()),
              bundle.getVersion().toString(),
              (Long) reference.getProperty(Constants.SERVICE_ID));
    }

    private String text(String property) {
      Object value = reference.getProperty(PREFIX + property);
      return value == null ? "" : value.toString();
    }

    @Override
    public Announcement announcement() {
      return announcement;
    }

    @Override
    public Optional<String> packageName() {
      return packageName;
    }

    @Override
    public Optional<ParameterDescriptions> parameters() {
      Optional<ParameterDescriptions> known = parameters;
      if (known == null) {
        Object component = reference.getProperty(ComponentConstants.COMPONENT_NAME);
        known = component == null ? Optional.empty() : Metatype.read(bundle, component.toString());
        parameters = known;
      }
      return known;
    }

    @Override
    public boolean provides(Class<?> type) {
      return Arrays.asList((String[]) reference.getProperty(Constants.OBJECTCLASS))
          .contains(type.getName());
    }

    @Override
    public Module create() {
      Object scope = reference.getProperty(Constants.SERVICE_SCOPE);
      if (!Constants.SCOPE_PROTOTYPE.equals(scope)) {
        throw new IllegalStateException(
            "its service has the scope '"
                + scope
                + "'; write @Component(scope = ServiceScope.PROTOTYPE), so that every daemon gets"
                + " an instance of its own");
      }
      ServiceObjects<Object> objects = context.getServiceObjects(reference);
      Object instance = objects == null ? null : objects.getService();
      if (instance == null) {
        throw new IllegalStateException(
            "its component gave no instance; the log above tells why, or it was just withdrawn");
      }
      if (instance instanceof Module module) {
        return module;
      }
      objects.ungetService(instance);
      throw new ClassCastException(
          "it is no "
              + Module.class.getName()
              + " as this host knows it; build it against the API"
              + " of this Mezzo");
    }

    @Override
    public void release(Module instance) {
      try {
        ServiceObjects<Object> objects = context.getServiceObjects(reference);
        if (objects != null) {
          objects.ungetService(instance);
        }
      } catch (IllegalArgumentException | IllegalStateException e) {
        // Its bundle was stopped and the framework has released it, or this one was.
        return;
      }
    }
  }

  @Override
  public <M extends Module> ModuleLease<M> lease(LeaseRequest<M> request) {
    return table.lease(request);
  }

  @Override
  public List<ModuleDescription> modules() {
    return table.modules();
  }

  @Override
  public List<LeaseDescription> leases() {
    return table.leases();
  }

  @Override
  public CompletionStage<Void> drain(long bundleId, Duration deadline) {
    return table.drain(bundleId, deadline);
  }

  @Override
  public void readmit(long bundleId) {
    table.readmit(bundleId);
  }

  @Override
  public List<DaemonContext> wanting(String kind, String name) {
    return table.wanting(kind, name);
  }

  @Override
  public Expectation expect(DaemonContext daemon, String kind, String name) {
    return table.expect(daemon, kind, name);
  }

  @Override
  public void rehearse(Rehearsals rehearsals) {
    table.rehearse(rehearsals);
  }

  @Override
  public ModuleConfiguration configuration() {
    return table.configuration();
  }

  @Override
  public List<ModuleDescription> quarantined() {
    return table.quarantined();
  }

  @Override
  public List<ModuleDescription> unhealthy() {
    return table.unhealthy();
  }
}
