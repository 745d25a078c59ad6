package org.mezzo.api.allocator;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.resources.Quantities;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The master flags that shape allocation. Immutable; there may be more in later versions. The
 * defaults are those of hierarchical-allocator.md section 1.
 */
@ProviderType
public final class AllocatorOptions {
  private final Data data;

  private record Data(
      String roleSorter,
      String frameworkSorter,
      Set<String> excludedResourceNames,
      boolean filterGpuResources,
      List<Quantities> minAllocatable,
      Optional<String> region,
      double recoveryFactor,
      Duration recoveryTimeout) {}

  private AllocatorOptions(Data data) {
    this.data = data;
  }

  /** Begins with the defaults; the rest is as it is by default. */
  public static Builder builder() {
    return new Builder();
  }

  /** The same, to be changed. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.roleSorter = data.roleSorter;
    builder.frameworkSorter = data.frameworkSorter;
    builder.excludedResourceNames = data.excludedResourceNames;
    builder.filterGpuResources = data.filterGpuResources;
    builder.minAllocatable = data.minAllocatable;
    builder.region = data.region;
    builder.recoveryFactor = data.recoveryFactor;
    builder.recoveryTimeout = data.recoveryTimeout;
    return builder;
  }

  /** {@code drf} or {@code random}. */
  public String roleSorter() {
    return data.roleSorter;
  }

  /** {@code drf} or {@code random}. */
  public String frameworkSorter() {
    return data.frameworkSorter;
  }

  /** Names that do not count in the dominant share. */
  public Set<String> excludedResourceNames() {
    return data.excludedResourceNames;
  }

  /** Whether agents with GPUs are hidden from frameworks without {@code GPU_RESOURCES}. */
  public boolean filterGpuResources() {
    return data.filterGpuResources;
  }

  /** An offer must contain one of these; empty means anything will do. */
  public List<Quantities> minAllocatable() {
    return data.minAllocatable;
  }

  /** The region of the master's fault domain; empty when it has none. */
  public Optional<String> region() {
    return data.region;
  }

  /**
   * The share, from 0 to 1, of the agents of a {@link Recovery} that must be back before offers are
   * made again.
   */
  public double recoveryFactor() {
    return data.recoveryFactor;
  }

  /** The longest that offers are held because of a {@link Recovery}, from its beginning. */
  public Duration recoveryTimeout() {
    return data.recoveryTimeout;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AllocatorOptions state && data.equals(state.data);
  }

  @Override
  public int hashCode() {
    return data.hashCode();
  }

  @Override
  public String toString() {
    return data.toString();
  }

  /** Puts it together. */
  public static final class Builder {
    private String roleSorter = "drf";
    private String frameworkSorter = "drf";
    private Set<String> excludedResourceNames = Set.of();
    private boolean filterGpuResources = true;
    private List<Quantities> minAllocatable =
        List.of(Quantities.of("cpus", 10), Quantities.of("mem", 32_000));
    private Optional<String> region = Optional.empty();
    private double recoveryFactor = 0.8;
    private Duration recoveryTimeout = Duration.ofMinutes(10);

    private Builder() {}

    /** See {@link AllocatorOptions#roleSorter}. */
    public Builder roleSorter(String value) {
      roleSorter = value;
      return this;
    }

    /** See {@link AllocatorOptions#frameworkSorter}. */
    public Builder frameworkSorter(String value) {
      frameworkSorter = value;
      return this;
    }

    /** See {@link AllocatorOptions#excludedResourceNames}. */
    public Builder excludedResourceNames(Set<String> value) {
      excludedResourceNames = Set.copyOf(value);
      return this;
    }

    /** See {@link AllocatorOptions#filterGpuResources}. */
    public Builder filterGpuResources(boolean value) {
      filterGpuResources = value;
      return this;
    }

    /** See {@link AllocatorOptions#minAllocatable}. */
    public Builder minAllocatable(List<Quantities> value) {
      minAllocatable = List.copyOf(value);
      return this;
    }

    /** See {@link AllocatorOptions#region}. */
    public Builder region(Optional<String> value) {
      region = value;
      return this;
    }

    /** See {@link AllocatorOptions#recoveryFactor}. */
    public Builder recoveryFactor(double value) {
      recoveryFactor = value;
      return this;
    }

    /** See {@link AllocatorOptions#recoveryTimeout}. */
    public Builder recoveryTimeout(Duration value) {
      recoveryTimeout = value;
      return this;
    }

    /** As it is now. */
    public AllocatorOptions build() {
      return new AllocatorOptions(
          new Data(
              roleSorter,
              frameworkSorter,
              excludedResourceNames,
              filterGpuResources,
              minAllocatable,
              region,
              recoveryFactor,
              recoveryTimeout));
    }
  }
}
