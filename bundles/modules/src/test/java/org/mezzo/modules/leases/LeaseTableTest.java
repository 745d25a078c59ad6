package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.LeaseListener;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleException.Kind;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLease.Terms;
import org.mezzo.modules.local.LocalModules;

@Timeout(30)
final class LeaseTableTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  /** Long enough for a call that hangs to be where it hangs. */
  private static final Duration SHORT = Duration.ofMillis(200);

  private static final DaemonContext DAEMON =
      LocalModules.daemon("master", DaemonContext.Role.MASTER, Path.of("/nowhere"));

  private static org.mezzo.modules.Kind<Greeter> kind(int atOnce) {
    return atOnce == 1
        ? org.mezzo.modules.Kind.serial(Greeter.class, "greeter")
        : org.mezzo.modules.Kind.parallel(Greeter.class, "greeter", atOnce);
  }

  private final ExecutorService loop =
      Executors.newSingleThreadExecutor(task -> new Thread(task, "loop"));
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());
  private final List<CountDownLatch> stuck = new ArrayList<>();
  private LeaseTable table =
      new LeaseTable(
          Limits.DEFAULT
              .withBackoff(Duration.ofMillis(20), Duration.ofMillis(80))
              .withDeadlines(Duration.ofSeconds(5), Duration.ofSeconds(5)));
  private long services;

  @AfterEach
  void release() {
    // Calls that wait are refused first, or they would get stuck in their turn.
    table.close();
    synchronized (stuck) {
      stuck.forEach(CountDownLatch::countDown);
    }
    loop.shutdownNow();
  }

  /** A kind for tests. */
  interface Greeter extends Module {
    String greet(String name) throws Exception;
  }

  private class Polite implements Greeter {
    final String word;

    Polite(String word) {
      this.word = word;
    }

    @Override
    public void open(DaemonContext context) throws Exception {
      log.add("open " + word);
    }

    @Override
    public String greet(String name) throws Exception {
      return word + " " + name;
    }

    @Override
    public void close() {
      log.add("close " + word);
    }
  }

  private final class Fake implements Registration {
    final Announcement announcement;
    final Supplier<Greeter> instances;
    final AtomicInteger created = new AtomicInteger();
    final AtomicInteger released = new AtomicInteger();

    Fake(long bundle, String name, Supplier<Greeter> instances) {
      this.instances = instances;
      announcement =
          new Announcement(
              "greeter",
              name,
              "1",
              "",
              "",
              Set.of(),
              bundle,
              "b" + bundle,
              "1." + bundle,
              ++services);
    }

    @Override
    public Announcement announcement() {
      return announcement;
    }

    @Override
    public boolean provides(Class<?> type) {
      return type == Greeter.class;
    }

    @Override
    public Module create() {
      created.incrementAndGet();
      return instances.get();
    }

    @Override
    public void release(Module instance) {
      released.incrementAndGet();
    }
  }

  private Fake polite(long bundle, String word) {
    return new Fake(bundle, "polite", () -> new Polite(word));
  }

  private Fake register(Fake fake) {
    table.register(fake);
    return fake;
  }

  private final LeaseListener listener =
      new LeaseListener() {
        @Override
        public void acquired(long epoch, ModuleDescription module) {
          assertThat(Thread.currentThread().getName()).isEqualTo("loop");
          log.add("acquired " + epoch + " " + module.bundleName());
        }

        @Override
        public void lost(long epoch, ModuleDescription module, String reason) {
          log.add("lost " + epoch + " " + module.bundleName());
        }
      };

  private ModuleLease<Greeter> lease(int concurrency) {
    return table.lease(
        LeaseRequest.of(kind(concurrency), "polite", DAEMON, loop).heardBy(listener));
  }

  private static void await(BooleanSupplier condition) {
    Await.until(condition::getAsBoolean);
  }

  private CompletableFuture<String> greet(ModuleLease<Greeter> lease, Duration deadline) {
    return lease
        .ask(Terms.of("greet").within(deadline), greeter -> greeter.greet("Ada"))
        .toCompletableFuture();
  }

  private static Kind kindOf(CompletableFuture<?> reply) throws InterruptedException {
    try {
      reply.get();
      throw new AssertionError("there is a result");
    } catch (ExecutionException e) {
      return ((ModuleException) e.getCause()).kind();
    }
  }

  @Test
  void aLeaseIsVacantUntilItsModuleComesAndAgainWhenItGoes() throws Exception {
    ModuleLease<Greeter> lease = lease(1);
    assertThat(lease.epoch()).isZero();
    assertThat(lease.holder()).isEmpty();
    assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.ABSENT);

    Fake fake = register(polite(1, "hello"));
    await(() -> lease.epoch() == 1);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(table.modules()).extracting(ModuleDescription::state).containsExactly("leased");
    assertThat(table.modules().get(0).daemons()).containsExactly("master");

    table.withdraw(fake);
    assertThat(lease.epoch()).isZero();
    await(() -> fake.released.get() == 1);
    await(() -> log.size() == 4);
    assertThat(log)
        .containsSubsequence("open hello", "acquired 1 b1", "lost 1 b1")
        .contains("close hello");
  }

  @Test
  void onlyTheNamedModuleIsTakenAndSelectingAnotherHandsOver() throws Exception {
    register(new Fake(1, "rude", () -> new Polite("hey")));
    register(polite(2, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");

    lease.select("absent");
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");

    lease.select("rude");
    await(() -> lease.epoch() == 2);
    assertThat(greet(lease, LONG).get()).isEqualTo("hey Ada");
    assertThat(log).containsSubsequence("open hey", "lost 1 b2", "acquired 2 b1");
  }

  @Test
  void theBundleInstalledLastTakesOverWhileTheOldOneStillHolds() throws Exception {
    Fake old = register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);

    CountDownLatch opening = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    register(
        new Fake(
            2,
            "polite",
            () ->
                new Polite("good day") {
                  @Override
                  public void open(DaemonContext context) throws Exception {
                    opening.countDown();
                    go.await();
                  }
                }));
    opening.await();
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(table.modules())
        .extracting(ModuleDescription::state)
        .containsExactly("leased", "opening");
    go.countDown();
    await(() -> lease.epoch() == 2);
    assertThat(greet(lease, LONG).get()).isEqualTo("good day Ada");
    await(() -> old.released.get() == 1);
    assertThat(log)
        .containsSubsequence("acquired 1 b1", "lost 1 b1", "acquired 2 b2")
        .contains("close hello");
  }

  /** Greets when it may; tells when it has begun. */
  private final class Slow {
    final CountDownLatch running = new CountDownLatch(1);
    final CountDownLatch go = new CountDownLatch(1);
    final String word;

    Slow(String word) {
      this.word = word;
    }

    Greeter instance() {
      return new Polite(word) {
        @Override
        public String greet(String name) throws Exception {
          running.countDown();
          go.await();
          return super.greet(name);
        }
      };
    }
  }

  @Test
  void aBegunCallEndsOnTheOldInstanceAndAWaitingOneOnTheSuccessor() throws Exception {
    Slow slow = new Slow("hello");
    Fake old = register(new Fake(1, "polite", slow::instance));
    BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
    ModuleLease<Greeter> lease =
        table.lease(LeaseRequest.of(kind(1), "polite", DAEMON, events::add).heardBy(quick()));
    await(() -> lease.epoch() == 1);
    events.take().run();
    CompletableFuture<String> begun = greet(lease, LONG);
    CompletableFuture<String> waits = greet(lease, LONG);
    CompletableFuture<String> addressed =
        lease.ask(Terms.of("greet").only(1), greeter -> greeter.greet("x")).toCompletableFuture();
    slow.running.await();
    assertThat(lease.backlog()).isEqualTo(2);

    register(polite(2, "good day"));
    await(((Lease<Greeter>) lease)::isHanding);
    CompletableFuture<String> whileHeld = greet(lease, LONG);
    assertThat(lease.epoch()).isEqualTo(1);
    assertThat(begun).isNotDone();
    slow.go.countDown();
    await(() -> lease.epoch() == 2);
    events.take().run();
    assertThat(begun.get()).isEqualTo("hello Ada");
    assertThat(log).doesNotContain("lost 1");
    assertThat(kindOfNext(events, addressed)).isEqualTo(Kind.STALE);
    events.take().run();
    assertThat(log).containsSubsequence("lost 1", "acquired 2");
    events.take().run();
    assertThat(waits.get()).isEqualTo("good day Ada");
    events.take().run();
    assertThat(whileHeld.get()).isEqualTo("good day Ada");
    assertThat(lease.backlog()).isZero();
    await(() -> old.released.get() == 1);
    assertThat(events).isEmpty();
  }

  private LeaseListener quick() {
    return new LeaseListener() {
      @Override
      public void acquired(long epoch, ModuleDescription module) {
        log.add("acquired " + epoch);
      }

      @Override
      public void lost(long epoch, ModuleDescription module, String reason) {
        log.add("lost " + epoch);
      }
    };
  }

  @Test
  void withoutTheHoldASwapLosesWhatItIsSaidToKeep() throws Exception {
    Slow slow = new Slow("hello");
    register(new Fake(1, "polite", slow::instance));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    table.skipHandover(true);
    CompletableFuture<String> begun = greet(lease, LONG);
    slow.running.await();
    register(polite(2, "good day"));
    assertThat(kindOf(begun)).isEqualTo(Kind.STALE);
    slow.go.countDown();
  }

  @Test
  void withoutItsMailboxASwapLosesWhatWaits() throws Exception {
    Slow slow = new Slow("hello");
    register(new Fake(1, "polite", slow::instance));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    table.dropMailboxes(true);
    CompletableFuture<String> begun = greet(lease, LONG);
    slow.running.await();
    CompletableFuture<String> waits = greet(lease, LONG);
    register(polite(2, "good day"));
    await(() -> ((Lease<?>) lease).isHanding());
    slow.go.countDown();
    assertThat(kindOf(waits)).isEqualTo(Kind.STALE);
    assertThat(begun.get()).isEqualTo("hello Ada");
  }

  @Test
  void aSuccessorTakesOverBeforeItHoldsAndWhenItCannotTheOldOneGoesOn() throws Exception {
    register(polite(1, "hello"));
    List<String> given = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch takingOver = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    ModuleLease<Greeter> lease =
        table.lease(
            LeaseRequest.of(kind(1), "polite", DAEMON, loop)
                .heardBy(quick())
                .after(
                    () -> {
                      assertThat(Thread.currentThread().getName()).isEqualTo("loop");
                      return greeter -> {
                        given.add(greeter.greet("state"));
                        if (given.size() == 2) {
                          takingOver.countDown();
                          go.await();
                          throw new java.io.IOException("what is that");
                        }
                      };
                    }));
    await(() -> lease.epoch() == 1);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    Fake bad = register(polite(2, "good day"));
    takingOver.await();
    CompletableFuture<String> held = greet(lease, LONG);
    assertThat(lease.backlog()).isEqualTo(1);
    go.countDown();
    assertThat(held.get()).isEqualTo("hello Ada");
    assertThat(lease.epoch()).isEqualTo(1);
    assertThat(table.quarantined().get(0).problem()).contains("cannot take over");
    await(() -> bad.released.get() == 1);
    table.withdraw(bad);
    register(polite(3, "good morning"));
    await(() -> lease.epoch() == 2);
    assertThat(given).containsExactly("hello state", "good day state", "good morning state");
  }

  @Test
  void whatIsPutWhileTheFirstHolderIsToldTheStateWaitsForIt() throws Exception {
    CountDownLatch takingOver = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    AtomicBoolean fails = new AtomicBoolean(true);
    ModuleLease<Greeter> lease =
        table.lease(
            LeaseRequest.of(kind(1), "polite", DAEMON, loop)
                .after(
                    () -> {
                      takingOver.countDown();
                      go.await();
                      return greeter -> {
                        if (fails.getAndSet(false)) {
                          throw new java.io.IOException("what is that");
                        }
                      };
                    }));
    assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.ABSENT);
    register(polite(1, "hello"));
    takingOver.await();
    CompletableFuture<String> first = greet(lease, LONG);
    assertThat(lease.backlog()).isEqualTo(1);
    go.countDown();
    assertThat(kindOf(first)).isEqualTo(Kind.ABSENT);

    await(() -> lease.epoch() == 1);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
  }

  @Test
  void aFirstHolderGetsWhatWasPutWhileItWasToldTheState() throws Exception {
    CountDownLatch takingOver = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    ModuleLease<Greeter> lease =
        table.lease(
            LeaseRequest.of(kind(1), "polite", DAEMON, loop)
                .after(
                    () ->
                        greeter -> {
                          takingOver.countDown();
                          go.await();
                        }));
    register(polite(1, "hello"));
    takingOver.await();
    CompletableFuture<String> waits = greet(lease, LONG);
    go.countDown();
    assertThat(waits.get()).isEqualTo("hello Ada");
  }

  @Test
  void aBegunCallThatOutlastsTheHandoverIsGivenUp() throws Exception {
    Fake old = register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> lease =
        table.lease(
            LeaseRequest.of(
                kind(1).within(java.util.Optional.of(LONG), SHORT), "polite", DAEMON, loop));
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> begun = greet(lease, LONG);
    CompletableFuture<String> waits = greet(lease, LONG);
    await(() -> !stuck.isEmpty());
    register(polite(2, "good day"));
    assertThat(kindOf(begun)).isEqualTo(Kind.STALE);
    assertThat(waits.get()).isEqualTo("good day Ada");
    assertThat(table.abandonedThreads()).isEqualTo(1);
    assertThat(log).doesNotContain("close stuck");
    stuck.get(0).countDown();
    await(() -> old.released.get() == 1 && table.abandonedThreads() == 0);
  }

  @Test
  void callsOfAParallelKindEndBesideTheSuccessorWhichServesAtOnce() throws Exception {
    Slow slow = new Slow("hello");
    Fake old = register(new Fake(1, "polite", slow::instance));
    ModuleLease<Greeter> lease = lease(3);
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> begun = greet(lease, LONG);
    slow.running.await();
    register(polite(2, "good day"));
    await(() -> lease.epoch() == 2);
    assertThat(greet(lease, LONG).get()).isEqualTo("good day Ada");
    assertThat(begun).isNotDone();
    CompletableFuture<Void> drained = table.drain(1, LONG).toCompletableFuture();
    assertThat(log).doesNotContain("lost 1 b1");
    slow.go.countDown();
    assertThat(begun.get()).isEqualTo("hello Ada");
    drained.get();
    assertThat(old.released).hasValue(1);
    await(() -> log.contains("lost 1 b1"));
    assertThat(log).containsSubsequence("acquired 2 b2", "lost 1 b1");
  }

  @Test
  void oneSlowCallOfAParallelKindStopsNoSiblingAndCostsNoLease() throws Exception {
    Slow slow = new Slow("hello");
    AtomicInteger calls = new AtomicInteger();
    Supplier<Greeter> stuckOnce = hanging();
    register(
        new Fake(
            1,
            "polite",
            () ->
                new Polite("hello") {
                  @Override
                  public String greet(String name) throws Exception {
                    if (calls.getAndIncrement() == 0) {
                      return stuckOnce.get().greet(name);
                    }
                    slow.running.countDown();
                    slow.go.await();
                    return super.greet(name);
                  }
                }));
    ModuleLease<Greeter> lease = lease(2);
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> late = greet(lease, SHORT);
    await(() -> calls.get() == 1);
    CompletableFuture<String> sibling = greet(lease, LONG);
    slow.running.await();
    assertThat(kindOf(late)).isEqualTo(Kind.LATE);
    CompletableFuture<String> next = greet(lease, LONG);
    slow.go.countDown();
    assertThat(sibling.get()).isEqualTo("hello Ada");
    assertThat(next.get()).isEqualTo("hello Ada");
    assertThat(lease.epoch()).isEqualTo(1);
    assertThat(table.quarantined()).isEmpty();
  }

  @Test
  void aParallelKindIsQuarantinedForTheShareOfItsLastCallsThatFailed() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    AtomicInteger failing = new AtomicInteger(3);
    register(
        new Fake(
            1,
            "polite",
            () ->
                new Polite("hello") {
                  @Override
                  public String greet(String name) throws Exception {
                    return calls.getAndIncrement() % failing.get() == 0 ? null : name;
                  }
                }));
    ModuleLease<Greeter> lease = lease(2);
    await(() -> lease.epoch() == 1);
    int threw = 0;
    for (int i = 0; i < 60; i++) {
      threw += greet(lease, LONG).handle((r, t) -> t == null ? 0 : 1).get();
    }
    assertThat(threw).isEqualTo(20);
    assertThat(lease.epoch()).isEqualTo(1);
    failing.set(1);
    for (int i = 0; i < 20; i++) {
      greet(lease, LONG).handle((r, t) -> t).get();
    }
    await(() -> !table.quarantined().isEmpty() || lease.epoch() > 1);
  }

  @Test
  void nullIsAFaultAndTellingGivesNothing() throws Exception {
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    assertThat(kindOf(lease.ask("greet", greeter -> null).toCompletableFuture()))
        .isEqualTo(Kind.THREW);
    assertThat(table.leases().get(0).throwsInARow()).isEqualTo(1);
    assertThat(lease.tell("greet", greeter -> greeter.greet("x")).toCompletableFuture().get())
        .isNull();
    assertThat(table.leases().get(0).throwsInARow()).isZero();
  }

  @Test
  void theNextCallBeginsWhenTheStageOfTheOneBeforeHasEnded() throws Exception {
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> slow = new CompletableFuture<>();
    CompletableFuture<String> first =
        lease.askLater(Terms.of("later"), greeter -> slow).toCompletableFuture();
    CompletableFuture<String> second = greet(lease, LONG);
    assertThat(lease.backlog()).isEqualTo(1);
    assertThat(second).isNotDone();
    slow.complete("at last");
    assertThat(first.get()).isEqualTo("at last");
    assertThat(second.get()).isEqualTo("hello Ada");

    CompletableFuture<String> never = new CompletableFuture<>();
    CompletableFuture<String> late =
        lease.askLater(Terms.of("later").within(SHORT), greeter -> never).toCompletableFuture();
    assertThat(kindOf(late)).isEqualTo(Kind.LATE);
    await(never::isCancelled);
    assertThat(table.abandonedThreads()).isZero();
  }

  @Test
  void whatIsToldIsTakenBackWithItsReply() throws Exception {
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    CompletableFuture<Void> reply =
        lease
            .tell(
                "greet",
                greeter -> {
                  begun.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    interrupted.countDown();
                    throw e;
                  }
                })
            .toCompletableFuture();
    begun.await();
    reply.cancel(true);
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aStageIsCancelledWithItsCall() throws Exception {
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> never = new CompletableFuture<>();
    CountDownLatch begun = new CountDownLatch(1);
    CompletableFuture<String> reply =
        lease
            .askLater(
                Terms.of("later"),
                greeter -> {
                  begun.countDown();
                  return never;
                })
            .toCompletableFuture();
    begun.await();
    reply.cancel(true);
    await(never::isCancelled);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(lease.epoch()).isEqualTo(1);
  }

  @Test
  void renewingGivesAFreshInstanceOfTheSameModule() throws Exception {
    Fake fake = register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    lease.renew(7, "nobody", false);
    lease.renew(1, "it was not told everything", false);
    await(() -> lease.epoch() == 2);
    assertThat(fake.created).hasValue(2);
    assertThat(table.quarantined()).isEmpty();
    await(() -> fake.released.get() == 1);
  }

  @Test
  void oneThatIsToBeRenewedIsReplacedAlsoWhenTheFirstFreshInstanceFails() throws Exception {
    AtomicInteger opened = new AtomicInteger();
    Fake fake =
        register(
            new Fake(
                1,
                "polite",
                () ->
                    new Polite("hello") {
                      @Override
                      public void open(DaemonContext context) {
                        if (opened.incrementAndGet() == 2) {
                          throw new IllegalStateException("not now");
                        }
                      }
                    }));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    lease.renew(1, "it was not told everything", false);
    await(() -> lease.epoch() == 2);
    assertThat(fake.created).hasValue(3);
    assertThat(table.quarantined()).isEmpty();
  }

  @Test
  void aSuccessorThatOpensAlreadyIsFreshEnoughForOneThatIsToBeRenewed() throws Exception {
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    CountDownLatch opening = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    register(
        new Fake(
            2,
            "polite",
            () ->
                new Polite("good day") {
                  @Override
                  public void open(DaemonContext context) throws Exception {
                    opening.countDown();
                    go.await();
                  }
                }));
    opening.await();
    lease.renew(1, "it was not told everything", false);
    go.countDown();
    await(() -> lease.epoch() == 2);
    assertThat(table.modules())
        .extracting(ModuleDescription::state)
        .containsExactly("available", "leased");
  }

  @Test
  void theLimitOfASwapThatWasCalledOffEndsNoCall() throws Exception {
    Slow slow = new Slow("hello");
    register(new Fake(1, "polite", slow::instance));
    Duration handover = Duration.ofSeconds(1);
    ModuleLease<Greeter> lease =
        table.lease(
            LeaseRequest.of(
                kind(1).within(java.util.Optional.of(LONG), handover), "polite", DAEMON, loop));
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> begun = greet(lease, LONG);
    slow.running.await();
    Fake next = register(polite(2, "good day"));
    await(((Lease<Greeter>) lease)::isHanding);
    table.withdraw(next);
    // A timer of the table that is due after the limit of the swap.
    CountDownLatch due = new CountDownLatch(1);
    table.schedule(handover, due::countDown);
    assertThat(due.await(10, TimeUnit.SECONDS)).isTrue();
    slow.go.countDown();
    assertThat(begun.get()).isEqualTo("hello Ada");
    assertThat(lease.epoch()).isEqualTo(1);
  }

  @Test
  void aLeaseThatIsIdleHasNoThread() throws Exception {
    List<ModuleLease<Greeter>> leases = new ArrayList<>();
    register(polite(1, "hello"));
    for (int i = 0; i < 50; i++) {
      ModuleLease<Greeter> lease = lease(1);
      leases.add(lease);
      await(() -> lease.epoch() == 1);
      assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    }
    await(
        () ->
            Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith("master-greeter")));
  }

  /** Opens by itself after a while: who waits for it under a lock would hold up the test, too. */
  private static CountDownLatch opening() {
    CountDownLatch go = new CountDownLatch(1);
    CompletableFuture.delayedExecutor(10, TimeUnit.SECONDS).execute(go::countDown);
    return go;
  }

  /** Waits when it is asked what it is. */
  private static final class Unspeakable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient CountDownLatch asked;
    private final transient CountDownLatch go;

    Unspeakable(CountDownLatch asked, CountDownLatch go) {
      this.asked = asked;
      this.go = go;
    }

    @Override
    public String getMessage() {
      asked.countDown();
      while (go.getCount() > 0) {
        try {
          go.await();
        } catch (InterruptedException e) {
          continue;
        }
      }
      return "at last";
    }
  }

  /** A throwable that hangs does so in the call that threw it, and nobody else waits for it. */
  @Test
  void whatIsThrownIsAskedWhatItIsWithoutAnyLock() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = opening();
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(2);
    await(() -> lease.epoch() == 1);
    CompletableFuture<Void> hangs =
        lease
            .tell(
                Terms.of("greet").within(LONG),
                greeter -> {
                  throw new Unspeakable(asked, go);
                })
            .toCompletableFuture();
    asked.await();
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(hangs).isNotDone();
    go.countDown();
    assertThat(kindOf(hangs)).isEqualTo(Kind.THREW);
  }

  @Test
  void oneThatCannotBeOpenedIsAskedWhyWithoutAnyLock() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = opening();
    ModuleLease<Greeter> lease = lease(1);
    register(
        new Fake(
            1,
            "polite",
            () -> {
              throw new Unspeakable(asked, go);
            }));
    asked.await();
    assertThat(lease.holder()).isEmpty();
    assertThat(go.getCount()).isEqualTo(1);
    go.countDown();
    await(() -> table.modules().get(0).problem().contains("at last"));
  }

  /** A stage whose methods wait. */
  private static final class StuckStage extends CompletableFuture<String> {
    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch go;

    StuckStage(CountDownLatch go) {
      this.go = go;
    }

    @Override
    public CompletableFuture<String> whenComplete(
        java.util.function.BiConsumer<? super String, ? super Throwable> action) {
      entered.countDown();
      while (go.getCount() > 0) {
        try {
          go.await();
        } catch (InterruptedException e) {
          continue;
        }
      }
      return super.whenComplete(action);
    }
  }

  @Test
  void aStageIsCodeOfTheModuleThatHoldsNobodyUp() throws Exception {
    CountDownLatch go = opening();
    StuckStage stage = new StuckStage(go);
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(2);
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> first =
        lease.askLater(Terms.of("later").within(LONG), greeter -> stage).toCompletableFuture();
    stage.entered.await();
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(go.getCount()).isEqualTo(1);
    CompletableFuture<String> late =
        lease
            .askLater(Terms.of("later").within(SHORT), greeter -> new StuckStage(go))
            .toCompletableFuture();
    assertThat(kindOf(late)).isEqualTo(Kind.LATE);
    assertThat(table.abandonedThreads()).isEqualTo(1);
    stage.complete("at last");
    go.countDown();
    assertThat(first.get()).isEqualTo("at last");
    await(() -> table.abandonedThreads() == 0);
  }

  @Test
  void whatWasPutOffIsDoneAlsoWhenSomethingThrows() {
    List<String> done = new ArrayList<>();
    assertThatThrownBy(
            () ->
                table.locked(
                    () -> {
                      table.afterwards(
                          () -> {
                            throw new IllegalArgumentException("put off");
                          });
                      table.afterwards(() -> done.add("the next"));
                      throw new IllegalStateException("in the middle");
                    }))
        .isInstanceOf(RuntimeException.class);
    assertThat(done).containsExactly("the next");
    table.locked(() -> {});
    assertThat(done).hasSize(1);
  }

  @Test
  void whatBeganWithoutADeadlineIsInterruptedAndBoundedWhenItsHolderGoes() throws Exception {
    table.close();
    table = new LeaseTable(Limits.DEFAULT.withCancelGrace(SHORT));
    org.mezzo.modules.Kind<Greeter> endless = kind(2).within(java.util.Optional.empty(), LONG);
    Fake deaf = register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> lease = table.lease(LeaseRequest.of(endless, "polite", DAEMON, loop));
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> begun =
        lease.ask("greet", greeter -> greeter.greet("Ada")).toCompletableFuture();
    await(() -> !stuck.isEmpty());
    table.withdraw(deaf);
    assertThat(kindOf(begun)).isEqualTo(Kind.ABSENT);
    await(() -> table.abandonedThreads() == 1);

    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    register(polite(2, "good day"));
    await(() -> lease.epoch() == 2);
    lease.tell(
        "greet",
        greeter -> {
          running.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException e) {
            interrupted.countDown();
            throw e;
          }
        });
    running.await();
    lease.close();
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aCallThatGetsNoThreadIsRefusedAndTheLeaseGoesOn() throws Exception {
    table.close();
    AtomicBoolean none = new AtomicBoolean(true);
    List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
    table =
        new LeaseTable(
            Limits.DEFAULT.withBackoff(Duration.ofMillis(20), Duration.ofMillis(80)),
            task -> {
              if (none.get()) {
                throw new OutOfMemoryError("unable to create native thread");
              }
              Thread thread = new Thread(task, "mezzo-modules");
              thread.setDaemon(true);
              threads.add(thread);
              return thread;
            });
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(8);
    await(() -> !table.quarantined().isEmpty());
    none.set(false);
    await(() -> lease.epoch() == 1);

    CountDownLatch go = new CountDownLatch(1);
    stuck.add(go);
    List<CompletableFuture<Void>> running = new ArrayList<>();
    while (running.isEmpty() || threads.stream().filter(Thread::isAlive).count() > running.size()) {
      CountDownLatch begun = new CountDownLatch(1);
      running.add(
          lease
              .tell(
                  Terms.of("wait").within(LONG),
                  greeter -> {
                    begun.countDown();
                    go.await();
                  })
              .toCompletableFuture());
      begun.await();
    }
    none.set(true);
    assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.OVERLOADED);
    none.set(false);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    go.countDown();
    for (CompletableFuture<Void> call : running) {
      assertThat(call.get()).isNull();
    }
    assertThat(lease.epoch()).isEqualTo(1);
  }

  private static Kind kindOfNext(BlockingQueue<Runnable> events, CompletableFuture<?> reply)
      throws InterruptedException {
    events.take().run();
    return kindOf(reply);
  }

  @Test
  void callsRunInOrderOneAtATimeAndSeveralWhereTheKindAllows() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch three = new CountDownLatch(3);
    register(
        new Fake(
            1,
            "polite",
            () ->
                new Polite("hello") {
                  @Override
                  public String greet(String name) throws Exception {
                    most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                    if (name.equals("together")) {
                      three.countDown();
                      three.await();
                    }
                    inside.decrementAndGet();
                    return name;
                  }
                }));
    ModuleLease<Greeter> one = lease(1);
    await(() -> one.epoch() != 0);
    List<CompletableFuture<String>> replies = new ArrayList<>();
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    for (int i = 0; i < 100; i++) {
      String name = "n" + i;
      replies.add(
          one.ask(Terms.of("greet").within(LONG).only(1), greeter -> greeter.greet(name))
              .whenComplete((r, t) -> order.add(r))
              .toCompletableFuture());
    }
    for (CompletableFuture<String> reply : replies) {
      reply.get();
    }
    assertThat(most).hasValue(1);
    assertThat(order).hasSize(100).startsWith("n0", "n1", "n2").endsWith("n99");

    ModuleLease<Greeter> three3 = lease(3);
    await(() -> three3.epoch() != 0);
    List<CompletableFuture<String>> together = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      together.add(
          three3
              .ask(Terms.of("greet").within(LONG).only(1), g -> g.greet("together"))
              .toCompletableFuture());
    }
    for (CompletableFuture<String> reply : together) {
      assertThat(reply.get()).isEqualTo("together");
    }
    assertThat(most).hasValue(3);
  }

  @Test
  void oneThatThrowsAgainAndAgainIsQuarantinedAndTheOldVersionServes() throws Exception {
    register(polite(1, "hello"));
    Fake bad =
        register(
            new Fake(
                2,
                "polite",
                () ->
                    new Polite("bad") {
                      @Override
                      public String greet(String name) {
                        throw new IllegalStateException("no manners");
                      }
                    }));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    for (int i = 0; i < 5; i++) {
      assertThat(table.leases().get(0).throwsInARow()).isEqualTo(i);
      assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.THREW);
    }
    await(() -> lease.epoch() == 2);
    assertThat(table.leases().get(0).throwsInARow()).isZero();
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(table.quarantined()).hasSize(1);
    assertThat(table.quarantined().get(0).problem()).contains("no manners").contains("greet");
    await(() -> bad.released.get() == 1);
    assertThat(log).containsSubsequence("lost 1 b2", "acquired 2 b1");
  }

  @Test
  void oneThatThrowsInAVitalCallIsQuarantinedBeforeItGetsAnother() throws Exception {
    register(polite(1, "hello"));
    AtomicInteger calls = new AtomicInteger();
    register(
        new Fake(
            2,
            "polite",
            () ->
                new Polite("bad") {
                  @Override
                  public String greet(String name) {
                    calls.incrementAndGet();
                    throw new IllegalStateException("no manners");
                  }
                }));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> vital =
        lease
            .ask(Terms.of("greet").within(LONG).vital(), greeter -> greeter.greet("Ada"))
            .toCompletableFuture();
    List<CompletableFuture<String>> behind = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      behind.add(greet(lease, LONG));
    }
    assertThat(kindOf(vital)).isEqualTo(Kind.THREW);
    await(() -> behind.stream().allMatch(CompletableFuture::isDone) && lease.epoch() == 2);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(calls).hasValue(1);
    assertThat(table.quarantined().get(0).problem())
        .isEqualTo("greet threw java.lang.IllegalStateException: no manners");
  }

  @Test
  void whatGoesWellDoesNotHideAnOperationThatAlwaysThrows() throws Exception {
    register(polite(1, "hello"));
    register(
        new Fake(
            2,
            "polite",
            () ->
                new Polite("bad") {
                  @Override
                  public String greet(String name) {
                    if (name.equals("Ada")) {
                      throw new IllegalStateException("no manners");
                    }
                    return "well";
                  }
                }));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    for (int i = 1; i < 5; i++) {
      assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.THREW);
      assertThat(
              lease
                  .ask(Terms.of("other").within(LONG), it -> it.greet("Bob"))
                  .toCompletableFuture()
                  .get())
          .isEqualTo("well");
      assertThat(table.leases().get(0).throwsInARow()).isEqualTo(i);
    }
    assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.THREW);
    await(() -> lease.epoch() == 2);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(table.quarantined().get(0).problem())
        .isEqualTo(
            "5 calls in a row threw, the last one (greet) java.lang.IllegalStateException: no"
                + " manners");
  }

  @Test
  void whatAModuleMayThrowIsAnAnswer() throws Exception {
    register(
        new Fake(
            1,
            "polite",
            () ->
                new Polite("hello") {
                  @Override
                  public String greet(String name) throws Exception {
                    throw new java.io.IOException("nobody is there");
                  }
                }));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    for (int i = 0; i < 20; i++) {
      assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.THREW);
    }
    assertThat(lease.epoch()).isEqualTo(1);
    assertThat(table.quarantined()).isEmpty();
  }

  @Test
  void oneThatAlwaysThrowsIsTriedAgainWithAFreshInstance() throws Exception {
    Fake bad =
        register(
            new Fake(
                1,
                "polite",
                () -> {
                  throw new IllegalStateException("cannot start");
                }));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> bad.created.get() >= 4);
    assertThat(lease.epoch()).isZero();
    assertThat(table.modules().get(0).problem()).contains("cannot start");
  }

  @Test
  void anInstanceThatRecoversIsNotInQuarantineAnyMore() throws Exception {
    AtomicInteger tries = new AtomicInteger();
    register(
        new Fake(
            1,
            "polite",
            () ->
                new Polite("hello") {
                  @Override
                  public void open(DaemonContext context) throws Exception {
                    if (tries.incrementAndGet() < 3) {
                      throw new IllegalStateException("not yet");
                    }
                  }
                }));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    assertThat(table.quarantined()).isEmpty();
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
  }

  private Supplier<Greeter> hanging() {
    return () ->
        new Polite("stuck") {
          @Override
          public String greet(String name) {
            CountDownLatch latch = new CountDownLatch(1);
            synchronized (stuck) {
              stuck.add(latch);
            }
            while (latch.getCount() > 0) {
              try {
                latch.await();
              } catch (InterruptedException e) {
                continue;
              }
            }
            return name;
          }
        };
  }

  @Test
  void oneThatDoesNotReturnLosesItsThreadAndIsReportedWithItsStack() throws Exception {
    Fake fake = register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> late = greet(lease, SHORT);
    CompletableFuture<String> behind = greet(lease, SHORT);
    assertThat(kindOf(late)).isEqualTo(Kind.LATE);
    assertThat(kindOf(behind)).isEqualTo(Kind.ABSENT);
    assertThat(table.abandonedThreads()).isEqualTo(1);
    // The listener is told by another thread than the callers.
    await(() -> log.contains("lost 1 b1"));
    assertThat(log).doesNotContain("close stuck");
    register(polite(0, "hello"));
    stuck.get(0).countDown();
    await(() -> fake.released.get() == 1);
    await(() -> table.abandonedThreads() == 0);
  }

  @Test
  void aProcessThatStoodStillIsNoFaultOfTheModule() throws Exception {
    register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    standStill();
    CompletableFuture<String> begun = greet(lease, SHORT);
    await(() -> !stuck.isEmpty());
    stillness.countDown();
    await(() -> stoodStill.getCount() == 0);
    stuck.get(0).countDown();
    begun.get();
    assertThat(lease.epoch()).isEqualTo(1);
    assertThat(table.abandonedThreads()).isZero();
  }

  @Test
  void whoDoesNotReturnAfterAStandstillEitherIsLate() throws Exception {
    register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    standStill();
    CompletableFuture<String> begun = greet(lease, SHORT);
    await(() -> !stuck.isEmpty());
    stillness.countDown();
    assertThat(kindOf(begun)).isEqualTo(Kind.LATE);
  }

  private final CountDownLatch stillness = new CountDownLatch(1);
  private final CountDownLatch stoodStill = new CountDownLatch(1);

  /** No timer runs until {@link #stillness} is over and a second has passed. */
  private void standStill() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    table.later(
        Duration.ZERO,
        () -> {
          begun.countDown();
          try {
            stillness.await();
            new CountDownLatch(1).await(1, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          stoodStill.countDown();
        });
    assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void theStackOfTheStuckThreadIsInTheDescription() throws Exception {
    register(new Fake(1, "polite", hanging()));
    register(polite(0, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    assertThat(kindOf(greet(lease, SHORT))).isEqualTo(Kind.LATE);
    await(() -> lease.epoch() == 2);
    assertThat(table.quarantined().get(0).problem())
        .contains("greet did not return within 200 ms")
        .contains("CountDownLatch.await")
        .contains("LeaseTableTest");
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
  }

  @Test
  void afterTooManyStuckThreadsAFailedModuleIsNotTriedAgain() throws Exception {
    table.close();
    table =
        new LeaseTable(
            Limits.DEFAULT
                .withBackoff(Duration.ofMillis(1), Duration.ofMillis(1))
                .withAbandonedThreads(2));
    Fake fake = register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> lease = lease(1);
    for (int i = 1; i <= 2; i++) {
      long epoch = i;
      await(() -> lease.epoch() == epoch);
      assertThat(kindOf(greet(lease, SHORT))).isEqualTo(Kind.LATE);
    }
    // A timer of the table that is due after the one that would try again.
    CountDownLatch due = new CountDownLatch(1);
    table.schedule(Duration.ofMillis(2), due::countDown);
    assertThat(due.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(lease.epoch()).isZero();
    assertThat(fake.created).hasValue(2);
    assertThat(table.abandonedThreads()).isEqualTo(2);
    synchronized (stuck) {
      stuck.get(0).countDown();
    }
    await(() -> lease.epoch() == 3);
  }

  @Test
  void forHowLongTheCallRunsIsKnownWhereCallsAreMadeOneByOne() throws Exception {
    register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> one = lease(1);
    ModuleLease<Greeter> several = lease(2);
    await(() -> one.epoch() == 1 && several.epoch() == 1);
    await(() -> table.leases().stream().allMatch(lease -> lease.busy().isZero()));
    CompletableFuture<String> reply = greet(one, LONG);
    greet(several, LONG);
    await(
        () ->
            table.leases().stream()
                .anyMatch(lease -> lease.busy().compareTo(Duration.ofMillis(20)) > 0));
    await(
        () -> {
          synchronized (stuck) {
            return stuck.size() == 2;
          }
        });
    assertThat(table.leases().stream().filter(lease -> !lease.busy().isZero())).hasSize(1);
    synchronized (stuck) {
      stuck.forEach(CountDownLatch::countDown);
    }
    reply.get();
    await(() -> table.leases().stream().allMatch(lease -> lease.busy().isZero()));
  }

  @Test
  void aBoundedMailboxRefusesMore() throws Exception {
    register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> lease =
        table.lease(LeaseRequest.of(kind(1).queueing(2), "polite", DAEMON, loop));
    await(() -> lease.epoch() == 1);
    greet(lease, LONG);
    await(() -> !stuck.isEmpty());
    greet(lease, LONG);
    greet(lease, LONG);
    assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.OVERLOADED);
    assertThat(lease.backlog()).isEqualTo(2);
  }

  @Test
  void cancellingInterruptsTheCallAndKeepsTheInstance() throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    CountDownLatch running = new CountDownLatch(1);
    register(
        new Fake(
            1,
            "polite",
            () ->
                new Polite("hello") {
                  @Override
                  public String greet(String name) throws Exception {
                    if (running.getCount() > 0) {
                      running.countDown();
                      try {
                        new CountDownLatch(1).await();
                      } catch (InterruptedException e) {
                        interrupted.countDown();
                        throw e;
                      }
                    }
                    return super.greet(name);
                  }
                }));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    CompletableFuture<String> reply = greet(lease, LONG);
    running.await();
    reply.cancel(true);
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(lease.epoch()).isEqualTo(1);
  }

  @Test
  void drainMovesTheLeaseToAnotherBundleAndWaitsForTheLastCall() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    register(polite(1, "hello"));
    Fake newest =
        register(
            new Fake(
                2,
                "polite",
                () ->
                    new Polite("new") {
                      @Override
                      public String greet(String name) throws Exception {
                        running.countDown();
                        go.await();
                        return super.greet(name);
                      }
                    }));
    ModuleLease<Greeter> lease = lease(2);
    await(() -> lease.epoch() == 1);
    greet(lease, LONG);
    running.await();
    CompletableFuture<Void> drained = table.drain(2, LONG).toCompletableFuture();
    await(() -> lease.epoch() == 2);
    assertThat(greet(lease, LONG).get()).isEqualTo("hello Ada");
    assertThat(drained).isNotDone();
    go.countDown();
    drained.get();
    assertThat(newest.released).hasValue(1);
    assertThat(table.modules())
        .extracting(ModuleDescription::state)
        .containsExactly("leased", "draining");

    table.readmit(2);
    await(() -> lease.epoch() == 3);
    assertThat(lease.holder().orElseThrow().bundleId()).isEqualTo(2);
  }

  @Test
  void drainWithoutASuccessorLeavesTheLeaseVacant() throws Exception {
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    table.drain(1, LONG).toCompletableFuture().get();
    assertThat(lease.epoch()).isZero();
    assertThat(table.drain(77, LONG).toCompletableFuture()).isCompleted();
  }

  @Test
  void drainEndsAtItsDeadlineThoughACallStillRuns() throws Exception {
    register(new Fake(1, "polite", hanging()));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    greet(lease, LONG);
    await(() -> !stuck.isEmpty());
    table.drain(1, SHORT).toCompletableFuture().get();
    assertThat(lease.epoch()).isZero();
  }

  @Test
  void closingClosesTheInstanceAndAnswersWhatWaits() throws Exception {
    Fake fake = register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    lease.close();
    await(() -> fake.released.get() == 1);
    assertThat(log).contains("close hello");
    assertThat(kindOf(greet(lease, LONG))).isEqualTo(Kind.ABSENT);
    assertThat(table.leases()).isEmpty();
    table.close();
    assertThatThrownBy(() -> lease(1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void mailboxThreadsHaveNoContextClassLoaderAndAName() throws Exception {
    register(polite(1, "hello"));
    ModuleLease<Greeter> lease = lease(1);
    await(() -> lease.epoch() == 1);
    Thread thread =
        lease
            .ask(Terms.of("look").within(LONG).only(1), g -> Thread.currentThread())
            .toCompletableFuture()
            .get();
    assertThat(thread.getContextClassLoader()).isNull();
    assertThat(thread.getName()).isEqualTo("master-greeter-polite@1");
    assertThat(thread.isDaemon()).isTrue();
  }

  @Test
  void aHundredSwapsUnderCallsLoseNoCall() throws Exception {
    for (int atOnce : new int[] {1, 3}) {
      swapUnderCalls(atOnce);
    }
  }

  private void swapUnderCalls(int atOnce) throws Exception {
    Fake current = register(polite(1000L * atOnce, "v"));
    ModuleLease<Greeter> lease = lease(atOnce);
    await(() -> lease.epoch() == 1);
    AtomicInteger answered = new AtomicInteger();
    List<Throwable> failed = Collections.synchronizedList(new ArrayList<>());
    boolean[] stop = new boolean[1];
    List<Thread> callers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Thread caller =
          new Thread(
              () -> {
                while (!stop[0]) {
                  try {
                    greet(lease, LONG).get();
                    answered.incrementAndGet();
                  } catch (InterruptedException | ExecutionException e) {
                    failed.add(e);
                  }
                }
              });
      caller.start();
      callers.add(caller);
    }
    for (int i = 1; i <= 100; i++) {
      Fake next = register(polite(1000L * atOnce + i, "v" + i));
      long epoch = i + 1;
      await(() -> lease.epoch() == epoch);
      table.drain(1000L * atOnce + i - 1, LONG).toCompletableFuture().get();
      table.withdraw(current);
      current = next;
    }
    stop[0] = true;
    for (Thread caller : callers) {
      caller.join();
    }
    assertThat(failed).isEmpty();
    assertThat(answered.get()).isPositive();
    lease.close();
    table.withdraw(current);
  }
}
