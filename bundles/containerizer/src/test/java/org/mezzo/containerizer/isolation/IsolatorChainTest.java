package org.mezzo.containerizer.isolation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.containerizer.FakeAgent;
import org.mezzo.modules.Kinds;

class IsolatorChainTest {
  @TempDir Path folder;

  private static final class Idle implements Isolator {
    @Override
    public void recover(List<RecoveredContainer> containers) {}

    @Override
    public LaunchPlan prepare(Container container) {
      return LaunchPlan.NONE;
    }

    @Override
    public void isolate(Container container, long pid) {}

    @Override
    public void cleanup(Container container) {}
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
            (container, isolator, state) -> {})) {
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
