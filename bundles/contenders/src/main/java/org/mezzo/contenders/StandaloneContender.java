package org.mezzo.contenders;

import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.Sink;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** The only master there is leads whenever it wants to. */
@Component(service = MasterContender.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = MasterContender.KIND,
    name = StandaloneContender.NAME,
    version = "0.1.0",
    author = "Mezzo",
    description = "a master without peers leads at once",
    flags = StandaloneContender.FLAG)
public final class StandaloneContender implements MasterContender {
  static final String NAME = "standalone";
  static final String FLAG = "zk";

  private Optional<Sink<Standing>> standings = Optional.empty();

  /**
   * Looks whether the master is alone.
   *
   * @throws IllegalArgumentException when it has {@code --zk}, by which it has peers
   */
  @Override
  public void open(DaemonContext context) {
    if (context.flags().get(FLAG) != null) {
      throw new IllegalArgumentException(
          "--zk says that there are other masters: take the contender " + ZooKeeperContender.NAME);
    }
  }

  @Override
  public void report(Sink<Standing> sink) {
    standings = Optional.of(sink);
  }

  @Override
  public void enter(MasterInfo self) {
    standings.ifPresent(sink -> sink.report(Standing.leads()));
  }

  @Override
  public void leave() {}
}
