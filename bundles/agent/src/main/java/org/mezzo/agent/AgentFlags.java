package org.mezzo.agent;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.agent.checkpoint.Reconfiguration;
import org.mezzo.agent.detection.Attributes;
import org.mezzo.agent.oversubscription.Oversubscription;
import org.mezzo.agent.registration.LinkCredentials;
import org.mezzo.agent.registration.MasterCredential;
import org.mezzo.agent.sandboxes.SandboxRetention;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tasks.TaskEnvironment;
import org.mezzo.agent.tokens.ExecutorSecrets;
import org.mezzo.agent.tokens.ExecutorTokens;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.LauncherChoice;
import org.mezzo.coordination.MasterLocation;
import org.mezzo.daemon.configuration.DaemonFlags;
import org.mezzo.daemon.configuration.FlagTexts;
import org.mezzo.flags.FlagException;
import org.mezzo.flags.Flags;
import org.mezzo.protocol.v1.Attribute;

/**
 * The flags of an agent, each read and checked once. Immutable.
 *
 * @param daemon those that every daemon has
 * @param sandboxes how long sandboxes of the past stay
 * @param containers how containers are made
 * @param tokens of executors, where {@code --jwt_secret_key} has a key for them
 * @param secretGenerator who makes what executors are known by; empty where they get nothing
 * @param heartbeat {@code --http_heartbeat_interval}, of what containers write
 * @param oversubscription who says what is lent
 */
public record AgentFlags(
    DaemonFlags daemon,
    Registration registration,
    Recovering recovering,
    Equipment equipment,
    SandboxRetention sandboxes,
    Tasks tasks,
    ContainerizerOptions containers,
    Optional<ExecutorTokens> tokens,
    Optional<String> secretGenerator,
    Duration heartbeat,
    Oversubscription.Options oversubscription) {

  /** Rule 181. */
  private static final String DEFAULT_LOGGER = "rotating";

  /** Mesos's only one; what it shows masters of Mesos is shown here by HTTP. */
  private static final String MESOS_AUTHENTICATEE = "crammd5";

  private static final Duration LONGEST_REREGISTRATION = Duration.ofSeconds(15);

  /**
   * How the agent comes to its master.
   *
   * @param master {@code --master}, where it is given
   * @param detector {@code --master_detector}, where it is given; one of both is
   * @param backoff {@code --registration_backoff_factor}
   * @param authenticatee the module that says what the agent shows its master
   */
  public record Registration(
      Optional<String> master, Optional<String> detector, Duration backoff, String authenticatee) {

    /**
     * The name of the module that says who leads.
     *
     * @throws IllegalArgumentException when {@code --master} cannot be read and no module is named;
     *     the message says how
     */
    public String detection() {
      return detector.orElseGet(
          () -> {
            try {
              return MasterLocation.parse(master.orElse("")).zooKeeper().isPresent()
                  ? "zookeeper"
                  : "standalone";
            } catch (IllegalArgumentException e) {
              throw new IllegalArgumentException("--master: " + e.getMessage(), e);
            }
          });
    }
  }

  /**
   * How the agent goes on with what an earlier process left.
   *
   * @param reconfiguration {@code --reconfiguration_policy}
   * @param strict {@code --strict}
   * @param cleanup whether it ends everything and then itself: {@code --recover=cleanup}
   */
  public record Recovering(Reconfiguration reconfiguration, boolean strict, boolean cleanup) {}

  /**
   * What the agent says to have.
   *
   * @param resources {@code --resources}, empty for what the machine has
   * @param defaultRole {@code --default_role}
   * @param attributes {@code --attributes}
   */
  public record Equipment(String resources, String defaultRole, List<Attribute> attributes) {}

  /**
   * How tasks are run.
   *
   * @param environment {@code --executor_environment_variables}; without it what the agent itself
   *     was given
   * @param times as they were written, for executors
   * @param limits what bounds executors and tasks
   */
  public record Tasks(
      Map<String, String> environment, TaskEnvironment.Times times, AgentTasks.Limits limits) {}

  /**
   * Reads the flags of an agent.
   *
   * @throws FlagException for the first that is missing or cannot be read; names it and says what
   *     is wrong
   */
  public static AgentFlags of(Flags flags) throws FlagException {
    Optional<ExecutorTokens> tokens =
        FlagTexts.read(flags, "jwt_secret_key", file -> ExecutorTokens.read(Path.of(file)));
    return new AgentFlags(
        DaemonFlags.of(Role.AGENT, flags, folders(flags)),
        registration(flags),
        recovering(flags),
        new Equipment(
            flags.text("resources").orElse(""),
            flags.text("default_role").orElse("*"),
            FlagTexts.read(flags, "attributes", Attributes::parse).orElse(List.of())),
        new SandboxRetention(
            flags.duration("gc_delay"),
            flags.decimal("gc_disk_headroom"),
            flags.duration("disk_watch_interval"),
            flags.bool("gc_non_executor_container_sandboxes")),
        new Tasks(
            FlagTexts.read(flags, "executor_environment_variables", AgentFlags::variables)
                .orElseGet(() -> TaskEnvironment.inherited(System.getenv())),
            new TaskEnvironment.Times(
                flags.text("executor_shutdown_grace_period").orElse("5secs"),
                flags.text("recovery_timeout").orElse("15mins"),
                flags.text("executor_reregistration_timeout").orElse("2secs")),
            new AgentTasks.Limits(
                flags.duration("executor_shutdown_grace_period"),
                flags.duration("executor_registration_timeout"),
                flags.text("executor_registration_timeout").orElse("1mins"),
                reregistrationTimeout(flags),
                (int)
                    Math.min(
                        Integer.MAX_VALUE,
                        flags.integer("max_completed_executors_per_framework")))),
        containers(flags),
        tokens,
        secretGenerator(flags, tokens.isPresent()),
        flags.duration("http_heartbeat_interval"),
        oversubscription(flags));
  }

  private static Optional<String> secretGenerator(Flags flags, boolean key) throws FlagException {
    boolean demanded = flags.bool("authenticate_http_executors");
    Optional<String> named = flags.text("secret_generator").filter(name -> !name.isEmpty());
    if (named.isPresent() && !named.get().equals(ExecutorSecrets.DEFAULT)) {
      if (demanded && FlagTexts.list(flags, "http_authenticators").isEmpty()) {
        throw new FlagException(
            "--secret_generator="
                + named.get()
                + " makes secrets that the agent itself does not know: name the authenticator that"
                + " knows them in --http_authenticators");
      }
      return named;
    }
    if (!key && (demanded || named.isPresent())) {
      throw new FlagException(
          (demanded ? "--authenticate_http_executors" : "--secret_generator=" + named.get())
              + " needs --jwt_secret_key: give a file with 32 random bytes or more, by which the"
              + " tokens of executors are signed, and keep it for restarts");
    }
    return key ? Optional.of(ExecutorSecrets.DEFAULT) : Optional.empty();
  }

  private static Oversubscription.Options oversubscription(Flags flags) throws FlagException {
    Duration estimates = flags.duration("oversubscribed_resources_interval");
    if (estimates.isZero()) {
      throw new FlagException("--oversubscribed_resources_interval must be more than 0");
    }
    return new Oversubscription.Options(
        flags.text("resource_estimator").filter(name -> !name.isEmpty()),
        estimates,
        flags.text("qos_controller").filter(name -> !name.isEmpty()),
        flags.duration("qos_correction_interval_min"));
  }

  private static Duration reregistrationTimeout(Flags flags) throws FlagException {
    Duration timeout = flags.duration("executor_reregistration_timeout");
    if (timeout.compareTo(LONGEST_REREGISTRATION) > 0) {
      throw new FlagException(
          "--executor_reregistration_timeout must be at most "
              + LONGEST_REREGISTRATION.toSeconds()
              + "secs");
    }
    return timeout;
  }

  private static DaemonFlags.Folders folders(Flags flags) throws FlagException {
    Path work =
        FlagTexts.read(flags, "work_dir", Path::of)
            .orElseThrow(
                () ->
                    new FlagException(
                        "--work_dir is missing: give a folder that outlives reboots"));
    return new DaemonFlags.Folders(
        work,
        Optional.of(
            FlagTexts.read(flags, "runtime_dir", Path::of)
                .orElseGet(AgentFlags::defaultRuntimeDir)));
  }

  private static Path defaultRuntimeDir() {
    Path run = Path.of("/var/run");
    return Files.isWritable(run)
        ? run.resolve("mezzo").resolve("agent")
        : Path.of(System.getProperty("java.io.tmpdir"))
            .resolve("mezzo-agent-" + System.getProperty("user.name"));
  }

  private static Registration registration(Flags flags) throws FlagException {
    Optional<String> master = flags.text("master");
    Optional<String> detector = flags.text("master_detector").filter(name -> !name.isEmpty());
    if (master.isEmpty() && detector.isEmpty()) {
      throw new FlagException(
          "--master is missing: give host:port, zk://host:port/path or file://path");
    }
    FlagTexts.read(flags, "credential", file -> MasterCredential.check(Path.of(file)));
    return new Registration(
        master,
        detector,
        flags.duration("registration_backoff_factor"),
        flags
            .text("authenticatee")
            .filter(name -> !name.isEmpty() && !name.equals(MESOS_AUTHENTICATEE))
            .orElse(LinkCredentials.DEFAULT));
  }

  private static Recovering recovering(Flags flags) throws FlagException {
    String recover = flags.text("recover").orElse("reconnect");
    if (!recover.equals("reconnect") && !recover.equals("cleanup")) {
      throw new FlagException("--recover must be 'reconnect' or 'cleanup', not '" + recover + "'");
    }
    return new Recovering(
        FlagTexts.read(flags, "reconfiguration_policy", Reconfiguration::of)
            .orElse(Reconfiguration.ADDITIVE),
        flags.bool("strict"),
        recover.equals("cleanup"));
  }

  private static ContainerizerOptions containers(Flags flags) throws FlagException {
    return new ContainerizerOptions(
        FlagTexts.list(flags, "isolation"),
        flags.bool("switch_user"),
        Optional.of(
            new ContainerizerOptions.CgroupRoot(
                FlagTexts.read(flags, "cgroups_hierarchy", Path::of)
                    .orElseGet(() -> Path.of("/sys/fs/cgroup")),
                flags.text("cgroups_root").orElse("mesos"))),
        fetching(flags),
        Path.of("/bin/sh"),
        launcher(flags),
        logging(flags),
        flags.text("secret_resolver").orElseThrow());
  }

  private static ContainerizerOptions.Fetching fetching(Flags flags) throws FlagException {
    return new ContainerizerOptions.Fetching(
        FlagTexts.read(flags, "frameworks_home", Path::of),
        flags.duration("fetcher_stall_timeout"),
        FlagTexts.read(flags, "fetcher_cache_dir", Path::of),
        flags.bytes("fetcher_cache_size"),
        flags.bool("fetcher_cache_persist"),
        flags.bytes("fetcher_extraction_limit"));
  }

  private static ContainerizerOptions.Logging logging(Flags flags) {
    return flags
        .text("container_logger")
        .map(name -> new ContainerizerOptions.Logging(Optional.of(name), true))
        .orElseGet(() -> new ContainerizerOptions.Logging(Optional.of(DEFAULT_LOGGER), false));
  }

  private static LauncherChoice launcher(Flags flags) throws FlagException {
    Optional<LauncherChoice.Kind> kind =
        switch (flags.text("launcher").orElse("")) {
          // Those of Mesos say nothing of how processes are started here.
          case "", "linux", "posix" -> Optional.empty();
          case "native" -> Optional.of(LauncherChoice.Kind.NATIVE);
          case "shell" -> Optional.of(LauncherChoice.Kind.SHELL);
          default ->
              throw new FlagException(
                  "--launcher="
                      + flags.text("launcher").orElse("")
                      + ": there are native and shell");
        };
    Optional<Path> libraries = FlagTexts.read(flags, "launcher_dir", Path::of);
    if (libraries.isEmpty()) {
      libraries =
          Optional.ofNullable(System.getProperty("mezzo.home"))
              .map(home -> Path.of(home, "lib", "native"));
    }
    return new LauncherChoice(kind, libraries.map(LauncherChoice::programIn));
  }

  private static Map<String, String> variables(String text) throws IOException {
    Map<String, String> variables = new HashMap<>();
    try (JsonParser json = new JsonFactory().createParser(text)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("it must be an object of texts");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        if (json.nextToken() != JsonToken.VALUE_STRING) {
          throw new IOException("the value of '" + key + "' must be a text");
        }
        variables.put(key, json.getText());
      }
    }
    return variables;
  }
}
