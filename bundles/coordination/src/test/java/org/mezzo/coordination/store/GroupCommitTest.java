package org.mezzo.coordination.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.coordination.Registry;
import org.mezzo.coordination.Registry.Change;
import org.mezzo.coordination.Registry.RefusedException;

class GroupCommitTest {
  private final Recorder store = new Recorder();
  private final GroupCommit commits = new GroupCommit("test", store, Runnable::run);

  @AfterEach
  void close() {
    store.gate.countDown();
    commits.closeAndJoin(new IllegalStateException("over"));
  }

  @Test
  void whatWaitsIsStoredTogetherUpToTheLimitOfOneWrite() throws Exception {
    CompletionStage<Void> last = null;
    for (int i = 0; i < 100; i++) {
      last = commits.apply(List.of(new Change("agents/" + i, new byte[100_000])));
    }
    store.gate.countDown();
    get(last);

    assertThat(store.batches.stream().mapToInt(List::size).sum()).isEqualTo(100);
    assertThat(store.batches)
        .hasSizeLessThan(20)
        .allSatisfy(
            batch ->
                assertThat(batch.stream().mapToLong(store::bytes).sum())
                    .isLessThanOrEqualTo(GroupCommit.MAX_BYTES));
  }

  @Test
  void aRefusedChangeFailsAloneAmongThoseItWaitedWith() throws Exception {
    CompletionStage<Void> first = commits.apply(List.of(change("agents/first")));
    List<CompletionStage<Void>> good = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      good.add(commits.apply(List.of(change("agents/" + i))));
    }
    CompletionStage<Void> bad =
        commits.apply(List.of(change("agents/beside"), change("agents/refused")));
    good.add(commits.apply(List.of(change("agents/last"))));
    store.gate.countDown();

    get(first);
    for (CompletionStage<Void> one : good) {
      get(one);
    }
    assertThatThrownBy(() -> get(bad)).isInstanceOf(RefusedException.class);
    assertThat(store.batches.stream().flatMap(List::stream).map(Change::key))
        .containsExactly(
            "agents/first",
            "agents/0",
            "agents/1",
            "agents/2",
            "agents/3",
            "agents/4",
            "agents/5",
            "agents/6",
            "agents/7",
            "agents/8",
            "agents/last");
    get(commits.apply(List.of(change("agents/later"))));
  }

  @Test
  void whatIsTooLargeIsRefusedAtOnceAndSaysSo() throws Exception {
    store.gate.countDown();
    assertThatThrownBy(
            () -> get(commits.apply(List.of(new Change("agents/a", new byte[1_000_001])))))
        .isInstanceOf(RefusedException.class)
        .hasMessage("Registry value of agents/a has 1000001 bytes; at most 1000000 can be stored");
    List<Change> many = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      many.add(new Change("agents/" + i, new byte[400_000]));
    }
    assertThatThrownBy(() -> get(commits.apply(many)))
        .isInstanceOf(RefusedException.class)
        .hasMessageContaining("3 registry changes need 1200300 bytes; at most 1020000");

    get(commits.apply(List.of(new Change("agents/b", new byte[Registry.MAX_VALUE_BYTES]))));
  }

  @Test
  void aFailureEndsEverythingAndReachesWhatWaits() throws Exception {
    CompletionStage<Void> first = commits.apply(List.of(change("agents/fenced")));
    CompletionStage<Void> second = commits.apply(List.of(change("agents/b")));
    store.gate.countDown();

    assertThatThrownBy(() -> get(first)).isInstanceOf(AssertionError.class).hasMessage("fenced");
    assertThatThrownBy(() -> get(second)).hasMessage("fenced");
    assertThatThrownBy(() -> get(commits.apply(List.of(change("agents/c"))))).hasMessage("fenced");
  }

  private static Change change(String key) {
    return new Change(key, new byte[1]);
  }

  private static void get(CompletionStage<Void> stage) throws Exception {
    CompletableFuture<Void> future = stage.toCompletableFuture();
    try {
      future.get(60, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (Exception) e.getCause();
    }
  }

  /** Stores nothing before the gate is open, so that what is given meanwhile waits. */
  private static final class Recorder implements GroupCommit.Store {
    final CountDownLatch gate = new CountDownLatch(1);
    final List<List<Change>> batches = new CopyOnWriteArrayList<>();

    @Override
    public void store(List<Change> changes) throws Exception {
      gate.await();
      for (Change change : changes) {
        if (change.key().equals("agents/refused")) {
          throw new RefusedException("not this one");
        }
        if (change.key().equals("agents/fenced")) {
          throw new AssertionError("fenced");
        }
      }
      batches.add(List.copyOf(changes));
    }

    @Override
    public long bytes(Change change) {
      return 100 + (change.value() == null ? 0 : change.value().length);
    }
  }
}
