package org.mezzo.daemon.border;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.TestFlags;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.local.LocalModules;

/** Approvers run on threads of the daemon, which must not be lost to those that do not return. */
@Timeout(120)
class HangingApproverTest {
  private static final Optional<Principal> ANN = Optional.of(Principal.named("ann"));
  private static final int READERS = 8;

  private final Workers workers = new Workers("test", READERS);
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final LocalModules modules = new LocalModules();
  private final CountDownLatch release = new CountDownLatch(1);

  @AfterEach
  void close() {
    release.countDown();
    modules.close();
    workers.close();
  }

  /** Returns when it is released, whoever wants it back before. */
  private static final class Deaf implements Approver {
    final AtomicInteger asked = new AtomicInteger();
    private final CountDownLatch release;

    Deaf(CountDownLatch release) {
      this.release = release;
    }

    @Override
    public boolean approved(Action action, AuthorizationObject object) {
      asked.incrementAndGet();
      boolean over = false;
      while (!over) {
        try {
          release.await();
          over = true;
        } catch (InterruptedException e) {
          over = false;
        }
      }
      return true;
    }
  }

  private Authorization giving(Approver approver) throws Exception {
    workers.measure(metrics, "test");
    modules.register(Kinds.AUTHORIZER, "local", (Authorizer) (subject, actions) -> approver);
    Authorization authorization =
        Authorization.of(
            BorderFlags.of(Role.AGENT, new TestFlags(Map.of("acls", "{}"))).authorizer(),
            modules.of(LocalModules.daemon("test", Role.AGENT, Path.of("nowhere"))),
            workers);
    modules.awaitHolders();
    return authorization;
  }

  private static CompletableFuture<Boolean> ask(Authorization authorization, Executor executor) {
    return authorization
        .with(
            ANN,
            List.of(Action.VIEW_ROLE),
            executor,
            approvers -> approvers.approved(Action.VIEW_ROLE, "role"))
        .toCompletableFuture();
  }

  private static void awaitThreads(Executor lane, int threads) throws Exception {
    CountDownLatch together = new CountDownLatch(threads);
    for (int i = 0; i < threads; i++) {
      lane.execute(
          () -> {
            together.countDown();
            try {
              together.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
    }
    assertThat(together.await(30, TimeUnit.SECONDS)).as("a thread for each").isTrue();
  }

  private String problem() {
    return modules.leases().quarantined().stream()
        .map(ModuleDescription::problem)
        .findFirst()
        .orElse("");
  }

  @Test
  void whatAnApproverKeepsIsRefusedAndItsThreadReplaced() throws Exception {
    Deaf deaf = new Deaf(release);
    Authorization authorization = giving(deaf);
    List<CompletableFuture<Boolean>> asked = new ArrayList<>();
    for (int i = 0; i < READERS; i++) {
      asked.add(ask(authorization, workers));
    }
    for (CompletableFuture<Boolean> each : asked) {
      assertThat(each.get(30, TimeUnit.SECONDS)).isFalse();
    }
    // The daemon reads on, with as many threads as before.
    awaitThreads(workers, READERS);
    assertThat(metrics.snapshot().get("test/readers_stuck")).isEqualTo((double) deaf.asked.get());
    assertThat(metrics.snapshot().get("test/answers_stuck")).isZero();
  }

  @Test
  void whatHangsIsReportedAndCostsTheLease() throws Exception {
    Deaf deaf = new Deaf(release);
    Authorization authorization = giving(deaf);
    CompletableFuture<Boolean> first = ask(authorization, workers.answers());
    Await.until(() -> deaf.asked.get() == 1);
    assertThat(epoch()).isEqualTo(1);
    assertThat(first.get(30, TimeUnit.SECONDS)).isFalse();
    Await.until(() -> epoch() != 1);
    // It may be open again by now, and asked again.
    assertThat(metrics.snapshot().get("test/answers_stuck")).isPositive();
    release.countDown();
    Await.until(() -> metrics.snapshot().get("test/answers_stuck") == 0);
    Await.until(() -> epoch() != 0);
    assertThat(ask(authorization, workers).get(30, TimeUnit.SECONDS)).isTrue();
  }

  /** A broken authorizer is tried again and again, but it does not get all threads there are. */
  @Test
  void noMoreThreadsAreLostThanMayBe() throws Exception {
    Deaf deaf = new Deaf(release);
    Authorization authorization = giving(deaf);
    while (!problem().contains("did not return")
        || epoch() != 0
        || metrics.snapshot().get("test/readers_stuck") < 16) {
      List<CompletableFuture<Boolean>> asked = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        asked.add(ask(authorization, workers));
      }
      for (CompletableFuture<Boolean> each : asked) {
        assertThat(each.get(30, TimeUnit.SECONDS)).isFalse();
      }
    }
    int lost = deaf.asked.get();
    assertThat(problem()).contains("Deaf.approved");
    for (int i = 0; i < 1000; i++) {
      assertThat(ask(authorization, workers).get(30, TimeUnit.SECONDS)).isFalse();
    }
    assertThat(deaf.asked).as("nobody asks it any more").hasValue(lost);
    assertThat(lost).isBetween(16, 16 + READERS);
    awaitThreads(workers, READERS);
    release.countDown();
    Await.until(() -> metrics.snapshot().get("test/readers_stuck") == 0);
  }

  @Test
  void whoListensToInterruptsIsRefusedOnceAndNobodyElseIsInterrupted() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    CountDownLatch never = new CountDownLatch(1);
    Authorization authorization =
        giving(
            (action, object) -> {
              if (asked.incrementAndGet() > 1) {
                return true;
              }
              try {
                never.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              return true;
            });
    List<Boolean> results = new ArrayList<>();
    CompletableFuture<Boolean> refused =
        authorization
            .with(
                ANN,
                List.of(Action.VIEW_ROLE),
                workers,
                approvers -> {
                  boolean approved = approvers.approved(Action.VIEW_ROLE, "role");
                  synchronized (results) {
                    results.add(approved);
                  }
                  return approved;
                })
            .toCompletableFuture();
    assertThat(refused.get(30, TimeUnit.SECONDS)).isFalse();
    Await.until(() -> metrics.snapshot().get("test/readers_stuck") == 0);
    assertThat(results).as("the thread that came back has nothing to say").containsExactly(false);
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    for (int i = 0; i < READERS; i++) {
      workers.execute(() -> interrupted.complete(Thread.currentThread().isInterrupted()));
    }
    assertThat(interrupted.get(30, TimeUnit.SECONDS)).isFalse();
    Await.until(() -> epoch() > 1);
    assertThat(ask(authorization, workers).get(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void whatAnApproverThrowsCancelsNothing() throws Exception {
    Authorization authorization =
        giving(
            (action, object) -> {
              throw new java.util.concurrent.CancellationException("on purpose");
            });
    assertThat(ask(authorization, workers).get(30, TimeUnit.SECONDS)).isFalse();
  }

  private long epoch() {
    return modules.leases().leases().stream().mapToLong(LeaseDescription::epoch).sum();
  }
}
