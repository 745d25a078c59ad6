package org.mezzo.master.election;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.ref.WeakReference;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAccumulator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.fixtures.Await;
import org.mezzo.master.agents.AgentAuthorization;
import org.mezzo.master.agents.Links;
import org.mezzo.master.agents.RemovalRate;
import org.mezzo.master.allocation.Allocation;
import org.mezzo.master.rollouts.Rollouts;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.master.transitions.Frameworks;
import org.mezzo.master.transitions.Settings;
import org.mezzo.master.transitions.Subscribing;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/** What the end of a term costs and leaves behind. */
class MasterTermTest {
  static final MasterInfo SELF = MasterInfo.newBuilder().setId("m").setIp(1).setPort(5050).build();

  private final EventLoop loop = new EventLoop("term-test");
  private final MetricsRegistry metrics = new MetricsRegistry();
  private MasterTerm term;

  /** A registry that forgets. */
  static final class NoRegistry implements Registry {
    @Override
    public CompletionStage<Map<String, byte[]>> load() {
      return CompletableFuture.completedFuture(Map.of());
    }

    @Override
    public void end(String reason) {}

    @Override
    public CompletionStage<Void> apply(List<Change> changes) {
      return CompletableFuture.completedFuture(null);
    }
  }

  /** A term that has not begun, without allocator. */
  static MasterTerm term(
      EventLoop loop,
      MetricsRegistry metrics,
      Registry stored,
      MasterTerm.FailureListener failures,
      boolean measured) {
    Clock clock = Clock.systemUTC();
    Settings settings = Settings.DEFAULT;
    StateMachine machine =
        new StateMachine(
            loop,
            clock,
            metrics,
            settings,
            MasterState.begin(
                SELF, clock.instant(), MasterState.Limits.DEFAULT, MasterState.Counters.ZERO));
    Links links =
        new Links(
            loop,
            settings.agents(),
            SELF,
            RemovalRate.unlimited(),
            AgentAuthorization.NONE,
            machine::state,
            machine::run);
    TermRegistry registry =
        new TermRegistry(
            loop,
            stored,
            Runnable::run,
            new TermRegistry.Times(
                Duration.ofMinutes(1),
                Duration.ofMinutes(1),
                Duration.ofMinutes(15),
                Duration.ofDays(14),
                100),
            metrics,
            failures);
    MasterTerm term =
        new MasterTerm(
            loop,
            machine,
            registry,
            new RecoveredAgents(loop, machine, links, 1, failures),
            links,
            new Rollouts(
                loop,
                clock,
                machine::state,
                machine::run,
                links::send,
                registry::write,
                () -> CompletableFuture.completedFuture(Map.of()),
                metrics),
            new Allocation(
                loop,
                clock,
                AllocatorOptions.builder().build(),
                machine::state,
                machine::run,
                metrics),
            Consultant.NOBODY);
    if (measured) {
      term.measure(new FrameworkMetrics(loop, metrics, machine::state));
    }
    return term;
  }

  @BeforeEach
  void begin() throws Exception {
    term = term(loop, metrics, new NoRegistry(), (reason, cause) -> {}, true);
    onLoop(() -> term.begin(() -> {}));
    Await.until("it serves", () -> term.state().isPresent());
  }

  @AfterEach
  void end() {
    loop.close();
  }

  private void onLoop(Runnable action) throws Exception {
    CompletableFuture.runAsync(action, loop).get(60, TimeUnit.SECONDS);
  }

  private void subscribe(int index, double failoverTimeout) {
    FrameworkInfo info =
        TestScheduler.info("r")
            .setName("framework-" + index)
            .setFailoverTimeout(failoverTimeout)
            .build();
    Subscribing request = Subscribing.of(info, List.of(), OfferConstraints.getDefaultInstance());
    term.run(tx -> Frameworks.subscribe(tx, request, "stream-" + index, Optional.empty()));
  }

  @Test
  void theEndOfATermWithThousandsOfFrameworksDoesNotHoldTheLoop() throws Exception {
    onLoop(
        () -> {
          for (int i = 0; i < 3_000; i++) {
            subscribe(i, 0);
          }
        });
    assertThat(
            metrics.snapshot().keySet().stream().filter(it -> it.startsWith("master/frameworks")))
        .hasSizeGreaterThan(3_000 * 50);
    LongAccumulator longest = new LongAccumulator(Math::max, 0);
    loop.observe((onClock, onProcessor) -> longest.accumulate(onProcessor));
    onLoop(term::close);
    onLoop(() -> {});
    // A scan of all numbers for each framework takes half a minute on a fast machine.
    assertThat(Duration.ofNanos(longest.get()))
        .as("what the longest turn had of the processor")
        .isLessThan(Duration.ofSeconds(10));
    assertThat(metrics.snapshot().keySet()).noneMatch(it -> it.startsWith("master/frameworks"));
  }

  /** Whoever comes when it is over must not wait for what never comes. */
  @Test
  void whoeverFollowsATermThatIsOverIsToldSo() throws Exception {
    AtomicInteger ended = new AtomicInteger();
    onLoop(
        () -> {
          term.follow(root -> {}, (before, after, happenings) -> {}, ended::incrementAndGet);
          assertThat(ended).hasValue(0);
          term.close();
          assertThat(ended).hasValue(1);
          term.follow(root -> {}, (before, after, happenings) -> {}, ended::incrementAndGet);
        });
    assertThat(ended).hasValue(2);
  }

  @Test
  void timersEndWithTheTermAndItsRootIsLetGo() throws Exception {
    onLoop(
        () -> {
          subscribe(1, Duration.ofDays(7).toSeconds());
          String id = term.state().orElseThrow().frameworks().keySet().iterator().next();
          term.run(tx -> Frameworks.disconnected(tx, id, "stream-1"));
          // Each loss of the connection would leave a timer behind.
          for (int i = 0; i < 100; i++) {
            FrameworkInfo info = term.state().orElseThrow().frameworks().get(id).info();
            Subscribing again =
                Subscribing.of(info, List.of(), OfferConstraints.getDefaultInstance());
            term.run(tx -> Frameworks.subscribe(tx, again, "stream-2", Optional.empty()));
            term.run(tx -> Frameworks.disconnected(tx, id, "stream-2"));
          }
        });
    // Two that recur, unless one runs just now, and the one of the framework.
    Await.until(() -> loop.scheduled() == 3);
    WeakReference<MasterState> root = new WeakReference<>(term.state().orElseThrow());
    onLoop(term::close);
    assertThat(loop.scheduled()).isZero();
    Await.until(
        () -> {
          System.gc();
          return root.get() == null;
        });
  }
}
