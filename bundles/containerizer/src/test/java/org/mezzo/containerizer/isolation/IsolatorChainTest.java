package org.mezzo.containerizer.isolation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.Sink;
import org.mezzo.api.isolator.CgroupWatch;
import org.mezzo.api.isolator.CgroupWatch.News;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.containerizer.FakeAgent;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;

class IsolatorChainTest {
  @TempDir Path folder;

  private static class Idle implements Isolator {
    @Override
    public void recover(List<RecoveredContainer> containers) throws Exception {}

    @Override
    public LaunchPlan prepare(Container container) {
      return LaunchPlan.NONE;
    }

    @Override
    public void isolate(Container container, long pid) {}

    @Override
    public void cleanup(Container container) {}
  }

  /** Wants to be told of all containers, and of one that never was. */
  private final class Wishing extends Idle {
    final List<String> told = new CopyOnWriteArrayList<>();
    final CompletableFuture<Void> goOn = new CompletableFuture<>();
    private Sink<CgroupWatch> sink;

    @Override
    public void watches(Sink<CgroupWatch> given) {
      sink = given;
    }

    @Override
    public void recover(List<RecoveredContainer> containers) {
      for (RecoveredContainer each : containers) {
        sink.report(CgroupWatch.of(each.container().id(), folder.resolve(each.container().id())));
      }
      sink.report(CgroupWatch.of("never", folder.resolve("never")));
    }

    @Override
    public void isolate(Container container, long pid) {
      sink.report(CgroupWatch.of(container.id(), folder.resolve(container.id())));
    }

    @Override
    public void watched(CgroupWatch watch, News news) {
      told.add(watch.containerId() + " " + news);
      if (news == News.HAPPENED) {
        goOn.join();
      }
    }
  }

  @Test
  void whoWantsToBeToldOfACgroupIsToldAsLongAsThereIsTheContainer() throws Exception {
    Wishing wishing = new Wishing();
    FakeAgent agent = new FakeAgent(folder).with(Kinds.ISOLATOR, "a", wishing);
    FakeWatching watching = new FakeWatching();
    // One of an earlier agent, of which it is not decided yet what becomes of it.
    RecoveredContainer old =
        RecoveredContainer.of(container("old"), RecoveredContainer.Phase.ISOLATED, new byte[0]);
    try (IsolatorChain chain =
        new IsolatorChain(
            agent.host(),
            List.of("a"),
            Set.of(),
            Runnable::run,
            reached -> {},
            List::of,
            Map.of("a", List.of(old)),
            (container, isolator, state) -> {},
            watching)) {
      agent.modules.awaitHolders();
      Await.until(() -> watching.watched.equals(Set.of(folder.resolve("old"))));
      chain.told(folder.resolve("old"), News.BEGUN);
      Await.until(() -> wishing.told.equals(List.of("old BEGUN")));

      chain.prepare(container("1")).toCompletableFuture().get();
      chain.isolate(container("1").toBuilder().pid(1).build()).toCompletableFuture().get();
      Await.until(() -> watching.watched.contains(folder.resolve("1")));
      // The first of these is being told, the second waits for its turn, and says the third.
      chain.told(folder.resolve("1"), News.HAPPENED);
      Await.until(() -> wishing.told.size() == 2);
      chain.told(folder.resolve("1"), News.HAPPENED);
      chain.told(folder.resolve("1"), News.HAPPENED);
      chain.told(folder.resolve("elsewhere"), News.HAPPENED);
      wishing.goOn.complete(null);
      chain.told(folder.resolve("1"), News.ENDED);
      Await.until(() -> wishing.told.contains("1 ENDED"));
      assertThat(wishing.told).containsExactly("old BEGUN", "1 HAPPENED", "1 HAPPENED", "1 ENDED");

      for (String id : List.of("1", "old")) {
        chain.cleanup(container(id)).toCompletableFuture().get();
        chain.forget(id);
      }
      assertThat(watching.watched).isEmpty();
      assertThat(chain.remembered()).isZero();
    }
  }

  private Container container(String id) {
    return Container.builder(id, folder).build();
  }

  @Test
  void nothingIsRememberedOfContainersThatAreGone() throws Exception {
    FakeAgent agent =
        new FakeAgent(folder)
            .with(Kinds.ISOLATOR, "a", new Idle())
            .with(Kinds.ISOLATOR, "b", new Idle());
    List<Container> running = new ArrayList<>();
    try (IsolatorChain chain =
        new IsolatorChain(
            agent.host(),
            List.of("a", "b"),
            Set.of(),
            Runnable::run,
            reached -> {},
            () -> running,
            Map.of(),
            (container, isolator, state) -> {},
            new FakeWatching())) {
      agent.modules.awaitHolders();
      for (String id : List.of("1", "2")) {
        chain.prepare(container(id)).toCompletableFuture().get();
        chain.isolate(container(id).toBuilder().pid(1).build()).toCompletableFuture().get();
      }
      assertThat(chain.remembered()).isEqualTo(2);
      chain.cleanup(container("1")).toCompletableFuture().get();
      chain.forget("1");
      assertThat(chain.remembered()).isEqualTo(1);
      chain.cleanup(container("2")).toCompletableFuture().get();
      chain.forget("2");
      assertThat(chain.remembered()).isZero();
    }
  }
}
