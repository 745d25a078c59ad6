package org.mezzo.daemon.border;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
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
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.local.LocalModules;

/** What becomes of requests and their approvers, whatever the authorizer does. */
@Timeout(60)
class AuthorizationTest {
  private static final Optional<Principal> ANN = Optional.of(Principal.named("ann"));
  private final Workers workers = new Workers("test", 2);
  private final LocalModules modules = new LocalModules();

  @AfterEach
  void close() {
    modules.close();
    workers.close();
  }

  /** Gives one approver to everybody, and counts. */
  private static final class Fixed implements Authorizer {
    final List<Set<Action>> asked = new ArrayList<>();
    final CountDownLatch closed = new CountDownLatch(1);
    private final Approver approver;

    Fixed(Approver approver) {
      this.approver = approver;
    }

    @Override
    public synchronized Approver approver(Optional<Principal> subject, Set<Action> actions) {
      assertThat(subject).isEqualTo(ANN);
      asked.add(actions);
      return approver;
    }

    @Override
    public void close() {
      closed.countDown();
    }

    boolean isClosed() {
      return closed.getCount() == 0;
    }
  }

  private static final Approver YES = (action, object) -> true;

  private LocalModules.Registered register(Authorizer authorizer) throws InterruptedException {
    LocalModules.Registered registered = modules.register(Kinds.AUTHORIZER, "local", authorizer);
    modules.awaitHolders();
    return registered;
  }

  private Authorization authorization(Map<String, String> flags) throws Exception {
    return Authorization.of(
        BorderFlags.of(Role.AGENT, new TestFlags(flags)).authorizer(),
        modules.of(LocalModules.daemon("test", Role.AGENT, Path.of("nowhere"))),
        workers);
  }

  private Authorization demanded() throws Exception {
    Authorization authorization = authorization(Map.of("acls", "{}"));
    modules.awaitHolders();
    return authorization;
  }

  private static <R> R decide(Authorization authorization, Authorization.Use<R> use) {
    return authorization.decide(ANN, List.of(Action.VIEW_ROLE), use).toCompletableFuture().join();
  }

  private static boolean allowed(Authorization authorization) {
    return decide(authorization, approvers -> approvers.approved(Action.VIEW_ROLE, "role"));
  }

  @Test
  void nobodyIsAskedWithoutAcls() throws Exception {
    Authorization open = authorization(Map.of());
    assertThat(open.demanded()).isFalse();
    CompletableFuture<Boolean> at =
        open.decide(ANN, List.of(), approvers -> approvers.approved(Action.VIEW_FLAGS))
            .toCompletableFuture();
    assertThat(at).isCompletedWithValue(true);
  }

  @Test
  void anotherOneCanBeSelectedWithoutARefusalInBetween() throws Exception {
    Authorization closed = demanded();
    register((subject, actions) -> YES);
    closed.select("strict");
    assertThat(allowed(closed)).as("not there yet").isTrue();
    modules.register(Kinds.AUTHORIZER, "strict", (subject, actions) -> (action, object) -> false);
    modules.awaitHolders();
    assertThat(allowed(closed)).isFalse();

    Authorization open = authorization(Map.of());
    open.select("strict");
    assertThat(allowed(open)).as("nobody was asked before").isTrue();
  }

  @Test
  void whateverGivesNoApproverRefuses() throws Exception {
    Authorization closed = demanded();
    assertThat(closed.demanded()).isTrue();
    assertThat(allowed(closed)).as("absent").isFalse();
    register((subject, actions) -> YES);
    assertThat(allowed(closed)).as("yes").isTrue();
    register((subject, actions) -> (action, object) -> false);
    assertThat(allowed(closed)).as("no").isFalse();
    register(
        (subject, actions) -> {
          throw new IllegalStateException("on purpose");
        });
    assertThat(allowed(closed)).as("throwing").isFalse();
    register(
        (subject, actions) -> {
          throw new NoClassDefFoundError("on purpose");
        });
    assertThat(allowed(closed)).as("throwing an error").isFalse();
    register((subject, actions) -> null);
    assertThat(allowed(closed)).as("null").isFalse();
    CountDownLatch never = new CountDownLatch(1);
    register(
        (subject, actions) -> {
          never.await();
          return YES;
        });
    assertThat(allowed(closed)).as("late").isFalse();
    never.countDown();
  }

  @Test
  void anAuthorizerIsAskedOnceForAllObjectsAndOnlyAboutWhatItWasAskedFor() throws Exception {
    List<AuthorizationObject> seen = new ArrayList<>();
    Fixed authorizer =
        new Fixed(
            (action, object) -> {
              seen.add(object);
              return !object.value().equals(Optional.of("b"));
            });
    register(authorizer);
    List<String> yes =
        decide(
            demanded(),
            approvers -> {
              assertThat(approvers.approved(Action.VIEW_FLAGS)).isFalse();
              assertThat(approvers.approved(Action.VIEW_TASK, "a")).isFalse();
              return List.of("a", "b", "c", "").stream()
                  .filter(role -> approvers.approved(Action.VIEW_ROLE, role))
                  .toList();
            });
    assertThat(yes).containsExactly("a", "c", "");
    assertThat(authorizer.asked).containsExactly(Set.of(Action.VIEW_ROLE));
    assertThat(seen)
        .containsExactly(
            AuthorizationObject.of("a"),
            AuthorizationObject.of("b"),
            AuthorizationObject.of("c"),
            AuthorizationObject.ANY);
  }

  @Test
  void nobodyIsAskedForNoAction() throws Exception {
    Fixed authorizer = new Fixed(YES);
    register(authorizer);
    boolean approved =
        demanded()
            .decide(ANN, List.of(), approvers -> approvers.approved(Action.VIEW_ROLE, "role"))
            .toCompletableFuture()
            .join();
    assertThat(approved).isFalse();
    assertThat(authorizer.asked).isEmpty();
  }

  @Test
  void whatAnApproverThrowsIsANoToThatObject() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    register(
        new Fixed(
            (action, object) -> {
              calls.incrementAndGet();
              if (object.equals(AuthorizationObject.of("bad"))) {
                throw new StackOverflowError("on purpose");
              }
              return true;
            }));
    List<String> yes =
        decide(
            demanded(),
            approvers ->
                List.of("a", "bad", "c").stream()
                    .filter(role -> approvers.approved(Action.VIEW_ROLE, role))
                    .toList());
    assertThat(yes).containsExactly("a", "c");
    assertThat(calls).hasValue(3);
    assertThat(modules.leases().leases())
        .extracting(LeaseDescription::throwsInARow)
        .containsOnly(1);
  }

  @Test
  void anApproverApprovesNothingAfterItsRequest() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    register(
        new Fixed(
            (action, object) -> {
              calls.incrementAndGet();
              return true;
            }));
    ObjectApprovers kept =
        decide(
            demanded(),
            approvers -> {
              assertThat(approvers.approved(Action.VIEW_ROLE)).isTrue();
              return approvers;
            });
    assertThat(kept.approved(Action.VIEW_ROLE)).isFalse();
    assertThat(calls).hasValue(1);
  }

  @Test
  void whatAUseThrowsIsToldAndEndsTheRequest() throws Exception {
    Fixed first = new Fixed(YES);
    register(first);
    Authorization authorization = demanded();
    assertThatThrownBy(
            () ->
                decide(
                    authorization,
                    approvers -> {
                      throw new Refused(404, "gone");
                    }))
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(Refused.class);
    Executor full =
        task -> {
          throw new RejectedExecutionException("on purpose");
        };
    AtomicReference<Throwable> told = new AtomicReference<>();
    authorization
        .with(ANN, List.of(Action.VIEW_ROLE), full, approvers -> true)
        .whenComplete((result, failure) -> told.set(failure))
        .exceptionally(failure -> false)
        .toCompletableFuture()
        .join();
    assertThat(told.get()).hasCauseInstanceOf(RejectedExecutionException.class);
    register(new Fixed(YES));
    assertThat(first.closed.await(60, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aRequestIsDecidedByTheInstanceItHasTheApproverOfAndASwapWaitsForIt() throws Exception {
    Fixed first = new Fixed(YES);
    LocalModules.Registered old = register(first);
    Authorization authorization = demanded();
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    CompletableFuture<Boolean> decided =
        authorization
            .with(
                ANN,
                List.of(Action.VIEW_ROLE),
                workers,
                approvers -> {
                  begun.countDown();
                  goOn.await();
                  return approvers.approved(Action.VIEW_ROLE, "role") && !first.isClosed();
                })
            .toCompletableFuture();
    begun.await();
    register(new Fixed((action, object) -> false));
    CompletableFuture<Void> drained =
        modules.leases().drain(old.bundleId(), Kinds.AUTHORIZER.handover()).toCompletableFuture();
    assertThat(allowed(authorization)).as("by the successor").isFalse();
    assertThat(drained).isNotDone();
    goOn.countDown();
    assertThat(decided.get()).isTrue();
    drained.get(60, TimeUnit.SECONDS);
    assertThat(first.isClosed()).isTrue();
  }

  @Test
  void anApproverWhoseAuthorizerIsGoneApprovesNothing() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    LocalModules.Registered registered =
        register(
            new Fixed(
                (action, object) -> {
                  calls.incrementAndGet();
                  return true;
                }));
    boolean approved =
        decide(
            demanded(),
            approvers -> {
              registered.close();
              return approvers.approved(Action.VIEW_ROLE, "role");
            });
    assertThat(approved).isFalse();
    assertThat(calls).hasValue(0);
  }

  @Test
  void manyRequestsHaveApproversAtATime() throws Exception {
    register(new Fixed(YES));
    Authorization authorization = demanded();
    List<Runnable> waiting = new ArrayList<>();
    List<CompletableFuture<Boolean>> decided = new ArrayList<>();
    CountDownLatch arrived = new CountDownLatch(100);
    for (int i = 0; i < 100; i++) {
      decided.add(
          authorization
              .with(
                  ANN,
                  List.of(Action.VIEW_ROLE),
                  task -> {
                    synchronized (waiting) {
                      waiting.add(task);
                    }
                    arrived.countDown();
                  },
                  approvers -> approvers.approved(Action.VIEW_ROLE, "role"))
              .toCompletableFuture());
    }
    arrived.await();
    waiting.forEach(Runnable::run);
    assertThat(decided).allMatch(CompletableFuture::join);
  }
}
