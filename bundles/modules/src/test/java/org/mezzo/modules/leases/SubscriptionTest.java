package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.api.Sink;
import org.mezzo.api.Sink.Receipt;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.Subscription;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.testing.FakeMetrics;

/** What modules report by themselves, and what becomes of it when they go. */
@Timeout(60)
final class SubscriptionTest {
  private static final Duration LONG = Duration.ofMinutes(1);
  private static final Duration SHORT = Duration.ofMillis(30);

  /** A kind for tests. */
  interface Watchman extends Module {
    void reports(Sink<String> sink) throws Exception;

    default String round() throws Exception {
      return "all is well";
    }
  }

  private static class Guard implements Watchman {
    volatile Sink<String> sink;

    @Override
    public void reports(Sink<String> given) throws Exception {
      sink = given;
    }

    Receipt says(String report) {
      return sink.report(report);
    }
  }

  private static final Kind<Watchman> SERIAL = Kind.serial(Watchman.class, "watchman");

  private final LocalModules modules = new LocalModules();
  private final ExecutorService loop = Executors.newSingleThreadExecutor();
  private final List<String> handled = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    modules.close();
    loop.shutdownNow();
  }

  private void handle(String report, long epoch) {
    handled.add(epoch + " " + report);
  }

  private Subscription<Watchman, String> events(int bound) {
    return Subscription.events("sights", bound, Watchman::reports, this::handle);
  }

  private Subscription<Watchman, String> level() {
    return Subscription.level("mood", Watchman::reports, this::handle);
  }

  private LeaseRequest<Watchman> request(Kind<Watchman> kind) {
    return LeaseRequest.of(
        kind,
        "tower",
        LocalModules.daemon("agent", DaemonContext.Role.AGENT, Path.of("/nowhere")),
        loop);
  }

  private ModuleLease<Watchman> lease(
      Kind<Watchman> kind, Subscription<Watchman, String> subscription)
      throws InterruptedException {
    ModuleLease<Watchman> lease = modules.leases().lease(request(kind).subscribe(subscription));
    modules.awaitHolders();
    return lease;
  }

  private <W extends Watchman> W register(W watchman) {
    modules.register(SERIAL, "tower", watchman);
    return watchman;
  }

  private Guard swap() throws InterruptedException {
    Guard next = register(new Guard());
    modules.awaitHolders();
    return next;
  }

  /** Keeps the loop from everything until it is run. */
  private Runnable holdLoop() throws InterruptedException {
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    loop.execute(
        () -> {
          held.countDown();
          try {
            go.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    held.await();
    return go::countDown;
  }

  private void runLoop() throws Exception {
    loop.submit(() -> {}).get(30, TimeUnit.SECONDS);
  }

  @Test
  void eventsAreHandledInOrder() throws Exception {
    Guard guard = register(new Guard());
    lease(SERIAL, events(10));
    for (int i = 0; i < 5; i++) {
      assertThat(guard.says("ship " + i)).isEqualTo(Receipt.TAKEN);
    }
    runLoop();
    assertThat(handled).containsExactly("1 ship 0", "1 ship 1", "1 ship 2", "1 ship 3", "1 ship 4");
    assertThatThrownBy(() -> guard.says(null)).isInstanceOf(NullPointerException.class);
  }

  @Test
  void aFullQueueRefusesAndCounts() throws Exception {
    FakeMetrics metrics = new FakeMetrics();
    DaemonContext daemon =
        new InstanceContext(
            LocalModules.daemon("agent", DaemonContext.Role.AGENT, Path.of("/nowhere")),
            Map.of(),
            Map.of(),
            metrics,
            "modules.tower");
    Guard guard = register(new Guard());
    modules.leases().lease(LeaseRequest.of(SERIAL, "tower", daemon, loop).subscribe(events(2)));
    modules.awaitHolders();
    Runnable go = holdLoop();
    assertThat(guard.says("first")).isEqualTo(Receipt.TAKEN);
    assertThat(guard.says("second")).isEqualTo(Receipt.TAKEN);
    assertThat(guard.says("third")).isEqualTo(Receipt.FULL);
    assertThat(metrics.value("reports_refused")).isEqualTo(1);
    assertThat(metrics.value("reports_waiting")).isEqualTo(2);
    go.run();
    runLoop();
    assertThat(guard.says("third")).isEqualTo(Receipt.TAKEN);
    runLoop();
    assertThat(handled).containsExactly("1 first", "1 second", "1 third");
    assertThat(metrics.value("reports")).isEqualTo(3);
    assertThat(metrics.value("reports_waiting")).isZero();
  }

  @Test
  void whatWasTakenIsHandledThoughItsReporterIsReplaced() throws Exception {
    Guard first = register(new Guard());
    lease(SERIAL, events(10));
    Runnable go = holdLoop();
    first.says("fire");
    Guard second = swap();
    assertThat(first.says("flood")).isEqualTo(Receipt.RETIRED);
    second.says("fire, too");
    go.run();
    runLoop();
    assertThat(handled).containsExactly("1 fire", "2 fire, too");
  }

  @Test
  void whatWasTakenIsHandledThoughItsModuleIsGone() throws Exception {
    Guard only = new Guard();
    LocalModules.Registered registered = modules.register(SERIAL, "tower", only);
    ModuleLease<Watchman> lease = lease(SERIAL, events(10));
    Runnable go = holdLoop();
    only.says("fire");
    registered.close();
    assertThat(lease.epoch()).isZero();
    assertThat(only.says("flood")).isEqualTo(Receipt.RETIRED);
    go.run();
    runLoop();
    assertThat(handled).containsExactly("1 fire");
  }

  /** Whatever the moment: what was taken is handled once, and nothing else is. */
  @Test
  void aSwapInTheMiddleOfReportsLosesNoneAndDoublesNone() throws Exception {
    Guard guard = register(new Guard());
    lease(SERIAL, events(1_000_000));
    ExecutorService reporters = Executors.newFixedThreadPool(2);
    List<String> taken = new CopyOnWriteArrayList<>();
    try {
      for (int swap = 1; swap <= 20; swap++) {
        Guard reporter = guard;
        int epoch = swap;
        List<Future<?>> ends = new ArrayList<>();
        CountDownLatch begun = new CountDownLatch(2);
        for (int each = 0; each < 2; each++) {
          String name = epoch + " sight " + each + ".";
          ends.add(
              reporters.submit(
                  () -> {
                    for (int i = 0; ; i++) {
                      String report = name + i;
                      if (reporter.says(report) != Receipt.TAKEN) {
                        return;
                      }
                      taken.add(epoch + " " + report);
                      begun.countDown();
                    }
                  }));
        }
        begun.await();
        guard = swap();
        for (Future<?> end : ends) {
          end.get(30, TimeUnit.SECONDS);
        }
      }
    } finally {
      reporters.shutdownNow();
    }
    runLoop();
    assertThat(handled).hasSizeGreaterThan(40).containsExactlyInAnyOrderElementsOf(taken);
  }

  @Test
  void onlyTheNewestLevelCounts() throws Exception {
    Guard guard = register(new Guard());
    lease(SERIAL, level());
    Runnable go = holdLoop();
    for (int i = 0; i < 1000; i++) {
      assertThat(guard.says("mood " + i)).isEqualTo(Receipt.TAKEN);
    }
    go.run();
    runLoop();
    assertThat(handled).containsExactly("1 mood 999");
    guard.says("tired");
    runLoop();
    assertThat(handled).containsExactly("1 mood 999", "1 tired");
  }

  @Test
  void aLevelGoesWithWhoHasReportedIt() throws Exception {
    Guard first = register(new Guard());
    lease(SERIAL, level());
    Runnable go = holdLoop();
    first.says("awake");
    register(
        new Guard() {
          @Override
          public void reports(Sink<String> given) throws Exception {
            super.reports(given);
            says("yawning");
            says("asleep");
          }
        });
    modules.awaitHolders();
    assertThat(first.says("wide awake")).isEqualTo(Receipt.RETIRED);
    swap();
    go.run();
    runLoop();
    assertThat(handled).isEmpty();
    register(
        new Guard() {
          @Override
          public void reports(Sink<String> given) throws Exception {
            super.reports(given);
            says("yawning");
            says("asleep");
          }
        });
    modules.awaitHolders();
    runLoop();
    assertThat(handled).containsExactly("4 asleep");
  }

  @Test
  void whatIsReportedTooEarlyCountsOnlyForWhoGetsTheLease() throws Exception {
    Guard first = register(new Guard());
    ModuleLease<Watchman> lease = lease(SERIAL, events(10));
    List<Receipt> receipts = new CopyOnWriteArrayList<>();
    AtomicInteger begun = new AtomicInteger();
    class Coward extends Guard {
      @Override
      public void reports(Sink<String> given) throws Exception {
        super.reports(given);
        receipts.add(says("ghosts"));
        begun.incrementAndGet();
        throw new java.io.IOException("I am leaving");
      }
    }

    Coward coward = register(new Coward());
    Await.until(() -> modules.leases().quarantined().size() == 1);
    assertThat(receipts).contains(Receipt.TAKEN);
    assertThat(coward.says("ghosts")).isEqualTo(Receipt.RETIRED);
    assertThat(lease.epoch()).isEqualTo(1);
    assertThat(first.says("fog")).isEqualTo(Receipt.TAKEN);
    runLoop();
    assertThat(handled).containsExactly("1 fog");
  }

  @Test
  void whoHangsSaysNothingAnyMore() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CompletableFuture<Receipt> receipt = new CompletableFuture<>();
    register(
        new Guard() {
          @Override
          public String round() {
            // The next instance is the same object here, with a sink of its own.
            Sink<String> mine = sink;
            boolean over = false;
            while (!over) {
              try {
                go.await();
                over = true;
              } catch (InterruptedException e) {
                over = false;
              }
            }
            receipt.complete(mine.report("here I am again"));
            return "";
          }
        });
    ModuleLease<Watchman> lease = lease(SERIAL.within(Optional.of(SHORT), LONG), events(10));
    assertThatThrownBy(() -> lease.ask("round", Watchman::round).toCompletableFuture().get())
        .hasMessageContaining("did not return");
    Await.until(() -> lease.epoch() != 1);
    go.countDown();
    assertThat(receipt.get(30, TimeUnit.SECONDS)).isEqualTo(Receipt.RETIRED);
    runLoop();
    assertThat(handled).isEmpty();
  }

  /** Calls of parallel kinds end beside a successor: they may say what they have seen. */
  @Test
  void whoEndsBesideASuccessorReportsEventsStill() throws Exception {
    Kind<Watchman> parallel =
        Kind.parallel(Watchman.class, "watchman", 2).within(Optional.of(LONG), LONG);
    CountDownLatch in = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Guard first =
        new Guard() {
          @Override
          public String round() throws Exception {
            in.countDown();
            go.await();
            return says("smoke").name();
          }
        };
    modules.register(parallel, "tower", first);
    ModuleLease<Watchman> lease = lease(parallel, events(10));
    CompletableFuture<String> round = lease.ask("round", Watchman::round).toCompletableFuture();
    in.await();
    modules.register(parallel, "tower", new Guard());
    modules.awaitHolders();
    go.countDown();
    assertThat(round.get(30, TimeUnit.SECONDS)).isEqualTo("TAKEN");
    assertThat(handled).containsExactly("1 smoke");
    Await.until(() -> first.says("more smoke") == Receipt.RETIRED);
  }

  @Test
  void whatACallReportsIsHandledBeforeItsReply() throws Exception {
    Guard guard =
        new Guard() {
          @Override
          public String round() {
            says("smoke");
            says("fire");
            return "";
          }
        };
    register(guard);
    ModuleLease<Watchman> lease = lease(SERIAL, events(10));
    for (int i = 0; i < 200; i++) {
      handled.clear();
      List<String> then =
          lease
              .ask("round", Watchman::round)
              .thenApply(reply -> List.copyOf(handled))
              .toCompletableFuture()
              .get(30, TimeUnit.SECONDS);
      assertThat(then).containsExactly("1 smoke", "1 fire");
    }
  }

  @Test
  void whatADaemonFailsAtComesAgainAndHoldsUpWhatIsBehind() throws Exception {
    AtomicInteger failures = new AtomicInteger();
    Guard guard = register(new Guard());
    lease(
        SERIAL,
        Subscription.events(
            "sights",
            10,
            Watchman::reports,
            (report, epoch) -> {
              if (report.equals("dragon") || report.equals("ship") && failures.get() < 3) {
                failures.incrementAndGet();
                throw new IllegalStateException("on purpose");
              }
              handle(report, epoch);
            }));
    guard.says("ship");
    guard.says("sail");
    Await.until(() -> handled.size() == 2);
    assertThat(failures).hasValue(3);
    assertThat(handled).containsExactly("1 ship", "1 sail");
    guard.says("dragon");
    guard.says("moon");
    Await.until(() -> handled.size() == 3);
    assertThat(handled).endsWith("1 moon");
    assertThat(failures).as("ten times the dragon").hasValue(13);
  }

  @Test
  void aDaemonThatTakesNoEventsGetsThemLater() throws Exception {
    AtomicBoolean full = new AtomicBoolean();
    Guard guard = register(new Guard());
    modules
        .leases()
        .lease(
            LeaseRequest.of(
                    SERIAL,
                    "tower",
                    LocalModules.daemon("agent", DaemonContext.Role.AGENT, Path.of("/nowhere")),
                    task -> {
                      if (full.get()) {
                        throw new RejectedExecutionException("on purpose");
                      }
                      loop.execute(task);
                    })
                .subscribe(events(10)));
    modules.awaitHolders();
    full.set(true);
    assertThat(guard.says("fire")).isEqualTo(Receipt.TAKEN);
    full.set(false);
    Await.until(() -> handled.size() == 1);
  }

  @Test
  void nothingIsTakenAfterTheLease() throws Exception {
    Guard guard = register(new Guard());
    ModuleLease<Watchman> lease = lease(SERIAL, events(10));
    Runnable go = holdLoop();
    guard.says("fire");
    lease.close();
    assertThat(guard.says("flood")).isEqualTo(Receipt.RETIRED);
    go.run();
    runLoop();
    assertThat(handled).isEmpty();
  }
}
