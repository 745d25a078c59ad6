package org.mezzo.cli;

import java.io.IOException;
import java.util.Optional;
import org.mezzo.files.jars.NamedJar;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The jar that a command is about: a file, or a URL from which it is fetched. */
final class JarParameter {
  @Parameters(
      paramLabel = "FILE|URL",
      description = "The module's jar: a path, or a URL of file, http or https.")
  private String place;

  @Option(
      names = "--sha256",
      paramLabel = "DIGEST",
      description = "The SHA-256 that the jar must have.")
  private String sha256;

  /**
   * Finds or fetches it.
   *
   * @return to be closed
   * @throws FlagException when what is named is no file
   * @throws HostException when it cannot be fetched
   */
  NamedJar open() throws FlagException, HostException {
    return open(place, Optional.ofNullable(sha256));
  }

  /**
   * The same for a jar that is named by other parameters.
   *
   * @param place a path or a URL
   * @param sha256 the digest that it must have; empty for any
   */
  static NamedJar open(String place, Optional<String> sha256) throws FlagException, HostException {
    try {
      return NamedJar.open(place, sha256, NamedJar.Limits.USUAL, System.err::println);
    } catch (IOException e) {
      if (NamedJar.isUrl(place)) {
        throw new HostException(e.getMessage(), e);
      }
      throw new FlagException(e.getMessage());
    }
  }
}
