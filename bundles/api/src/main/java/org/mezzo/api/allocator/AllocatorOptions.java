package org.mezzo.api.allocator;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.resources.Quantities;

/**
 * The master flags that shape allocation.
 *
 * @param roleSorter {@code drf} or {@code random}
 * @param frameworkSorter {@code drf} or {@code random}
 * @param excludedResourceNames names that do not count in the dominant share
 * @param filterGpuResources hide agents with GPUs from frameworks without {@code GPU_RESOURCES}
 * @param minAllocatable an offer must contain one of these; empty means anything will do
 * @param region the region of the master's fault domain; empty when it has none
 */
public record AllocatorOptions(
    String roleSorter,
    String frameworkSorter,
    Set<String> excludedResourceNames,
    boolean filterGpuResources,
    List<Quantities> minAllocatable,
    Optional<String> region) {

  /** The defaults of hierarchical-allocator.md section 1. */
  public static AllocatorOptions defaults() {
    return new AllocatorOptions(
        "drf",
        "drf",
        Set.of(),
        true,
        List.of(Quantities.of("cpus", 10), Quantities.of("mem", 32_000)),
        Optional.empty());
  }
}
