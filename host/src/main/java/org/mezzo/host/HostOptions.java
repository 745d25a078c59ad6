package org.mezzo.host;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What to boot. Immutable.
 *
 * @param systemDir holds {@code NN/*.jar}: the bundles to install and their start levels
 * @param cacheRoot below it every boot makes a cache of its own, which it deletes at the end
 * @param highestLevel folders with a higher number are left out
 * @param configurations properties for Configuration Admin by PID; {@code factory~name} for the
 *     instance {@code name} of a factory PID
 * @param frameworkProperties for bundles, through {@code BundleContext.getProperty}
 * @param systemPackages packages of the class path to export to the bundles besides those of the
 *     logging API, in the syntax of {@code Export-Package}
 * @param stopTimeout how long an orderly stop may take before it is cut off
 */
public record HostOptions(
    Path systemDir,
    Path cacheRoot,
    int highestLevel,
    Map<String, Map<String, Object>> configurations,
    Map<String, String> frameworkProperties,
    List<String> systemPackages,
    Duration stopTimeout) {

  public HostOptions {
    configurations = Map.copyOf(configurations);
    frameworkProperties = Map.copyOf(frameworkProperties);
    systemPackages = List.copyOf(systemPackages);
  }

  /** Begins with all levels, no configuration and 5 s to stop. */
  public static Builder builder(Path systemDir, Path cacheRoot) {
    return new Builder(systemDir, cacheRoot);
  }

  /** Collects options; not safe for use by several threads. */
  public static final class Builder {
    private final Path systemDir;
    private final Path cacheRoot;
    private final Map<String, Map<String, Object>> configurations = new LinkedHashMap<>();
    private final Map<String, String> frameworkProperties = new LinkedHashMap<>();
    private final List<String> systemPackages = new ArrayList<>();
    private int highestLevel = 99;
    private Duration stopTimeout = Duration.ofSeconds(5);

    private Builder(Path systemDir, Path cacheRoot) {
      this.systemDir = systemDir;
      this.cacheRoot = cacheRoot;
    }

    public Builder highestLevel(int level) {
      highestLevel = level;
      return this;
    }

    public Builder configuration(String pid, Map<String, ?> properties) {
      configurations.put(pid, Map.copyOf(properties));
      return this;
    }

    public Builder frameworkProperty(String name, String value) {
      frameworkProperties.put(name, value);
      return this;
    }

    public Builder systemPackage(String clause) {
      systemPackages.add(clause);
      return this;
    }

    public Builder stopTimeout(Duration timeout) {
      stopTimeout = timeout;
      return this;
    }

    public HostOptions build() {
      return new HostOptions(
          systemDir,
          cacheRoot,
          highestLevel,
          configurations,
          frameworkProperties,
          systemPackages,
          stopTimeout);
    }
  }
}
