package org.mezzo.benchmarks.rollouts;

import java.net.InetSocketAddress;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.mezzo.agent.modules.ClusterModules;
import org.mezzo.link.LinkClient;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.FetchModule;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.ModuleChunk;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleReport.State;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.link.messages.Pong;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Register;
import org.mezzo.link.messages.WantedModule;
import org.mezzo.link.messages.WantedModules;
import org.mezzo.link.messages.Welcome;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * An agent, alone in its process by its own word, that follows what the master wants of modules
 * over a real link: it fetches jars part by part, says that they are active a while later, and runs
 * nothing. Of a bundle that fails it says that.
 */
final class EmulatedHost implements LinkClient.Listener {
  private final int number;
  private final ScheduledExecutorService clock;
  private final long installMillis;
  private final Predicate<WantedModule> fails;
  private final CompletableFuture<Void> registered = new CompletableFuture<>();
  private final LinkClient.Connection link;

  // The rest is for the thread of the link's listener, which is one at a time.
  private WantedModules wanted = WantedModules.getDefaultInstance();
  private String held = "";
  private long have;

  /**
   * Connects.
   *
   * @param clock calls it back
   * @param installMillis how long a real host takes from the last byte of a jar until it is active
   * @param fails which bundles do not start
   */
  EmulatedHost(
      int number,
      LinkClient client,
      InetSocketAddress master,
      ScheduledExecutorService clock,
      long installMillis,
      Predicate<WantedModule> fails) {
    this.number = number;
    this.clock = clock;
    this.installMillis = installMillis;
    this.fails = fails;
    link =
        client.connect(
            master,
            Hello.newBuilder()
                .setProcessId(UUID.randomUUID().toString())
                .setConnectionEpoch(1)
                .addCapabilities(ClusterModules.CAPABILITY)
                .build(),
            this);
  }

  /** Completes when the master has registered it. */
  CompletableFuture<Void> registered() {
    return registered;
  }

  @Override
  public void opened(Welcome welcome) {
    AgentInfo.Builder info = AgentInfo.newBuilder().setHostname("host-" + number);
    try {
      info.addAllResources(
          Resources.parse("cpus:1;mem:100", "*").toMessages(Resources.Format.POST_REFINEMENT));
    } catch (ResourceFormatException e) {
      throw new IllegalStateException(e);
    }
    link.send(
        AgentCall.newBuilder()
            .setRegister(
                Register.newBuilder()
                    .setAgent(info)
                    .setVersion("1.12.0")
                    .setResourceVersionUuid("v")
                    .addCapabilities(
                        AgentInfo.Capability.newBuilder()
                            .setType(AgentInfo.Capability.Type.MULTI_ROLE))
                    .setAddress(Address.newBuilder().setIp("127.0.0.1").setPort(10_000 + number))));
  }

  @Override
  public void refused(Refusal refusal) {
    registered.completeExceptionally(new IllegalStateException(refusal.getReason()));
  }

  @Override
  public void event(MasterEvent event) {
    switch (event.getEventCase()) {
      case PING ->
          link.send(
              AgentCall.newBuilder()
                  .setPong(Pong.newBuilder().setSequence(event.getPing().getSequence())));
      case REGISTERED -> registered.complete(null);
      case WANTED_MODULES -> wanted(event.getWantedModules());
      case MODULE_CHUNK -> chunk(event.getModuleChunk());
      default -> {}
    }
  }

  private void wanted(WantedModules next) {
    wanted = next;
    have = 0;
    if (next.getModulesCount() == 0) {
      held = "";
      say(next, State.ACTIVE);
    } else if (next.getModules(0).getSha256().equals(held)) {
      say(next, State.ACTIVE);
    } else {
      say(next, State.PENDING);
      fetch();
    }
  }

  private void fetch() {
    link.send(
        AgentCall.newBuilder()
            .setFetchModule(
                FetchModule.newBuilder()
                    .setSha256(wanted.getModules(0).getSha256())
                    .setOffset(have)));
  }

  private void chunk(ModuleChunk chunk) {
    if (wanted.getModulesCount() == 0
        || !wanted.getModules(0).getSha256().equals(chunk.getSha256())
        || chunk.getOffset() != have) {
      return;
    }
    have += chunk.getData().size();
    WantedModule module = wanted.getModules(0);
    if (have < module.getSize()) {
      fetch();
      return;
    }
    WantedModules of = wanted;
    boolean bad = fails.test(module);
    held = bad ? held : module.getSha256();
    clock.schedule(
        () -> say(of, bad ? State.FAILED : State.ACTIVE), installMillis, TimeUnit.MILLISECONDS);
  }

  private void say(WantedModules of, State state) {
    ModuleStatus.Builder status =
        ModuleStatus.newBuilder().setGeneration(of.getGeneration()).setHostId("host-" + number);
    for (WantedModule module : of.getModulesList()) {
      status.addModules(
          ModuleReport.newBuilder()
              .setSymbolicName(module.getSymbolicName())
              .setVersion(module.getVersion())
              .setSha256(module.getSha256())
              .setState(state)
              .setProblem(state == State.FAILED ? "it does not start" : ""));
    }
    link.send(AgentCall.newBuilder().setModuleStatus(status));
  }

  @Override
  public void closed(String reason) {
    registered.completeExceptionally(new IllegalStateException("the link is closed: " + reason));
  }
}
