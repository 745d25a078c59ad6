package org.mezzo.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostLog;
import org.mezzo.protocol.v1.Credential;
import picocli.CommandLine.Option;

/** Which cluster a command looks at, and as whom. */
final class MasterTarget {
  private static final String OWN_MACHINE = "127.0.0.1:5050";

  @Option(
      names = "--master",
      paramLabel = "MASTER",
      description =
          "HOST:PORT of any master of the cluster, or zk://HOST:PORT,HOST:PORT/PATH"
              + " (default: the variable MEZZO_MASTER, else 127.0.0.1:5050).")
  private String master;

  @Option(
      names = "--credential",
      paramLabel = "FILE",
      description =
          "File with principal and secret, separated by a blank, for masters and agents that ask"
              + " for them.")
  private Path credential;

  /** Begins to look for the masters. */
  Masters find() throws FlagException {
    String given = Masters.given(master, System.getenv()).orElse(OWN_MACHINE);
    if (given.startsWith("zk://")) {
      HostLog.configure(true, false, "WARN", Optional.empty(), Boot.LIBRARIES);
    }
    return Masters.find(given);
  }

  /** As whom to ask; empty for nobody. */
  Optional<Credential> credential() throws FlagException {
    return credential == null
        ? Optional.empty()
        : Optional.of(ExecuteCommand.credential(credential));
  }
}
