package org.mezzo.api.isolator;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.resources.Resources;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A container as isolators see it. Immutable; made by the agent and, in tests, with {@link
 * #builder}. More may be known of a container in later versions.
 */
@ProviderType
public final class Container {
  private final String id;
  private final Optional<String> parent;
  private final Path sandbox;
  private final String user;
  private final Resources resources;
  private final Resources limits;
  private final Optional<ContainerInfo> info;
  private final OptionalLong pid;

  private Container(Builder builder) {
    id = builder.id;
    parent = builder.parent;
    sandbox = builder.sandbox;
    user = builder.user;
    resources = builder.resources;
    limits = builder.limits;
    info = builder.info;
    pid = builder.pid;
  }

  /**
   * A container without parent, resources, limits, description and process, of the user that runs
   * the agent.
   *
   * @param id unique on the agent, a file name
   * @param sandbox absolute
   */
  public static Builder builder(String id, Path sandbox) {
    return new Builder(id, sandbox);
  }

  /** The same, to be changed. */
  public Builder toBuilder() {
    Builder builder = new Builder(id, sandbox);
    builder.parent = parent;
    builder.user = user;
    builder.resources = resources;
    builder.limits = limits;
    builder.info = info;
    builder.pid = pid;
    return builder;
  }

  /** Unique on the agent, a file name. */
  public String id() {
    return id;
  }

  /** The id of the container in which it is nested; empty when in none. */
  public Optional<String> parent() {
    return parent;
  }

  /** Where its processes begin; absolute. */
  public Path sandbox() {
    return sandbox;
  }

  /** The account its processes run as. */
  public String user() {
    return user;
  }

  /** What it may use, without allocation role. */
  public Resources resources() {
    return resources;
  }

  /**
   * Scalars that may be used beyond the request; empty when limits equal requests. What is infinite
   * is 10^12 of its unit, or more.
   */
  public Resources limits() {
    return limits;
  }

  /** As the framework gave it, if it did. */
  public Optional<ContainerInfo> info() {
    return info;
  }

  /** Of its first process; empty before it exists. */
  public OptionalLong pid() {
    return pid;
  }

  @Override
  public String toString() {
    return id;
  }

  /** Puts a container together. */
  public static final class Builder {
    private final String id;
    private final Path sandbox;
    private Optional<String> parent = Optional.empty();
    private String user = System.getProperty("user.name");
    private Resources resources = Resources.EMPTY;
    private Resources limits = Resources.EMPTY;
    private Optional<ContainerInfo> info = Optional.empty();
    private OptionalLong pid = OptionalLong.empty();

    private Builder(String id, Path sandbox) {
      this.id = id;
      this.sandbox = sandbox;
    }

    /** Nested in that container. */
    public Builder parent(String containerId) {
      parent = Optional.of(containerId);
      return this;
    }

    /** Running as that account. */
    public Builder user(String account) {
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
    public Builder info(ContainerInfo described) {
      info = Optional.of(described);
      return this;
    }

    /** With a first process. */
    public Builder pid(long first) {
      pid = OptionalLong.of(first);
      return this;
    }

    /** The container. */
    public Container build() {
      return new Container(this);
    }
  }
}
