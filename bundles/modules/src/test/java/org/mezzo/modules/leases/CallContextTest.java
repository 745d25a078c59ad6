package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.CallContext;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLease.Terms;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.testing.FakeDaemonContext;

/** What reaches a module of a call that is taken back. */
class CallContextTest {
  private final LocalModules modules = new LocalModules();
  private final CompletableFuture<CallContext> context = new CompletableFuture<>();
  private final CompletableFuture<Void> cancelled = new CompletableFuture<>();
  private ModuleLease<HttpAuthenticator> lease;

  private static final class Anybody implements HttpAuthenticator {
    @Override
    public String scheme() {
      return "Basic";
    }

    @Override
    public Result authenticate(Request request) {
      return Result.refused("test");
    }
  }

  @BeforeEach
  void lease() throws Exception {
    lease =
        modules
            .of(FakeDaemonContext.master())
            .lease(Kinds.HTTP_AUTHENTICATOR, "test", Runnable::run);
    modules.register(Kinds.HTTP_AUTHENTICATOR, "test", new Anybody());
    modules.awaitHolders();
  }

  @AfterEach
  void close() {
    modules.close();
  }

  private CompletionStage<Boolean> noted(CompletionStage<Boolean> result) {
    CallContext current = CallContext.current();
    current.whenCancelled(
        () -> {
          throw new IllegalStateException("on purpose");
        });
    current.whenCancelled(() -> cancelled.complete(null));
    context.complete(current);
    return result;
  }

  private static <T> T get(CompletableFuture<T> future) throws Exception {
    return future.get(60, TimeUnit.SECONDS);
  }

  @Test
  void aCallThatNobodyWantsIsTakenBack() throws Exception {
    CompletableFuture<Boolean> work = new CompletableFuture<>();
    CompletableFuture<Boolean> reply =
        lease.askLater(Terms.of("later"), module -> noted(work)).toCompletableFuture();
    assertThat(get(context).isCancelled()).isFalse();
    reply.cancel(true);
    get(cancelled);
    assertThat(get(context).isCancelled()).isTrue();
  }

  @Test
  void aLateCallIsTakenBackThoughItsThreadIsElsewhere() throws Exception {
    CompletableFuture<Boolean> work = new CompletableFuture<>();
    lease.ask(
        Terms.of("late").within(Duration.ofMillis(50)),
        module -> {
          noted(work);
          try {
            return work.join();
          } catch (RuntimeException e) {
            return false;
          }
        });
    get(cancelled);
    work.complete(true);
  }

  @Test
  void whatHasEndedIsNotTakenBack() throws Exception {
    CompletableFuture<Boolean> reply =
        lease
            .askLater(Terms.of("done"), module -> noted(CompletableFuture.completedFuture(true)))
            .toCompletableFuture();
    assertThat(get(reply)).isTrue();
    reply.cancel(true);
    assertThat(get(context).isCancelled()).isFalse();
    assertThat(CallContext.current().isCancelled()).isFalse();
    assertThat(CallContext.current()).isNotSameAs(get(context));
  }

  @Test
  void anActionThatComesTooLateRunsAtOnce() throws Exception {
    CallContext gone = new CallContext();
    gone.cancel();
    gone.call(() -> noted(null));
    assertThat(cancelled).isDone();
  }
}
