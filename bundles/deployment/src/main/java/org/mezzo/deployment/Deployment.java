package org.mezzo.deployment;

import java.util.List;

/**
 * One wanted bundle and what has become of it.
 *
 * @param symbolicName of the bundle; the file's name when it cannot be read
 * @param version that is installed; that of the file when none is
 * @param digest the SHA-256 of its bytes, in hexadecimal; empty when they are no bundle
 * @param shipped whether exactly this came with the distribution
 * @param file the name of its jar in the hot folder; empty when it has none
 * @param state {@code active}, {@code unresolved}, {@code failed}, {@code unreadable}, {@code
 *     superseded} (another jar with its symbolic name came later) or {@code stuck} (it does not
 *     return from being started or stopped, is used by nobody and ends with the process)
 * @param problem what is wrong and what to do, in plain words; empty when nothing is
 * @param bundleId -1 when nothing is installed
 * @param modules kind and name of the modules it declares, for example {@code allocator
 *     hierarchical}
 */
public record Deployment(
    String symbolicName,
    String version,
    String digest,
    boolean shipped,
    String file,
    String state,
    String problem,
    long bundleId,
    List<String> modules) {
  public Deployment {
    modules = List.copyOf(modules);
  }
}
