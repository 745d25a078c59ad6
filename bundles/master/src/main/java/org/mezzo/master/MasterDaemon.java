package org.mezzo.master;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.mezzo.coordination.Coordination;
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
import org.mezzo.link.LinkServer;
import org.mezzo.master.commands.ClusterCommands;
import org.mezzo.master.commands.OperatorCommands;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;

/**
 * A master that exists because its configuration does: one per configuration of the factory {@code
 * org.mezzo.master}. Properties are flags in text form by name, and {@code mezzo.daemon}, the name
 * of the daemon in its process. The flags that select modules can be changed while it runs.
 */
@Component(
    configurationPid = MasterDaemon.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    service = {MasterDaemon.class, RunningDaemon.class},
    immediate = true)
public final class MasterDaemon implements RunningDaemon {
  /** The factory PID whose configurations are masters. */
  static final String PID = "org.mezzo.master";

  private final String name;
  private final Flags startedWith;
  private final Master master;
  private final FollowedFlags<MasterFlags> flags;
  private final List<ServiceRegistration<?>> commands = new ArrayList<>();

  @Activate
  public MasterDaemon(
      BundleContext bundle,
      Map<String, Object> properties,
      @Reference ModuleLeases modules,
      @Reference Deployments deployments,
      @Reference Coordination coordination,
      @Reference HttpConnectors connectors,
      @Reference LinkServer links,
      @Reference HostModules hostModules,
      @Reference Verbosity verbosity)
      throws IOException, FlagException {
    FlagDefinitions definitions = definitions();
    DaemonConfiguration configuration = DaemonConfiguration.of(properties, "master");
    MasterFlags given = MasterFlags.of(definitions.parse(configuration.flags()));
    name = configuration.name();
    startedWith = given.daemon().all();
    master =
        DaemonFrame.open(configuration.name(), Master.KIND, given.daemon(), modules, connectors)
            .start(
                frame -> {
                  configuration.log().ifPresent(frame::showLog);
                  frame.router().add(new LoggingEndpoint(verbosity));
                  LoggersEndpoint.install(frame, new LoggerLevels(verbosity, modules, deployments));
                  ModuleChanges.install(frame, Master.KIND.metrics(), deployments);
                  Master made = new Master(frame, given, coordination, links, verbosity);
                  made.follow(hostModules);
                  return made;
                });
    flags =
        new FollowedFlags<>(
                "master '" + configuration.name() + "'",
                definitions,
                MasterFlags::of,
                configuration.flags())
            .follow("allocator", next -> master.selectAllocator(next.allocation().allocator()))
            .follow("hooks", next -> master.selectHooks(next.daemon().hooks()))
            .follow("anonymous_modules", next -> master.selectAnonymous(next.daemon().anonymous()))
            .follow("master_contender", next -> master.selectContender(next.election()))
            .follow("master_detector", next -> master.selectDetector(next.election()));
    for (String flag : BorderFlags.GUARDS) {
      flags.follow(flag, next -> master.selectGuards(next.daemon().border()));
    }
    commands.add(
        offer(bundle, master.offerCommands(), List.of("explain"), List.of(), List.of("explain")));
    commands.add(
        offer(
            bundle,
            master.clusterCommands(),
            ClusterCommands.FUNCTIONS,
            List.of(),
            List.of("tasks")));
    commands.add(
        offer(
            bundle,
            master.operatorCommands(),
            OperatorCommands.LOOKING,
            OperatorCommands.CHANGING,
            OperatorCommands.CHANGING));
  }

  /** Offers commands to the shell: some that look, and some that change something. */
  private static ServiceRegistration<?> offer(
      BundleContext bundle,
      Function<List<String>, Collection<String>> commands,
      List<String> looking,
      List<String> changing,
      List<String> completed) {
    return bundle.registerService(
        new String[] {commands.getClass().getName(), Function.class.getName()},
        commands,
        new Hashtable<>(
            Map.of(
                "osgi.command.scope",
                "mezzo",
                "osgi.command.function",
                Stream.concat(looking.stream(), changing.stream()).toArray(String[]::new),
                "mezzo.command.view",
                looking.toArray(String[]::new),
                "mezzo.command.operate",
                changing.toArray(String[]::new),
                "mezzo.command.completion",
                completed.toArray(String[]::new))));
  }

  /** The flags of a master. */
  static FlagDefinitions definitions() {
    return FlagDefinitions.read(
        MasterDaemon.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE));
  }

  /** Takes over what can be changed while the master runs. */
  @Modified
  void modified(Map<String, Object> properties) {
    flags.changed(DaemonConfiguration.of(properties, "master").flags());
  }

  /** The running master. */
  public Master master() {
    return master;
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
    return master.metrics().snapshot();
  }

  @Deactivate
  void stop() {
    commands.forEach(ServiceRegistration::unregister);
    master.close();
  }
}
