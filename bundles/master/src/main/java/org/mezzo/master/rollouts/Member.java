package org.mezzo.master.rollouts;

import org.mezzo.api.DaemonContext.Role;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.protocol.v1.MasterInfo;

/** A daemon whose host may have to have modules. Immutable. */
public sealed interface Member {
  /** What no id of an agent begins with. */
  String MASTER_PREFIX = "master@";

  /** The same after a restart: the id of an agent, the process id of a master. */
  String id();

  /** For people. */
  String hostname();

  /** What it is. */
  Role role();

  /** Where it is. */
  DomainInfo domain();

  /** For people. */
  default String name() {
    return hostname().isEmpty() ? id() : id() + " (" + hostname() + ")";
  }

  /**
   * An agent.
   *
   * @param info with id
   */
  record OfAgent(AgentInfo info) implements Member {
    @Override
    public String id() {
      return info.getId().getValue();
    }

    @Override
    public String hostname() {
      return info.getHostname();
    }

    @Override
    public Role role() {
      return Role.AGENT;
    }

    @Override
    public DomainInfo domain() {
      return info.getDomain();
    }

    @Override
    public String name() {
      return "agent " + id() + " (" + hostname() + ")";
    }
  }

  /**
   * A master.
   *
   * @param id its process id, which begins with {@link #MASTER_PREFIX}
   * @param hostname empty of one that this leader has not seen yet
   * @param leads whether it is the leading one
   */
  record OfMaster(String id, String hostname, DomainInfo domain, boolean leads) implements Member {
    /** The one that says this of itself. */
    static OfMaster of(MasterInfo info, boolean leads) {
      return new OfMaster(info.getPid(), info.getHostname(), info.getDomain(), leads);
    }

    /** One that this leader has not seen yet. */
    static OfMaster unseen(String id) {
      return new OfMaster(id, "", DomainInfo.getDefaultInstance(), false);
    }

    @Override
    public Role role() {
      return Role.MASTER;
    }
  }
}
