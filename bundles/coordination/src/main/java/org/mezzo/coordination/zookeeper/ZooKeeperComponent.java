package org.mezzo.coordination.zookeeper;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.mezzo.coordination.Coordination;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;

/**
 * Runs a ZooKeeper server for each configuration of the factory {@code org.mezzo.zookeeper} with
 * the properties {@code dataDir} (a path) and {@code port} (a number; 0 picks a free one).
 */
@Component(
    service = Coordination.EmbeddedZooKeeper.class,
    immediate = true,
    configurationPid = "org.mezzo.zookeeper",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ZooKeeperComponent implements Coordination.EmbeddedZooKeeper {
  private final ZooKeeperProcessServer server;

  @Activate
  public ZooKeeperComponent(Map<String, Object> properties) throws IOException {
    Object dataDir = properties.get("dataDir");
    if (dataDir == null) {
      throw new IllegalArgumentException(
          "Configuration of org.mezzo.zookeeper lacks dataDir, the folder for its data");
    }
    int port;
    try {
      port = Integer.parseInt(String.valueOf(properties.getOrDefault("port", "0")));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "Configuration of org.mezzo.zookeeper has a port that is no number: "
              + properties.get("port"),
          e);
    }
    server = ZooKeeperProcessServer.start(Path.of(dataDir.toString()), port);
  }

  @Override
  public String connectString() {
    return server.connectString();
  }

  @Deactivate
  @Override
  public void close() {
    server.close();
  }
}
