package org.mezzo.master.state;

import java.util.Locale;
import org.mezzo.protocol.v1.MachineID;

/**
 * A machine as maintenance knows it (rule 239): two are the same when both hostname, whatever its
 * case, and address are.
 *
 * @param hostname in lower case; empty when only the address is known
 * @param ip empty when only the hostname is known
 */
public record Machine(String hostname, String ip) {
  public Machine {
    hostname = hostname.toLowerCase(Locale.ROOT);
  }

  /** As an operator names it. */
  public static Machine of(MachineID id) {
    return new Machine(id.getHostname(), id.getIp());
  }
}
