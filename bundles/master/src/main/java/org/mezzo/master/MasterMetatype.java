package org.mezzo.master;

import org.mezzo.daemon.configuration.FlagMetatype;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.metatype.MetaTypeProvider;

/** Describes the master's flags to tools that edit configurations. */
@Component(service = MetaTypeProvider.class, property = "metatype.factory.pid=" + MasterDaemon.PID)
public final class MasterMetatype extends FlagMetatype {
  public MasterMetatype() {
    super(
        MasterDaemon.PID,
        "Mezzo master",
        "A master of this process; properties are its flags",
        MasterDaemon.definitions());
  }
}
