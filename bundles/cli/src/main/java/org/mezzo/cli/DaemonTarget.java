package org.mezzo.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.mezzo.flags.FlagException;
import org.mezzo.protocol.v1.Credential;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which daemons a command speaks to, and as whom: the leading master, unless agents are named. */
final class DaemonTarget {
  @Mixin private MasterTarget master;

  @Option(
      names = "--agent",
      paramLabel = "HOST:PORT",
      split = ",",
      description = "Agents to speak to, separated by commas, and not to the leading master.")
  private List<String> agents = new ArrayList<>();

  /** As whom to ask; empty for nobody. */
  Optional<Credential> credential() throws FlagException {
    return master.credential();
  }

  /** The addresses of the daemons by what to call them. */
  Map<String, String> daemons(HttpJson http)
      throws IOException, FlagException, InterruptedException {
    Map<String, String> daemons = new LinkedHashMap<>();
    for (String agent : agents) {
      if (!agent.matches("[^/:]+:\\d+|\\[[0-9a-fA-F:]+]:\\d+")) {
        throw new FlagException("--agent: '" + agent + "' is not HOST:PORT");
      }
      daemons.put("agent " + agent, agent);
    }
    if (daemons.isEmpty()) {
      try (Masters masters = master.find()) {
        daemons.put("master", http.leader(masters.address()));
      }
    }
    return daemons;
  }

  /** The addresses of the leading master and of all its active agents, or of those named. */
  Map<String, String> allDaemons(HttpJson http)
      throws IOException, FlagException, InterruptedException {
    Map<String, String> daemons = daemons(http);
    if (agents.isEmpty()) {
      String leader = daemons.get("master");
      for (Map<String, Object> agent :
          HttpJson.objects(http.get("http://" + leader + "/slaves"), "slaves")) {
        if (Boolean.TRUE.equals(agent.get("active"))) {
          String pid = String.valueOf(agent.get("pid"));
          String address = pid.substring(pid.indexOf('@') + 1);
          daemons.put("agent " + address, address);
        }
      }
    }
    return daemons;
  }
}
