package org.mezzo.master.agents;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.fixtures.Await;
import org.mezzo.link.LinkServer;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Pong;
import org.mezzo.link.messages.Refusal;
import org.mezzo.link.messages.Reregister;
import org.mezzo.link.messages.Welcome;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.Effect;
import org.mezzo.master.transitions.Rehearsal;
import org.mezzo.master.transitions.Settings;
import org.mezzo.master.transitions.Step;
import org.mezzo.master.transitions.Transition;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/** Links with a real loop and a registry that stores at once. */
class LinksTest {
  private static final Duration PING = Duration.ofSeconds(1);
  private static final MasterInfo SELF =
      MasterInfo.newBuilder().setId("m").setIp(1).setPort(5050).build();

  private final EventLoop loop = new EventLoop("test");
  private final Map<String, AtomicLong> counts = new java.util.concurrent.ConcurrentHashMap<>();
  private volatile RemovalRate rate = RemovalRate.unlimited();
  private volatile MasterState state =
      MasterState.begin(SELF, Instant.EPOCH, MasterState.Limits.DEFAULT, MasterState.Counters.ZERO);
  private Duration reregisterTimeout = Duration.ofMinutes(10);
  private AgentAuthorization authorization = AgentAuthorization.NONE;
  private Links links;

  @AfterEach
  void stop() {
    loop.close();
  }

  private Settings settings() {
    return Settings.DEFAULT.with(new Settings.Agents(PING, 1, reregisterTimeout, false));
  }

  private void start() {
    links = new Links(loop, settings().agents(), SELF, rate, authorization, () -> state, this::run);
  }

  private void run(Step step) {
    Transition tx = new Transition(state, Instant.now(), settings());
    step.apply(tx);
    assertThat(Rehearsal.repeats(step, tx)).isTrue();
    state = tx.state();
    for (Effect effect : tx.effects()) {
      if (effect instanceof Effect.BindLink bind) {
        links.bind(bind.agentId(), bind.linkNumber());
      } else if (effect instanceof Effect.EndLink end) {
        links.end(end.agentId());
      } else if (effect instanceof Effect.ToAgent send) {
        links.send(send.agentId(), send.event());
      } else if (effect instanceof Effect.ToLink send) {
        links.sendTo(send.linkNumber(), send.event());
      } else if (effect instanceof Effect.RefuseLink refuse) {
        links.refuse(refuse.linkNumber(), refuse.reason());
      } else if (effect instanceof Effect.Ping ping) {
        links.ping(ping.agentId());
      } else if (effect instanceof Effect.MarkUnreachable mark) {
        links.markLater(mark.agentId(), mark.mark());
      } else if (effect instanceof Effect.Store store) {
        loop.execute(() -> run(store.then()));
      } else if (effect instanceof Effect.After after) {
        loop.schedule(after.delay(), () -> run(after.step()));
      } else if (effect instanceof Effect.Count count) {
        counts.computeIfAbsent(count.metric(), unused -> new AtomicLong()).addAndGet(count.by());
      }
    }
  }

  private long count(String metric) {
    AtomicLong count = counts.get("master/" + metric);
    return count == null ? 0 : count.get();
  }

  /** Waits until what was given to the loop is done. */
  private void settle() throws Exception {
    for (int i = 0; i < 4; i++) {
      CompletableFuture<Void> done = new CompletableFuture<>();
      loop.execute(() -> done.complete(null));
      done.get(60, TimeUnit.SECONDS);
    }
  }

  private Session open(String process, long epoch) {
    return open(process, epoch, Optional.empty());
  }

  private Session open(String process, long epoch, Optional<String> principal) {
    Session session = new Session();
    links.opened(
        session,
        Hello.newBuilder().setProcessId(process).setConnectionEpoch(epoch).build(),
        principal);
    return session;
  }

  private Session registered(String id) throws Exception {
    return open("p-" + id, 1).reregister(id, "h-" + id).awaitRegistered();
  }

  @Test
  void aPongThatWaitsForItsTurnCountsBeforeSilenceIsJudged() throws Exception {
    start();
    Session agent = registered("a");
    agent.answers = false;
    int pings = agent.pings.get();
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch free = new CountDownLatch(1);
    loop.execute(
        () -> {
          held.countDown();
          try {
            free.await(60, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    held.await();
    // The turn that judges waits now; the pong comes behind it.
    Await.until(() -> loop.waiting() > 0);
    agent.answers = true;
    agent.pong();
    free.countDown();

    Await.until(() -> agent.pings.get() > pings);
    settle();
    assertThat(state.agents()).containsKey("a");
    assertThat(count("slave_unreachable_scheduled")).isZero();

    agent.answers = false;
    Await.until(() -> state.unreachableAgents().containsKey("a"));
  }

  /** What the authorizer was asked, and waits for. */
  private record Asked(
      Optional<Principal> subject, CompletableFuture<ObjectApprovers> answer, Set<Action> actions) {
    void answer(Action action, String... values) {
      Set<String> named = Set.of(values);
      answer.complete(
          ObjectApprovers.of(
              actions,
              (about, object) -> about != action || named.contains(object.value().orElse(""))));
    }
  }

  private final BlockingQueue<Asked> questions = new LinkedBlockingQueue<>();

  private void ask() {
    authorization =
        new AgentAuthorization(
            Authorization.by(
                (subject, actions) -> {
                  Asked asked = new Asked(subject, new CompletableFuture<>(), actions);
                  questions.add(asked);
                  return asked.answer;
                }));
    start();
  }

  @Test
  void anAgentRegistersAsItsPrincipalIfThatMay() throws Exception {
    ask();
    Session refused = open("p-a", 1, Optional.of("anna")).reregister("a", "h-a");
    Asked question = questions.poll(60, TimeUnit.SECONDS);
    assertThat(question.subject).contains(Principal.named("anna"));
    // What comes while it is asked is not asked about.
    refused.reregister("a", "h-a");
    settle();
    assertThat(questions).isEmpty();
    assertThat(state.agents()).isEmpty();
    question.answer(Action.REGISTER_AGENT);
    assertThat(refused.refusals.poll(60, TimeUnit.SECONDS).getReason())
        .isEqualTo("Principal 'anna' may not register agents here");
    settle();
    assertThat(state.agents()).isEmpty();
    assertThat(count("messages_reregister_slave")).isEqualTo(1);

    Session allowed = open("p-a", 2).reregister("a", "h-a");
    question = questions.poll(60, TimeUnit.SECONDS);
    assertThat(question.subject).isEmpty();
    question.answer(Action.REGISTER_AGENT, "");
    allowed.awaitRegistered();
    assertThat(state.agents()).containsKey("a");
  }

  @Test
  void anAgentBringsOnlyReservationsOfRolesThatItMayReserveFor() throws Exception {
    ask();
    String resources = "cpus:1;cpus(eng):1;mem(ops):5";
    Session refused = open("p-a", 1).reregister("a", "h-a", resources);
    questions.poll(60, TimeUnit.SECONDS).answer(Action.RESERVE_RESOURCES, "eng");
    assertThat(refused.refusals.poll(60, TimeUnit.SECONDS).getReason())
        .isEqualTo(
            "An unknown principal may not bring agents with resources reserved for role 'ops'");
    Session allowed = open("p-a", 2).reregister("a", "h-a", resources);
    questions.poll(60, TimeUnit.SECONDS).answer(Action.RESERVE_RESOURCES, "eng", "ops");
    allowed.awaitRegistered();
  }

  @Test
  void anAuthorizerThatFailsRefusesAgents() throws Exception {
    ask();
    Session refused = open("p-a", 1).reregister("a", "h-a");
    questions.poll(60, TimeUnit.SECONDS).answer.completeExceptionally(new IllegalStateException());
    assertThat(refused.refusals.poll(60, TimeUnit.SECONDS).getReason())
        .isEqualTo("An unknown principal may not register agents here");
  }

  @Test
  void aLoopThatWasHeldUpForLongMarksNobody() throws Exception {
    start();
    List<Session> agents = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      agents.add(registered("a" + i));
    }
    loop.execute(
        () -> {
          long end = System.nanoTime() + PING.multipliedBy(4).toNanos();
          while (System.nanoTime() < end) {
            Thread.onSpinWait();
          }
        });
    settle();
    int before = agents.stream().mapToInt(it -> it.pings.get()).max().orElseThrow();
    Await.until(() -> agents.stream().allMatch(it -> it.pings.get() > before));

    assertThat(state.agents()).hasSize(20);
    assertThat(count("slave_unreachable_scheduled")).isZero();
  }

  @Test
  void theRemovalRateHoldsForAgentsThatDoNotComeBackInTime() throws Exception {
    // Nothing is pinged in this test: the links are gone.
    AtomicLong time = new AtomicLong();
    rate = RemovalRate.of(1, Duration.ofMillis(50), time::get);
    reregisterTimeout = Duration.ofMillis(100);
    start();
    List<Session> agents = List.of(registered("a"), registered("b"), registered("c"));
    CompletableFuture<Void> disconnected = new CompletableFuture<>();
    agents.forEach(agent -> agent.listener.closed("test"));
    loop.execute(() -> disconnected.complete(null));
    disconnected.get(60, TimeUnit.SECONDS);

    Await.until(() -> count("slave_unreachable_scheduled") == 3);
    Await.until(() -> state.unreachableAgents().size() == 1);
    settle();
    assertThat(state.unreachableAgents()).hasSize(1);

    String back = state.agents().keySet().iterator().next();
    open("p-" + back, 2).reregister(back, "h-" + back).awaitRegistered();
    Await.until(() -> count("slave_unreachable_canceled") == 1);
    time.addAndGet(Duration.ofHours(1).toNanos());
    Await.until(() -> state.unreachableAgents().size() == 2);
    settle();
    assertThat(state.agents()).containsOnlyKeys(back);
  }

  @Test
  void anOldConnectionOfTheSameProcessCannotReplaceANewerOne() throws Exception {
    start();
    Session newer = open("p", 6).reregister("a", "h").awaitRegistered();
    // Opened later, as far as the master sees, and yet the older one.
    Session older = open("p", 5).reregister("a", "h");

    assertThat(older.refusals.poll(60, TimeUnit.SECONDS).getReason())
        .isEqualTo("This agent was admitted on a newer connection");
    settle();
    assertThat(newer.closed).isFalse();
    assertThat(older.received).isEmpty();
    loop.execute(() -> links.send("a", shutdown()));
    newer.await(MasterEvent::hasShutdown);

    // Not even when the newer one is gone.
    newer.listener.closed("test");
    Session late = open("p", 5).reregister("a", "h");
    assertThat(late.refusals.poll(60, TimeUnit.SECONDS)).isNotNull();
    settle();
    assertThat(state.agents().get("a").connected()).isFalse();
    open("p", 7).reregister("a", "h").awaitRegistered();
    assertThat(state.agents().get("a").connected()).isTrue();
  }

  @Test
  void aNewerConnectionReplacesTheOldOneAndWhatComesOnTheOldOneIsDropped() throws Exception {
    start();
    Session older = open("p", 5).reregister("a", "h").awaitRegistered();
    Session newer = open("p", 6).reregister("a", "h").awaitRegistered();

    Await.until(() -> older.closed);
    older.call(
        AgentCall.newBuilder()
            .setUnregister(org.mezzo.link.messages.Unregister.getDefaultInstance()));
    older.listener.closed("test");
    settle();
    assertThat(state.agents().get("a").connected()).isTrue();
    loop.execute(() -> links.send("a", shutdown()));
    newer.await(MasterEvent::hasShutdown);
  }

  @Test
  void anotherProcessOfTheAgentBeginsWithLowNumbersAgain() throws Exception {
    start();
    Session before = open("p", 60).reregister("a", "h").awaitRegistered();
    open("q", 1).reregister("a", "h").awaitRegistered();
    Await.until(() -> before.closed);
    // What the ended process had sent comes late.
    before.reregister("a", "h");
    assertThat(before.refusals.poll(60, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void aLinkIsOneAgentsOnly() throws Exception {
    start();
    Session link = open("p", 1).reregister("a", "h").awaitRegistered();
    link.reregister("b", "h").awaitRegistered();

    Await.until(() -> !state.agents().get("a").connected());
    assertThat(state.agents().get("b").connected()).isTrue();
    link.received.clear();
    loop.execute(() -> links.send("a", shutdown()));
    settle();
    assertThat(link.received).isEmpty();
  }

  private static MasterEvent.Builder shutdown() {
    return MasterEvent.newBuilder()
        .setShutdown(org.mezzo.link.messages.Shutdown.getDefaultInstance());
  }

  /** An agent's end of a link. */
  private static final class Session implements LinkServer.Session {
    final BlockingQueue<MasterEvent> received = new LinkedBlockingQueue<>();
    final BlockingQueue<Refusal> refusals = new LinkedBlockingQueue<>();
    final java.util.concurrent.atomic.AtomicInteger pings =
        new java.util.concurrent.atomic.AtomicInteger();
    volatile boolean answers = true;
    volatile boolean closed;
    volatile LinkServer.Listener listener;

    Session reregister(String id, String hostname) {
      return reregister(id, hostname, "");
    }

    Session reregister(String id, String hostname, String resources) {
      List<Resource> brought;
      try {
        brought = Resources.parse(resources, "*").toMessages(Resources.Format.POST_REFINEMENT);
      } catch (ResourceFormatException e) {
        throw new IllegalArgumentException(e);
      }
      call(
          AgentCall.newBuilder()
              .setReregister(
                  Reregister.newBuilder()
                      .setVersion("1.12.0")
                      .setResourceVersionUuid("v")
                      .setAddress(Address.newBuilder().setIp("10.0.0.1").setPort(id.hashCode()))
                      .setAgent(
                          AgentInfo.newBuilder()
                              .setHostname(hostname)
                              .addAllResources(brought)
                              .setId(AgentID.newBuilder().setValue(id)))));
      return this;
    }

    Session awaitRegistered() throws Exception {
      await(MasterEvent::hasReregistered);
      return this;
    }

    void await(java.util.function.Predicate<MasterEvent> wanted) throws Exception {
      while (true) {
        MasterEvent event = received.poll(60, TimeUnit.SECONDS);
        assertThat(event).as("an event").isNotNull();
        if (wanted.test(event)) {
          return;
        }
      }
    }

    void call(AgentCall.Builder call) {
      listener.call(call.build());
    }

    void pong() {
      call(AgentCall.newBuilder().setPong(Pong.getDefaultInstance()));
    }

    @Override
    public void accept(Welcome welcome, LinkServer.Listener given) {
      listener = given;
    }

    @Override
    public void refuse(Refusal refusal) {
      refusals.add(refusal);
    }

    @Override
    public boolean send(MasterEvent.Builder event) {
      if (event.hasPing()) {
        pings.incrementAndGet();
        if (answers) {
          pong();
        }
      } else {
        received.add(event.build());
      }
      return true;
    }

    @Override
    public void close() {
      closed = true;
    }

    @Override
    public InetSocketAddress remote() {
      return InetSocketAddress.createUnresolved("agent", 1);
    }
  }
}
