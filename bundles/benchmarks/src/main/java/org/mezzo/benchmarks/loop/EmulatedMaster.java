package org.mezzo.benchmarks.loop;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.mezzo.daemon.DaemonFrame;
import org.mezzo.daemon.logging.Verbosity;
import org.mezzo.flags.FlagDefinitions;
import org.mezzo.http.HttpConnector;
import org.mezzo.http.HttpConnectors;
import org.mezzo.http.HttpHandler;
import org.mezzo.http.HttpResponse;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.Hello;
import org.mezzo.master.Master;
import org.mezzo.master.MasterFlags;
import org.mezzo.master.state.MasterState;
import org.mezzo.modules.leases.LeaseTable;
import org.mezzo.modules.leases.Limits;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;

/**
 * A whole master with its real state, leases, codec and workers, and no allocator yet; agents and
 * frameworks in the same process stand in for the network.
 */
final class EmulatedMaster implements AutoCloseable {
  /** Of agents that have registered, again or for the first time. */
  final AtomicLong registered = new AtomicLong();

  /** Of frameworks that agents were told to end. */
  final AtomicLong shutDown = new AtomicLong();

  final EmulatedFramework.Counts counts = new EmulatedFramework.Counts();
  final InMemoryCoordination coordination = new InMemoryCoordination();
  final LeaseTable leases = new LeaseTable(Limits.DEFAULT);
  final Master master;
  private final Path workDir = Files.createTempDirectory("mezzo-loop");
  // One thread keeps the order in which emulated agents and frameworks speak.
  private final ExecutorService threads =
      Executors.newSingleThreadExecutor(task -> Emulated.daemon(task, "emulated"));
  private final EmulatedAgent.Surroundings surroundings =
      new EmulatedAgent.Surroundings(
          threads,
          Emulated.capabilities(),
          new EmulatedAgent.Progress() {
            @Override
            public void registered() {
              registered.incrementAndGet();
            }

            @Override
            public void frameworkShutDown() {
              shutDown.incrementAndGet();
            }
          });
  private volatile LinkServer.Acceptor links;
  private volatile HttpHandler handler;

  /**
   * Starts one that leads at once.
   *
   * @param set flags, without {@code --work_dir}
   * @param connectors what listens for it, beside what is emulated
   */
  EmulatedMaster(Map<String, String> set, HttpConnectors connectors) throws Exception {
    leases.register(coordination.contender());
    FlagDefinitions definitions =
        FlagDefinitions.read(Master.class.getResourceAsStream("/" + FlagDefinitions.RESOURCE));
    Map<String, String> all = new HashMap<>(set);
    all.put("work_dir", workDir.toString());
    MasterFlags flags = MasterFlags.of(definitions.parse(all));
    master =
        DaemonFrame.open(
                "master",
                Master.KIND,
                flags.daemon(),
                leases,
                (options, given) -> {
                  handler = given;
                  return connectors.open(options, given);
                })
            .start(
                frame ->
                    new Master(frame, flags, coordination, this::link, Verbosity.unchangeable()));
    Emulated.await("an election", () -> master.cluster().state().isPresent());
  }

  /** Nothing listens. */
  static HttpConnectors nowhere() {
    return (options, handler) ->
        new HttpConnector() {
          @Override
          public InetSocketAddress address() {
            return new InetSocketAddress("127.0.0.1", 5050);
          }

          @Override
          public void close(Duration grace) {}
        };
  }

  private LinkServer.Entrance link(LinkServer.Acceptor given) {
    links = given;
    return (exchange, principal) ->
        exchange.respond(HttpResponse.text(404, "No links from outside here"));
  }

  /** New agents of middle size, not connected. */
  List<EmulatedAgent> agents(int first, int count) throws Exception {
    AgentInfo info = Emulated.agent();
    List<EmulatedAgent> agents = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      agents.add(new EmulatedAgent(i, info, surroundings));
    }
    return agents;
  }

  /** Connects agents, which register by themselves. */
  void connect(List<EmulatedAgent> some) {
    Hello hello = Hello.newBuilder().setMajor(1).setMinor(0).build();
    threads.execute(() -> some.forEach(agent -> links.opened(agent, hello, Optional.empty())));
  }

  /** A new framework, not subscribed. */
  EmulatedFramework framework(FrameworkInfo info) {
    return new EmulatedFramework(info, exchange -> handler.handle(exchange), threads, counts);
  }

  /** What the leader knows. */
  MasterState state() {
    return master.cluster().state().orElseThrow();
  }

  @Override
  public void close() throws Exception {
    master.close();
    leases.close();
    threads.shutdownNow();
    Emulated.delete(workDir);
  }
}
