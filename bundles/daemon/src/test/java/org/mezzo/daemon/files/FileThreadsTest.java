package org.mezzo.daemon.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.fixtures.Await;

class FileThreadsTest {
  /** How long a call is waited for that hangs: long enough for its thread to begin. */
  private static final Duration SHORT = Duration.ofSeconds(2);

  /** How long one is waited for that does not. */
  private static final Duration LONG = Duration.ofSeconds(60);

  private final FileThreads threads = new FileThreads("test");
  private final CountDownLatch hang = new CountDownLatch(1);

  @AfterEach
  void close() {
    hang.countDown();
    threads.close();
  }

  private CompletionStage<String> hanging(Path tree) {
    return threads.call(
        tree,
        SHORT,
        () -> {
          hang.await();
          return "late";
        },
        late -> {});
  }

  private CompletionStage<String> quick(Path tree) {
    return threads.call(tree, LONG, () -> "done", late -> {});
  }

  private static String result(CompletionStage<String> stage) throws Exception {
    return stage
        .handle(
            (value, failure) ->
                failure == null ? value : Integer.toString(FileException.of(failure).status()))
        .toCompletableFuture()
        .get(60, TimeUnit.SECONDS);
  }

  @Test
  void aTreeWhoseFilesHangCostsOneThreadAndOnlyItself() throws Exception {
    List<CompletionStage<String>> hanging = new ArrayList<>();
    for (int tree = 0; tree < 20; tree++) {
      for (int i = 0; i < 10; i++) {
        hanging.add(hanging(Path.of("/hostile" + tree)));
      }
    }
    for (CompletionStage<String> one : hanging) {
      assertThat(result(one)).isEqualTo("503");
    }
    for (int i = 0; i < 100; i++) {
      assertThat(result(quick(Path.of("/friendly" + i)))).isEqualTo("done");
    }
    assertThat(threads.stuck()).isGreaterThanOrEqualTo(8);
    assertThat(result(quick(Path.of("/hostile0")))).isEqualTo("503");
  }

  @Test
  void aTreeIsReadAgainWhenItsFileHasOpenedAndWhatCameLateIsDiscarded() throws Exception {
    CompletableFuture<String> discarded = new CompletableFuture<>();
    CompletionStage<String> late =
        threads.call(
            Path.of("/t"),
            SHORT,
            () -> {
              hang.await();
              return "late";
            },
            discarded::complete);
    assertThat(result(late)).isEqualTo("503");
    assertThat(threads.stuck()).isEqualTo(1);
    hang.countDown();
    assertThat(discarded.get(60, TimeUnit.SECONDS)).isEqualTo("late");
    Await.until("no thread is stuck", () -> threads.stuck() == 0);
    assertThat(result(quick(Path.of("/t")))).isEqualTo("done");
  }
}
