package org.mezzo.master.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RootAccountsTest {
  private static Set<String> get(CompletionStage<Set<String>> stage) throws Exception {
    return stage.toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void thisMachinesRootHasManyNames() throws Exception {
    assertThat(
            get(new RootAccounts().among(List.of("root", "0", "+0", "nobody", "1", "no-such", ""))))
        .containsExactlyInAnyOrder("root", "0", "+0");
  }

  @Test
  void asksOnceForAName() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    RootAccounts accounts =
        new RootAccounts(
            user -> {
              asked.incrementAndGet();
              if (user.equals("none")) {
                throw new IOException(user);
              }
              return user.equals("toor");
            },
            Runnable::run,
            Duration.ofSeconds(10));
    for (int i = 0; i < 3; i++) {
      assertThat(get(accounts.among(List.of("toor", "toor", "none")))).containsExactly("toor");
    }
    assertThat(asked).hasValue(2);
  }

  @Test
  void aNameServiceThatHangsOrIsOverloadedHoldsNobodyUp() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    RootAccounts hanging =
        new RootAccounts(
            user -> {
              try {
                return end.await(60, TimeUnit.SECONDS);
              } catch (InterruptedException e) {
                return false;
              }
            },
            task -> {
              Thread thread = new Thread(task);
              thread.setDaemon(true);
              thread.start();
            },
            Duration.ofMillis(100));
    assertThat(get(hanging.among(List.of("somebody", "root")))).containsExactly("root");
    end.countDown();
    RootAccounts full =
        new RootAccounts(
            user -> true,
            task -> {
              throw new RejectedExecutionException();
            },
            Duration.ofSeconds(10));
    assertThat(get(full.among(List.of("somebody")))).isEmpty();
  }
}
