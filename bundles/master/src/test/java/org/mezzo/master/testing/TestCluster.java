package org.mezzo.master.testing;

import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.contenders.StandaloneContender;
import org.mezzo.contenders.ZooKeeperContender;
import org.mezzo.coordination.Coordination;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.fixtures.Await;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.http.JettyConnectors;
import org.mezzo.link.LinkServer;
import org.mezzo.master.Master;
import org.mezzo.master.MasterFlags;
import org.mezzo.master.state.MasterState;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.osgi.service.log.admin.LoggerContext;

/** A master with everything around it faked but HTTP. */
public final class TestCluster implements AutoCloseable {
  private static final LoggerContext NO_LOG =
      (LoggerContext)
          Proxy.newProxyInstance(
              TestCluster.class.getClassLoader(),
              new Class<?>[] {LoggerContext.class},
              (proxy, method, arguments) -> null);

  public final InMemoryCoordination coordination = new InMemoryCoordination();
  public final LocalModules modules = new LocalModules();

  /** The allocator that there is from the start; closing withdraws it. */
  public final LocalModules.Registered registered;

  public final TestLinks links = new TestLinks();
  public final SimpleAllocator allocator = new SimpleAllocator(Clock.systemUTC());

  /** Of no log. */
  public final Verbosity verbosity = new Verbosity(name -> NO_LOG);

  private final List<AutoCloseable> open = new ArrayList<>();
  public final Master master;

  public TestCluster(Path workDir, String... flags) throws Exception {
    registered = modules.register(Kinds.ALLOCATOR, "hierarchical", allocator);
    register(coordination);
    master = start(workDir, coordination, links, flags);
    Await.until(() -> master.cluster().state().isPresent());
  }

  /** With a coordination and links that are not faked. */
  public TestCluster(Path workDir, Coordination coordination, LinkServer links, String... flags)
      throws Exception {
    registered = modules.register(Kinds.ALLOCATOR, "hierarchical", allocator);
    register(coordination);
    master = start(workDir, coordination, links, flags);
    Await.until(() -> master.cluster().state().isPresent());
  }

  private void register(Coordination used) throws InterruptedException {
    if (used instanceof InMemoryCoordination inMemory) {
      modules.register(Kinds.MASTER_CONTENDER, "standalone", inMemory.contender());
    } else {
      modules.register(Kinds.MASTER_CONTENDER, "standalone", new StandaloneContender());
      modules.register(
          MasterContender.class,
          MasterContender.KIND,
          "zookeeper",
          Set.of("zk", "zk_session_timeout"),
          () -> new ZooKeeperContender(used));
    }
  }

  private Master start(Path workDir, Coordination coordination, LinkServer links, String... flags)
      throws Exception {
    Map<String, String> given = new HashMap<>();
    given.put("work_dir", workDir.toString());
    given.put("port", "0");
    given.put("allocation_interval", "50ms");
    for (String flag : flags) {
      String[] parts = flag.split("=", 2);
      given.put(parts[0], parts[1]);
    }
    FlagDefinitions definitions =
        FlagDefinitions.read(Master.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE));
    MasterFlags typed = MasterFlags.of(definitions.parse(given));
    Master started =
        DaemonFrame.open(
                "master", Master.KIND, typed.daemon(), modules.leases(), new JettyConnectors())
            .start(frame -> new Master(frame, typed, coordination, links, verbosity));
    open.add(started);
    return started;
  }

  public InetSocketAddress address() {
    return master.address();
  }

  public MasterState state() {
    return master.cluster().state().orElseThrow();
  }

  /** A registered agent; it asks once, so whoever is asked about it must be there. */
  public TestAgent agent(int port, String resources) throws Exception {
    modules.awaitHolders();
    return new TestAgent(port, resources).connect(links).register();
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
    modules.close();
  }
}
