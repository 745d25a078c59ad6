package org.mezzo.containerizer;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.resources.Resources;

/** What to run. Immutable. */
public final class LaunchRequest {
  private final ContainerId containerId;
  private final CommandInfo command;
  private final Path sandbox;
  private final Map<String, String> environment;
  private final Map<String, Secret> secrets;
  private final Optional<String> user;
  private final Resources resources;
  private final Resources limits;
  private final Optional<ContainerInfo> info;
  private final boolean rootAllowed;
  private final List<Path> owned;
  private final List<Path> shared;
  private final boolean kept;
  private final ContainerIo io;
  private final boolean enclosure;
  private final List<BindMount> mounts;

  private LaunchRequest(Builder builder) {
    containerId = builder.containerId;
    command = builder.command;
    sandbox = builder.sandbox;
    environment = builder.environment;
    secrets = builder.secrets;
    user = builder.user;
    resources = builder.resources;
    limits = builder.limits;
    info = builder.info;
    rootAllowed = builder.rootAllowed;
    owned = builder.owned;
    shared = builder.shared;
    kept = builder.kept || containerId.parent().isPresent() && !builder.passing;
    io = builder.io;
    enclosure = builder.enclosure;
    mounts = builder.mounts;
  }

  /**
   * A request without variables, resources and limits, as the agent's own account, which may be
   * root.
   *
   * @param containerId one whose parent, if it has one, runs
   * @param command what runs and which URIs it needs (rules 200, 320); its environment and user are
   *     not looked at, they come as {@code environment} and {@code user}
   * @param sandbox absolute; made if it does not exist. That of a nested container is either its
   *     parent's own (those of the class DEBUG) or {@code containers/<value>} in that
   */
  public static Builder builder(ContainerId containerId, CommandInfo command, Path sandbox) {
    return new Builder(containerId, command, sandbox);
  }

  /**
   * A request for an enclosure: a container without a process and without limits, which only holds
   * those that are nested in it. Each of these is made and isolated like one that is nested in
   * none. It is there until it is destroyed, and they go before it. Folders that they share in its
   * sandbox belong to its user.
   *
   * @param containerId nested in none
   * @param sandbox absolute; whoever asks makes it. That of a container in it is {@code
   *     containers/<value>} in that
   */
  public static Builder enclosure(ContainerId containerId, Path sandbox) {
    Builder builder = builder(containerId, CommandInfo.getDefaultInstance(), sandbox);
    builder.enclosure = true;
    return builder;
  }

  /** Unique on the agent. */
  public ContainerId containerId() {
    return containerId;
  }

  /** What runs and which URIs it needs. */
  public CommandInfo command() {
    return command;
  }

  /** Where it runs; absolute. */
  public Path sandbox() {
    return sandbox;
  }

  /** The environment of the first process but {@link #secrets}; isolators may add to it. */
  public Map<String, String> environment() {
    return environment;
  }

  /** Variables beside {@link #environment} whose values a secret resolver knows, by their names. */
  public Map<String, Secret> secrets() {
    return secrets;
  }

  /** The account to run as; empty means the agent's own. */
  public Optional<String> user() {
    return user;
  }

  /** What the container may use, without allocation role. */
  public Resources resources() {
    return resources;
  }

  /** Scalars that may be used beyond {@link #resources}; empty when there are none. */
  public Resources limits() {
    return limits;
  }

  /** As the framework gave it, if it did; of its volumes none but {@link ContainerVolume}s. */
  public Optional<ContainerInfo> info() {
    return info;
  }

  /**
   * Whether the command may run as an account with the user id 0; looked at only where containers
   * run as their user ({@code --switch_user}, an agent that is root).
   */
  public boolean rootAllowed() {
    return rootAllowed;
  }

  /**
   * Directories beside the sandbox itself that are given to the user before anything runs, not what
   * is in them; nobody but the agent may be able to exchange one.
   */
  public List<Path> owned() {
    return owned;
  }

  /**
   * Directories in the sandbox of the container around that are given to the user of that one,
   * where a volume of type PARENT is asked for; likewise.
   */
  public List<Path> shared() {
    return shared;
  }

  /**
   * Whether it is known how the container ended until it is {@linkplain Containerizer#remove
   * removed}; of nested ones it is unless they are {@linkplain Builder#passing passing}.
   */
  public boolean kept() {
    return kept;
  }

  /** What its first process reads and writes. */
  public ContainerIo io() {
    return io;
  }

  /** What is mounted for it before the volumes of {@link #info}; needs mounts. */
  public List<BindMount> mounts() {
    return mounts;
  }

  /** Whether it has no process, and only holds others. */
  public boolean enclosure() {
    return enclosure;
  }

  /** Puts a request together. */
  public static final class Builder {
    private final ContainerId containerId;
    private final CommandInfo command;
    private final Path sandbox;
    private Map<String, String> environment = Map.of();
    private Map<String, Secret> secrets = Map.of();
    private Optional<String> user = Optional.empty();
    private Resources resources = Resources.EMPTY;
    private Resources limits = Resources.EMPTY;
    private Optional<ContainerInfo> info = Optional.empty();
    private boolean rootAllowed = true;
    private List<Path> owned = List.of();
    private List<Path> shared = List.of();
    private boolean kept;
    private boolean passing;
    private ContainerIo io = ContainerIo.FILES;
    private boolean enclosure;
    private List<BindMount> mounts = List.of();

    private Builder(ContainerId containerId, CommandInfo command, Path sandbox) {
      this.containerId = Objects.requireNonNull(containerId, "containerId");
      this.command = Objects.requireNonNull(command, "command");
      this.sandbox = Objects.requireNonNull(sandbox, "sandbox");
    }

    /** With these variables and no others but those of isolators. */
    public Builder environment(Map<String, String> variables) {
      environment = Map.copyOf(variables);
      return this;
    }

    /** With variables that are secrets; they win over others of their names. */
    public Builder secrets(Map<String, Secret> variables) {
      secrets = Map.copyOf(variables);
      return this;
    }

    /** As that account; empty means the agent's own. */
    public Builder user(Optional<String> account) {
      user = account;
      return this;
    }

    /** With that request and, where it is not empty, these limits. */
    public Builder resources(Resources requested, Resources limited) {
      resources = requested;
      limits = limited;
      return this;
    }

    /** As a framework described it. */
    public Builder info(Optional<ContainerInfo> described) {
      info = described;
      return this;
    }

    /** Whether the command may run as root. */
    public Builder rootAllowed(boolean allowed) {
      rootAllowed = allowed;
      return this;
    }

    /** With directories that are given to the user. */
    public Builder owned(List<Path> folders) {
      owned = List.copyOf(folders);
      return this;
    }

    /** With directories that are given to the user of the container around. */
    public Builder shared(List<Path> folders) {
      shared = List.copyOf(folders);
      return this;
    }

    /** Its end is known until it is removed. */
    public Builder kept() {
      kept = true;
      return this;
    }

    /**
     * Nothing is known of it once it is gone, though it is nested: how it ended is told to whoever
     * launched it.
     */
    public Builder passing() {
      passing = true;
      return this;
    }

    /** With that to read and write; {@link ContainerIo#FILES} unless it is said. */
    public Builder io(ContainerIo streams) {
      io = streams;
      return this;
    }

    /** With these mounts, in their order. */
    public Builder mounts(List<BindMount> mounted) {
      mounts = List.copyOf(mounted);
      return this;
    }

    /** The request. */
    public LaunchRequest build() {
      return new LaunchRequest(this);
    }
  }
}
