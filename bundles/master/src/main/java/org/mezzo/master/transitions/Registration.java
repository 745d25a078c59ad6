package org.mezzo.master.transitions;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.Reregister;
import org.mezzo.master.state.Machine;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * What an agent said when it registered, with what was converted off the loop.
 *
 * @param link the number of its link
 */
public record Registration(
    long link,
    AgentInfo info,
    String version,
    Set<AgentInfo.Capability.Type> capabilities,
    Address address,
    String resourceVersion,
    Resources total) {
  /** From a first registration. */
  public static Registration of(long link, Register message) throws ResourceFormatException {
    return new Registration(
        link,
        message.getAgent(),
        message.getVersion(),
        types(message.getCapabilitiesList()),
        message.getAddress(),
        message.getResourceVersionUuid(),
        total(message.getTotalList(), message.getAgent()));
  }

  /** From a later one. */
  public static Registration of(long link, Reregister message) throws ResourceFormatException {
    return new Registration(
        link,
        message.getAgent(),
        message.getVersion(),
        types(message.getCapabilitiesList()),
        message.getAddress(),
        message.getResourceVersionUuid(),
        total(message.getTotalList(), message.getAgent()));
  }

  /** What an agent has, with the reservations and volumes that it keeps. */
  private static Resources total(List<Resource> told, AgentInfo agent)
      throws ResourceFormatException {
    return Resources.of(told.isEmpty() ? agent.getResourcesList() : told);
  }

  private static Set<AgentInfo.Capability.Type> types(List<AgentInfo.Capability> capabilities) {
    Set<AgentInfo.Capability.Type> types = new HashSet<>();
    capabilities.forEach(capability -> types.add(capability.getType()));
    return types;
  }

  /** The machine that the agent runs on (rule 239). */
  public Machine machine() {
    return new Machine(info.getHostname(), address.getIp());
  }

  /** Where the agent serves, as its UPID. */
  public String pid() {
    return "slave(1)@" + address.getIp() + ":" + address.getPort();
  }
}
