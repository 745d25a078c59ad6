package org.mezzo.agent;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.mezzo.coordination.Coordination;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.http.HttpConnectors;
import org.mezzo.link.LinkClient;
import org.mezzo.modules.ModuleLeases;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent that exists because its configuration does: one per configuration of the factory {@code
 * org.mezzo.agent}. Properties are flags in text form by name, and {@code mezzo.daemon}, the name of
 * the daemon in its process.
 */
@Component(
    configurationPid = "org.mezzo.agent",
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    service = AgentDaemon.class,
    immediate = true)
public final class AgentDaemon {
  private static final Logger LOG = LoggerFactory.getLogger(AgentDaemon.class);

  private final Agent agent;

  @Activate
  public AgentDaemon(
      Map<String, Object> properties,
      @Reference ModuleLeases modules,
      @Reference Coordination coordination,
      @Reference HttpConnectors connectors,
      @Reference LinkClient links)
      throws IOException, FlagException {
    FlagDefinitions definitions =
        FlagDefinitions.read(
            AgentDaemon.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE));
    Map<String, String> given = new HashMap<>();
    properties.forEach(
        (key, value) -> {
          // Configuration Admin and component runtime add names with dots, which no flag has.
          if (key.indexOf('.') < 0) {
            given.put(key, String.valueOf(value));
          }
        });
    String name = String.valueOf(properties.getOrDefault("mezzo.daemon", "agent"));
    agent =
        new Agent(
            name,
            definitions.parse(given),
            new Agent.Services(modules, coordination, connectors, links),
            () ->
                LOG.error(
                    "Agent '{}' runs nothing any more; stop the process, or start it again as a"
                        + " new agent",
                    name));
  }

  /** The running agent. */
  public Agent agent() {
    return agent;
  }

  @Deactivate
  void stop() {
    agent.close();
  }
}
