package org.mezzo.master.reads;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.state.ClusterView;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.StateListener;
import org.mezzo.protocol.v1.MasterInfo;

/** Who shares an answer, and of which root it is. */
class RenderingsTest {
  private static final MasterInfo SELF =
      MasterInfo.newBuilder().setId("m").setIp(1).setPort(5050).build();
  private static final Question QUESTION = new Question("/state", Map.of(), Visibility.ALL);

  private final Cluster cluster = new Cluster();
  private final Deque<Runnable> readers = new ArrayDeque<>();
  private final MetricsRegistry metrics = new MetricsRegistry();
  private final List<Long> made = new ArrayList<>();
  private final Roots roots = new Roots(cluster);
  private final Renderings renderings =
      new Renderings(roots, readers::add, new Kept(1 << 20), metrics);

  private static final class Cluster implements ClusterView {
    private Optional<MasterState> state = Optional.empty();

    void change() {
      state =
          Optional.of(
              MasterState.begin(
                  SELF, Instant.EPOCH, MasterState.Limits.DEFAULT, MasterState.Counters.ZERO));
    }

    @Override
    public MasterInfo self() {
      return SELF;
    }

    @Override
    public Optional<MasterInfo> leader() {
      return Optional.of(SELF);
    }

    @Override
    public boolean leading() {
      return true;
    }

    @Override
    public Optional<MasterState> state() {
      return state;
    }

    @Override
    public AutoCloseable follow(
        Consumer<MasterState> begin, StateListener listener, Runnable ended) {
      throw new UnsupportedOperationException();
    }
  }

  private HttpResponse make(Root root) {
    made.add(root.number());
    return HttpResponse.json(
        ("root " + root.number() + " ".repeat(2000)).getBytes(StandardCharsets.UTF_8));
  }

  private CompletionStage<Rendered> ask() throws Refused {
    return renderings.latest(QUESTION, false, this::make);
  }

  private static Rendered now(CompletionStage<Rendered> answer) {
    assertThat(answer.toCompletableFuture()).isCompleted();
    return answer.toCompletableFuture().join();
  }

  @Test
  void isMadeOnceForAllWhoAskBeforeItIsBegunAndKeptUntilTheClusterChanges() throws Exception {
    cluster.change();
    CompletionStage<Rendered> first = ask();
    CompletionStage<Rendered> second = ask();
    cluster.change();
    CompletionStage<Rendered> third = ask();
    assertThat(readers).hasSize(1);
    readers.remove().run();
    assertThat(now(first)).isSameAs(now(second)).isSameAs(now(third));
    assertThat(now(ask())).isSameAs(now(first));
    assertThat(made).containsExactly(roots.now().number());

    cluster.change();
    CompletionStage<Rendered> later = ask();
    readers.remove().run();
    assertThat(now(later)).isNotSameAs(now(first));
    assertThat(made).hasSize(2);
    assertThat(metrics.snapshot())
        .containsEntry("master/mezzo/reads_made", 2.0)
        .containsEntry("master/mezzo/reads_shared", 3.0);
  }

  @Test
  void isSharedWhileItIsMadeAsLongAsTheClusterIsTheSame() throws Exception {
    cluster.change();
    List<CompletionStage<Rendered>> meanwhile = new ArrayList<>();
    CompletionStage<Rendered> first =
        renderings.latest(
            QUESTION,
            false,
            root -> {
              meanwhile.add(askUnchecked());
              return make(root);
            });
    readers.remove().run();
    assertThat(now(meanwhile.get(0))).isSameAs(now(first));
    assertThat(readers).isEmpty();
  }

  @Test
  void isNeverOlderThanTheQuestionAndAllWhoComeTooLateShareTheNext() throws Exception {
    cluster.change();
    List<CompletionStage<Rendered>> late = new ArrayList<>();
    CompletionStage<Rendered> first =
        renderings.latest(
            QUESTION,
            false,
            root -> {
              cluster.change();
              late.add(askUnchecked());
              cluster.change();
              late.add(askUnchecked());
              assertThat(readers).as("one at a time").isEmpty();
              return make(root);
            });
    readers.remove().run();
    assertThat(now(first)).isNotNull();
    assertThat(late).noneMatch(it -> it.toCompletableFuture().isDone());
    assertThat(readers).hasSize(1);
    readers.remove().run();
    assertThat(now(late.get(0))).isSameAs(now(late.get(1)));
    assertThat(made).hasSize(2).last().isEqualTo(roots.now().number());
    assertThat(now(ask())).isSameAs(now(late.get(0)));
    assertThat(readers).isEmpty();
  }

  private CompletionStage<Rendered> askUnchecked() {
    try {
      return ask();
    } catch (Refused e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void failsForAllWhoWaitAndIsMadeAnewForTheNext() throws Exception {
    cluster.change();
    CompletionStage<Rendered> first =
        renderings.latest(
            QUESTION,
            false,
            root -> {
              throw new StackOverflowError("on purpose");
            });
    CompletionStage<Rendered> second = ask();
    readers.remove().run();
    assertThat(first.toCompletableFuture()).isCompletedExceptionally();
    assertThat(second.toCompletableFuture()).isCompletedExceptionally();
    CompletionStage<Rendered> third = ask();
    readers.remove().run();
    assertThat(now(third)).isNotNull();
  }

  @Test
  void failsWhereThereIsNoStateAnyMoreOrNoReader() throws Exception {
    assertThatThrownBy(this::ask).isInstanceOf(Refused.class);
    cluster.change();
    CompletionStage<Rendered> over = ask();
    cluster.state = Optional.empty();
    readers.remove().run();
    assertThat(over.toCompletableFuture()).isCompletedExceptionally();

    cluster.change();
    boolean[] full = {true};
    Renderings busy =
        new Renderings(
            roots,
            task -> {
              if (full[0]) {
                throw new RejectedExecutionException("full");
              }
              task.run();
            },
            new Kept(1 << 20),
            metrics);
    assertThat(busy.latest(QUESTION, false, this::make).toCompletableFuture())
        .isCompletedExceptionally();
    full[0] = false;
    assertThat(now(busy.latest(QUESTION, false, this::make))).isNotNull();
  }

  @Test
  void isCompressedOnceAndBeforeItIsHandedOut() throws Exception {
    cluster.change();
    CompletionStage<Rendered> plain = ask();
    CompletionStage<Rendered> compressed = renderings.latest(QUESTION, true, this::make);
    readers.remove().run();
    HttpResponse sent = now(compressed).compressed();
    assertThat(sent.headers()).containsEntry("Content-Encoding", "gzip");
    assertThat(now(plain).compressed()).isSameAs(sent);
  }

  @Test
  void isNotSharedByQuestionsThatDiffer() throws Exception {
    cluster.change();
    CompletionStage<Rendered> all = ask();
    CompletionStage<Rendered> one =
        renderings.latest(
            new Question("/state", Map.of("jsonp", "f"), Visibility.ALL), false, this::make);
    readers.remove().run();
    readers.remove().run();
    assertThat(now(all)).isNotSameAs(now(one));
  }
}
