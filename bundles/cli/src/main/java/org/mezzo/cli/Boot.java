package org.mezzo.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.files.OwnFolder;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;
import org.mezzo.host.Host;
import org.mezzo.host.HostException;
import org.mezzo.host.HostLog;
import org.mezzo.host.HostOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns daemons and their flags into configurations and boots a host with them. */
final class Boot {
  private static final Logger LOG = LoggerFactory.getLogger("mezzo");
  private static final int WITHOUT_SHELL = 20;
  private static final int WITH_SHELL = 30;

  /** What libraries tell of themselves at every start interests only who looks for a mistake. */
  static final List<String> LIBRARIES =
      List.of("org.apache", "org.eclipse.jetty", "io.netty", "org.jline");

  /** An orderly stop beyond what running executors are granted. */
  private static final Duration STOP = Duration.ofSeconds(5);

  private final Home home;
  private final Path runtime;
  private final Path deployment;
  private final Map<String, Map<String, Object>> configurations = new LinkedHashMap<>();
  private final List<String> notes = new ArrayList<>();
  private Duration granted = Duration.ZERO;
  private Optional<SigningFlags> signing = Optional.empty();
  private Optional<Path> log = Optional.empty();
  private boolean shell;

  /**
   * Begins with no daemon.
   *
   * @param runtime for files of the process
   * @param deployment for what is remembered about modules
   */
  Boot(Home home, Path runtime, Path deployment) {
    this.home = home;
    this.runtime = runtime;
    this.deployment = deployment;
  }

  /** Has the daemons that are added from now on show the file of the log. */
  Boot showing(Optional<Path> file) {
    log = file;
    return this;
  }

  /** Adds a daemon with the flags given for it; defaults are its own business. */
  Boot daemon(Role role, String name, FlagDefinitions definitions, Map<String, String> given)
      throws FlagException {
    Flags flags = definitions.parse(given);
    requireAcls(role, definitions, flags);
    Optional<SigningFlags> demanded = SigningFlags.of(flags);
    signing = demanded.isPresent() ? demanded : signing;
    List<String> idle = definitions.withoutEffect(given.keySet());
    if (!idle.isEmpty()) {
      notes.add(
          "Flags that have no effect in Mezzo yet: --"
              + String.join(", --", idle)
              + " ("
              + name
              + ")");
    }
    if (role == Role.AGENT) {
      Duration grace = flags.duration("executor_shutdown_grace_period");
      granted = grace.compareTo(granted) > 0 ? grace : granted;
    }
    Map<String, Object> properties = new LinkedHashMap<>(given);
    properties.put("mezzo.daemon", name);
    log.ifPresent(file -> properties.put("mezzo.log", file.toString()));
    configurations.put(role.factoryPid() + "~" + name, properties);
    return this;
  }

  /** A daemon whose rules nobody can read would refuse everything; better it does not start. */
  private static void requireAcls(Role role, FlagDefinitions definitions, Flags flags)
      throws FlagException {
    if (definitions.find("acls").isEmpty() || flags.text("acls").isEmpty()) {
      return;
    }
    String authorizer =
        flags.text(role == Role.MASTER ? "authorizers" : "authorizer").orElse("local");
    if (authorizer.equals("local")) {
      AclCommand.require(flags.text("acls").get());
    }
  }

  /** Adds an embedded ZooKeeper server. */
  Boot zooKeeper(Path dataDir, int port) {
    configurations.put(
        "org.mezzo.zookeeper~local",
        Map.of("dataDir", dataDir.toString(), "port", Integer.toString(port)));
    return this;
  }

  /** Adds the shell. */
  Boot shell(Map<String, Object> properties) {
    shell = true;
    configurations.put("org.mezzo.shell", properties);
    return this;
  }

  /**
   * Sets the log up as flags say.
   *
   * @param name of the log file
   * @return the file, where there is one
   */
  static Optional<Path> log(Flags flags, String name) throws FlagException {
    String format = flags.text("log_format").orElse("text");
    if (!format.equals("text") && !format.equals("json")) {
      throw new FlagException("flag --log_format: '" + format + "' is neither text nor json");
    }
    String level = flags.text("logging_level").orElse("INFO");
    if (!List.of("DEBUG", "INFO", "WARNING", "ERROR").contains(level)) {
      throw new FlagException(
          "flag --logging_level: '" + level + "' is none of INFO, WARNING, ERROR and DEBUG");
    }
    Optional<Path> file =
        flags.text("log_dir").map(dir -> Path.of(dir).toAbsolutePath().resolve(name + ".log"));
    HostLog.configure(
        !flags.bool("quiet"),
        format.equals("json"),
        level.equals("WARNING") ? "WARN" : level,
        file,
        LIBRARIES);
    return file;
  }

  /**
   * Boots.
   *
   * @param stopWithProcess whether SIGTERM and SIGINT stop the host in order
   * @throws HostException when a bundle or a daemon does not start, or the folder for files of the
   *     process may be somebody else's
   */
  Host start(boolean stopWithProcess) throws HostException {
    notes.forEach(LOG::warn);
    try {
      OwnFolder.closed(runtime, "Or set XDG_RUNTIME_DIR to a folder of your own");
    } catch (IOException e) {
      throw new HostException(e.getMessage(), e);
    }
    HostOptions.Builder options =
        HostOptions.builder(home.system(), runtime.resolve("host"))
            .highestLevel(shell ? WITH_SHELL : WITHOUT_SHELL)
            .stopTimeout(STOP.plus(granted))
            .frameworkProperty("mezzo.home", home.directory().toString())
            .frameworkProperty("mezzo.modules.dir", home.modules().toString())
            .frameworkProperty("mezzo.deployment.dir", deployment.toString())
            .frameworkProperty("mezzo.modules.shipped", home.shippedModules().toString())
            .frameworkProperty("mezzo.run.dir", runtime.toString());
    signing.ifPresent(flags -> flags.properties().forEach(options::frameworkProperty));
    configurations.forEach(options::configuration);
    Host host = Host.boot(options.build());
    if (stopWithProcess) {
      host.stopWithProcess();
    }
    List<String> failures = host.componentFailures();
    if (!failures.isEmpty()) {
      host.close();
      throw new HostException(String.join("\n", failures));
    }
    return host;
  }
}
