package org.mezzo.master;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.mezzo.coordination.Coordination;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.configuration.DaemonConfiguration;
import org.mezzo.daemon.endpoints.DeploymentsEndpoint;
import org.mezzo.daemon.logging.LoggingEndpoint;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.deployment.Deployments;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.http.HttpConnectors;
import org.mezzo.link.LinkServer;
import org.mezzo.modules.ModuleLeases;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A master that exists because its configuration does: one per configuration of the factory {@code
 * org.mezzo.master}. Properties are flags in text form by name, and {@code mezzo.daemon}, the name
 * of the daemon in its process. Of the flags {@code allocator} can be changed while it runs.
 */
@Component(
    configurationPid = MasterDaemon.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    service = MasterDaemon.class,
    immediate = true)
public final class MasterDaemon {
  private static final Logger LOG = LoggerFactory.getLogger(MasterDaemon.class);
  private static final String ALLOCATOR = "allocator";

  /** The factory PID whose configurations are masters. */
  static final String PID = "org.mezzo.master";

  private final FlagDefinitions definitions;
  private final Master master;
  private Map<String, String> given;

  @Activate
  public MasterDaemon(
      Map<String, Object> properties,
      @Reference ModuleLeases modules,
      @Reference Deployments deployments,
      @Reference Coordination coordination,
      @Reference HttpConnectors connectors,
      @Reference LinkServer links,
      @Reference Verbosity verbosity)
      throws IOException, FlagException {
    definitions = definitions();
    DaemonConfiguration configuration = DaemonConfiguration.of(properties, "master");
    given = configuration.flags();
    MasterFlags flags = MasterFlags.of(definitions.parse(given));
    master =
        DaemonFrame.open(configuration.name(), Master.KIND, flags.daemon(), modules, connectors)
            .start(
                frame -> {
                  frame.router().add(new LoggingEndpoint(verbosity));
                  frame.router().add(new DeploymentsEndpoint(configuration.name(), deployments));
                  return new Master(frame, flags, coordination, links);
                });
  }

  /** The flags of a master. */
  static FlagDefinitions definitions() {
    return FlagDefinitions.read(
        MasterDaemon.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE));
  }

  /** Takes over what can be changed while the master runs. */
  @Modified
  void modified(Map<String, Object> properties) throws FlagException {
    Map<String, String> now = DaemonConfiguration.of(properties, "master").flags();
    String allocator = MasterFlags.of(definitions.parse(now)).allocation().allocator();
    Map<String, String> before = new HashMap<>(given);
    Map<String, String> after = new HashMap<>(now);
    before.remove(ALLOCATOR);
    after.remove(ALLOCATOR);
    if (!before.equals(after)) {
      LOG.warn(
          "Of the changed flags only --allocator is taken over now; restart the master for the"
              + " others");
    }
    given = now;
    master.selectAllocator(allocator);
  }

  /** The running master. */
  public Master master() {
    return master;
  }

  @Deactivate
  void stop() {
    master.close();
  }
}
