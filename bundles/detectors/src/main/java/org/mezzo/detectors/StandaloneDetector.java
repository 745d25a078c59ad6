package org.mezzo.detectors;

import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.Sink;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.coordination.MasterLocation;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** The one master that an agent's {@code --master} names. */
@Component(service = MasterDetector.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = MasterDetector.KIND,
    name = StandaloneDetector.NAME,
    version = "0.1.0",
    author = "Mezzo",
    description = "the one master that --master names",
    flags = StandaloneDetector.FLAG)
public final class StandaloneDetector implements MasterDetector {
  static final String NAME = "standalone";
  static final String FLAG = "master";

  private MasterInfo master = MasterInfo.getDefaultInstance();

  /**
   * Reads the flag.
   *
   * @throws IllegalArgumentException when {@code --master} is missing or is a ZooKeeper URL
   */
  @Override
  public void open(DaemonContext context) {
    String text = context.flags().get(FLAG);
    if (text == null) {
      throw new IllegalArgumentException(
          "--master is missing: an agent has it, as host:port; a master finds no other one so");
    }
    MasterLocation location = MasterLocation.parse(text);
    if (location.zooKeeper().isPresent()) {
      throw new IllegalArgumentException(
          "--master is a ZooKeeper URL: give host:port, or take the detector "
              + ZooKeeperDetector.NAME);
    }
    // What is not known of it has the value that says so.
    master =
        MasterInfo.newBuilder()
            .setId("")
            .setIp(0)
            .setPort(location.port())
            .setHostname(location.host())
            .setAddress(Address.newBuilder().setHostname(location.host()).setPort(location.port()))
            .build();
  }

  @Override
  public void detect(Sink<Optional<MasterInfo>> leaders) {
    leaders.report(Optional.of(master));
  }
}
