package org.mezzo.agent;

import java.io.IOException;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.border.BorderFlags;
import org.mezzo.daemon.configuration.DaemonConfiguration;
import org.mezzo.daemon.configuration.FollowedFlags;
import org.mezzo.daemon.endpoints.LoggersEndpoint;
import org.mezzo.daemon.endpoints.ModuleChanges;
import org.mezzo.daemon.inspection.RunningDaemon;
import org.mezzo.daemon.logging.LoggerLevels;
import org.mezzo.daemon.logging.LoggingEndpoint;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.daemon.wanted.HostModules;
import org.mezzo.deployment.Deployments;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;
import org.mezzo.http.HttpConnectors;
import org.mezzo.link.LinkClient;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.BundleException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An agent that exists because its configuration does: one per configuration of the factory {@code
 * org.mezzo.agent}. Properties are flags in text form by name, and {@code mezzo.daemon}, the name
 * of the daemon in its process. The flags that select modules can be changed while it runs.
 */
@Component(
    configurationPid = AgentDaemon.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    service = {AgentDaemon.class, RunningDaemon.class},
    immediate = true)
public final class AgentDaemon implements RunningDaemon {
  static final String PID = "org.mezzo.agent";

  private static final Logger LOG = LoggerFactory.getLogger(AgentDaemon.class);

  private final String name;
  private final Flags startedWith;
  private final ProcessEnd process;
  private final LeaveSignal signal;
  private final Agent agent;
  private final Runnable leave;
  private final CompletableFuture<Agent> started = new CompletableFuture<>();
  private final FollowedFlags<AgentFlags> flags;

  @Activate
  public AgentDaemon(
      Map<String, Object> properties,
      @Reference ProcessEnd process,
      @Reference LeaveSignal signal,
      @Reference ModuleLeases modules,
      @Reference Deployments deployments,
      @Reference HostModules hostModules,
      @Reference HttpConnectors connectors,
      @Reference LinkClient links,
      @Reference Verbosity verbosity)
      throws IOException, FlagException {
    this.process = process;
    this.signal = signal;
    DaemonConfiguration configuration = DaemonConfiguration.of(properties, "agent");
    name = configuration.name();
    FlagDefinitions definitions = definitions();
    AgentFlags given = AgentFlags.of(definitions.parse(configuration.flags()));
    startedWith = given.daemon().all();
    agent =
        DaemonFrame.open(name, Agent.KIND, given.daemon(), modules, connectors)
            .start(
                frame -> {
                  configuration.log().ifPresent(frame::showLog);
                  frame.router().add(new LoggingEndpoint(verbosity));
                  LoggersEndpoint.install(frame, new LoggerLevels(verbosity, modules, deployments));
                  ModuleChanges.install(frame, Agent.KIND.metrics(), deployments);
                  return new Agent(frame, given, links, hostModules, verbosity, this::shutDown);
                });
    started.complete(agent);
    flags =
        new FollowedFlags<>(
                "agent '" + name + "'", definitions, AgentFlags::of, configuration.flags())
            .follow("hooks", next -> agent.selectHooks(next.daemon().hooks()))
            .follow("anonymous_modules", next -> agent.selectAnonymous(next.daemon().anonymous()))
            .follow("master_detector", next -> agent.selectDetector(next.registration()))
            .follow(
                "authenticatee",
                next -> agent.selectAuthenticatee(next.registration().authenticatee()))
            .follow("isolation", next -> agent.selectIsolation(next.containers().isolation()))
            .follow("container_logger", next -> agent.selectLogging(next.containers().logging()))
            .follow(
                "secret_resolver",
                next -> agent.selectSecretResolver(next.containers().secretResolver()))
            .follow(
                "secret_generator",
                next -> agent.selectSecretGenerator(next.secretGenerator(), next.daemon().border()))
            .follow(
                "resource_estimator",
                next -> agent.selectEstimator(next.oversubscription().estimator()))
            .follow(
                "qos_controller",
                next -> agent.selectController(next.oversubscription().controller()));
    leave = agent::leave;
    signal.add(leave);
    for (String flag : BorderFlags.GUARDS) {
      flags.follow(flag, next -> agent.selectGuards(next.daemon().border()));
    }
  }

  private void shutDown() {
    Thread end = new Thread(this::end, name + "-end");
    end.setContextClassLoader(null);
    end.start();
  }

  static FlagDefinitions definitions() {
    return FlagDefinitions.read(
        AgentDaemon.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE));
  }

  /** The running agent. */
  public Agent agent() {
    return agent;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Flags startedWith() {
    return startedWith;
  }

  @Override
  public SortedMap<String, Double> measured() {
    return agent.metrics().snapshot();
  }

  @Modified
  void modified(Map<String, Object> properties) {
    flags.changed(DaemonConfiguration.of(properties, name).flags());
  }

  /** The agent is to end, and with it a process that is nothing else (rules 181, 185). */
  private void end() {
    // It may be so before this is done with its start.
    started.join().close();
    try {
      process.endWithOnlyDaemon();
    } catch (IOException | BundleException | RuntimeException e) {
      LOG.error("Agent '{}' has ended and the process has not; stop it", name, e);
    }
  }

  @Deactivate
  void stop() {
    signal.remove(leave);
    agent.close();
  }
}
