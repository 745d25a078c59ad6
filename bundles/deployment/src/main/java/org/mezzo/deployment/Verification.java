package org.mezzo.deployment;

import java.util.List;

/**
 * What would become of a jar if somebody asked for it now.
 *
 * @param fileName what it is called
 * @param symbolicName of the bundle; empty when it is none
 * @param version of the bundle; empty when it is none
 * @param digest the SHA-256 of its bytes, in hexadecimal; empty when it is no bundle
 * @param modules kind and name of the modules that it declares
 * @param installed the version that is installed; empty when none is
 * @param change what it would be: {@code install}, {@code swap}, {@code update}, or {@code none}
 *     where exactly this jar is installed; empty when it is no bundle
 * @param problems why it would be refused, in plain words; it may be installed when there are none
 * @param notes what an operator should know beforehand
 */
public record Verification(
    String fileName,
    String symbolicName,
    String version,
    String digest,
    List<String> modules,
    String installed,
    String change,
    List<String> problems,
    List<String> notes) {
  public Verification {
    modules = List.copyOf(modules);
    problems = List.copyOf(problems);
    notes = List.copyOf(notes);
  }

  /** Whether nothing speaks against it. */
  public boolean passed() {
    return problems.isEmpty();
  }
}
