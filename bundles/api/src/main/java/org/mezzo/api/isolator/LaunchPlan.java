package org.mezzo.api.isolator;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.osgi.annotation.versioning.ProviderType;

/**
 * How a container's first process is to be started, as far as one isolator is concerned. The agent
 * joins what all of them say and has its launcher carry it out. A launch fails when two isolators
 * contradict each other, or when the launcher cannot do what one asks for; the failure names the
 * isolator and the {@link Feature}. Nothing is ever left out in silence.
 *
 * <p>Immutable. May have more parts in later versions; today's launchers carry out {@link
 * Feature#ENVIRONMENT} and {@link Feature#RLIMITS}, the native one {@link Feature#TTY}, too, and as
 * root {@link Feature#NAMESPACES} (of those {@link Namespace#MOUNT}) and {@link Feature#MOUNTS}
 * (bind mounts with the options {@code ro} and {@code rw}).
 */
@ProviderType
public final class LaunchPlan {
  /** Nothing special. */
  public static final LaunchPlan NONE = builder().build();

  /** What a plan can ask of a launcher. */
  public enum Feature {
    ENVIRONMENT,
    NAMESPACES,
    MOUNTS,
    CGROUP,
    CAPABILITIES,
    DEVICES,
    RLIMITS,
    USER,
    ROOTFS,
    TTY
  }

  /** Namespaces of the kernel that a container can have for itself. */
  public enum Namespace {
    CGROUP,
    IPC,
    MOUNT,
    NETWORK,
    PID,
    USER,
    UTS
  }

  /**
   * A mount in the container's own mount namespace, made in the order of the plan.
   *
   * @param source a path, or what the type takes
   * @param target absolute, inside of the root filesystem
   * @param type as in mount(8); empty for a bind mount
   * @param options as in mount(8), for example {@code ro}
   */
  public record Mount(String source, Path target, Optional<String> type, Set<String> options) {
    public Mount {
      options = Set.copyOf(options);
    }
  }

  /**
   * A device that the container may use.
   *
   * @param path absolute, of the agent's machine and in the container
   * @param access some of {@code r}, {@code w}, {@code m}
   */
  public record Device(Path path, String access) {}

  /**
   * A limit as in setrlimit(2).
   *
   * @param soft empty for no limit
   * @param hard empty for no limit
   */
  public record Rlimit(OptionalLong soft, OptionalLong hard) {}

  private final Map<String, String> environment;
  private final Set<Namespace> namespaces;
  private final List<Mount> mounts;
  private final Optional<Path> cgroup;
  private final Optional<Set<String>> capabilities;
  private final List<Device> devices;
  private final Map<String, Rlimit> rlimits;
  private final Optional<String> user;
  private final Optional<Path> rootfs;
  private final boolean tty;
  private final byte[] state;

  private LaunchPlan(Builder builder) {
    environment = Collections.unmodifiableMap(new TreeMap<>(builder.environment));
    namespaces = Collections.unmodifiableSet(new TreeSet<>(builder.namespaces));
    mounts = List.copyOf(builder.mounts);
    cgroup = builder.cgroup;
    capabilities = builder.capabilities;
    devices = List.copyOf(builder.devices);
    rlimits = Collections.unmodifiableMap(new TreeMap<>(builder.rlimits));
    user = builder.user;
    rootfs = builder.rootfs;
    tty = builder.tty;
    state = builder.state.clone();
  }

  /** An empty plan, to be filled. */
  public static Builder builder() {
    return new Builder();
  }

  /** A plan that adds these variables to the environment of the task, and does nothing else. */
  public static LaunchPlan environment(Map<String, String> variables) {
    Builder builder = builder();
    variables.forEach(builder::variable);
    return builder.build();
  }

  /**
   * Variables for the task; of two isolators that set the same one, the later one's value holds.
   */
  public Map<String, String> environment() {
    return environment;
  }

  /** Namespaces of its own. */
  public Set<Namespace> namespaces() {
    return namespaces;
  }

  /** Mounts, in the order in which they are made. */
  public List<Mount> mounts() {
    return mounts;
  }

  /** The cgroup, version 2, in which the process begins; absolute. */
  public Optional<Path> cgroup() {
    return cgroup;
  }

  /** Names, for example {@code CAP_NET_RAW}, of all capabilities it has; empty: as they are. */
  public Optional<Set<String>> capabilities() {
    return capabilities;
  }

  /** Devices it may use beside the usual ones. */
  public List<Device> devices() {
    return devices;
  }

  /** By name as in setrlimit(2), for example {@code RLIMIT_NOFILE}. */
  public Map<String, Rlimit> rlimits() {
    return rlimits;
  }

  /** The account to run as instead of the task's user. */
  public Optional<String> user() {
    return user;
  }

  /** The directory that becomes its root; absolute. */
  public Optional<Path> rootfs() {
    return rootfs;
  }

  /** Whether it gets a terminal. */
  public boolean tty() {
    return tty;
  }

  /**
   * What the isolator wants to be told of this container when an instance of it takes over; the
   * agent keeps it and does not look into it. A copy.
   */
  public byte[] state() {
    return state.clone();
  }

  /** What a launcher has to be able to do for this plan. */
  public Set<Feature> features() {
    Set<Feature> features = new TreeSet<>();
    note(features, Feature.ENVIRONMENT, !environment.isEmpty());
    note(features, Feature.NAMESPACES, !namespaces.isEmpty());
    note(features, Feature.MOUNTS, !mounts.isEmpty());
    note(features, Feature.CGROUP, cgroup.isPresent());
    note(features, Feature.CAPABILITIES, capabilities.isPresent());
    note(features, Feature.DEVICES, !devices.isEmpty());
    note(features, Feature.RLIMITS, !rlimits.isEmpty());
    note(features, Feature.USER, user.isPresent());
    note(features, Feature.ROOTFS, rootfs.isPresent());
    note(features, Feature.TTY, tty);
    return features;
  }

  private static void note(Set<Feature> features, Feature feature, boolean present) {
    if (present) {
      features.add(feature);
    }
  }

  /** Puts a plan together. */
  public static final class Builder {
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final Set<Namespace> namespaces = new LinkedHashSet<>();
    private final List<Mount> mounts = new ArrayList<>();
    private Optional<Path> cgroup = Optional.empty();
    private Optional<Set<String>> capabilities = Optional.empty();
    private final List<Device> devices = new ArrayList<>();
    private final Map<String, Rlimit> rlimits = new LinkedHashMap<>();
    private Optional<String> user = Optional.empty();
    private Optional<Path> rootfs = Optional.empty();
    private boolean tty;
    private byte[] state = {};

    private Builder() {}

    /** Adds a variable. */
    public Builder variable(String name, String value) {
      environment.put(name, value);
      return this;
    }

    /** Gives it a namespace of its own. */
    public Builder namespace(Namespace namespace) {
      namespaces.add(namespace);
      return this;
    }

    /** Adds a mount after those before. */
    public Builder mount(Mount mount) {
      mounts.add(mount);
      return this;
    }

    /** Begins it in a cgroup. */
    public Builder cgroup(Path path) {
      cgroup = Optional.of(path);
      return this;
    }

    /** Leaves it these capabilities. */
    public Builder capabilities(Set<String> names) {
      capabilities = Optional.of(Set.copyOf(names));
      return this;
    }

    /** Lets it use a device. */
    public Builder device(Device device) {
      devices.add(device);
      return this;
    }

    /** Limits it. */
    public Builder rlimit(String name, Rlimit limit) {
      rlimits.put(name, limit);
      return this;
    }

    /** Runs it as another account. */
    public Builder user(String account) {
      user = Optional.of(account);
      return this;
    }

    /** Gives it a root of its own. */
    public Builder rootfs(Path root) {
      rootfs = Optional.of(root);
      return this;
    }

    /** Gives it a terminal. */
    public Builder tty() {
      tty = true;
      return this;
    }

    /** Keeps something for whoever takes over. */
    public Builder state(byte[] opaque) {
      state = opaque.clone();
      return this;
    }

    /** The plan. */
    public LaunchPlan build() {
      return new LaunchPlan(this);
    }
  }
}
