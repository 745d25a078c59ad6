package org.mezzo.agent;

import org.mezzo.daemon.configuration.FlagMetatype;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.MetaTypeProvider;

/** Describes the agent's flags to tools that edit configurations. */
@Component(service = MetaTypeProvider.class, property = "metatype.factory.pid=" + AgentDaemon.PID)
public final class AgentMetatype extends FlagMetatype {
  public AgentMetatype() {
    super(
        AgentDaemon.PID,
        "Mezzo agent",
        "An agent of this process; properties are its flags",
        AgentDaemon.definitions());
  }
}
