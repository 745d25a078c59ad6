package org.mezzo.modules;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.modules.local.LocalModules;

@Timeout(30)
final class ModuleChainTest {
  private static final Kind<Adder> KIND = Kind.serial(Adder.class, "adder");

  private final LocalModules modules = new LocalModules();
  private final DaemonModules daemon =
      modules.of(LocalModules.daemon("master", DaemonContext.Role.MASTER, Path.of("nowhere")));

  @AfterEach
  void close() {
    modules.close();
  }

  /** A kind for tests. */
  interface Adder extends Module {
    String add(String text) throws Exception;
  }

  private ModuleChain<Adder> chain(String... names) throws InterruptedException {
    ModuleChain<Adder> chain = daemon.chain(KIND, List.of(names), Runnable::run);
    modules.awaitHolders();
    return chain;
  }

  private static CompletionStage<String> fold(ModuleChain<Adder> chain) {
    return chain.fold("add", "", Adder::add);
  }

  private static String folded(ModuleChain<Adder> chain) {
    return fold(chain).toCompletableFuture().join();
  }

  @Test
  void opensAsAWholeAlsoWithoutThoseThatAreNotInstalled() throws Exception {
    CountDownLatch opening = new CountDownLatch(1);
    modules.register(
        KIND,
        "slow",
        new Adder() {
          @Override
          public void open(DaemonContext context) throws InterruptedException {
            opening.await();
          }

          @Override
          public String add(String text) {
            return text + "slow";
          }
        });
    ModuleChain<Adder> chain = daemon.chain(KIND, List.of("absent", "slow"), Runnable::run);
    CompletionStage<Void> opened = chain.opened();
    assertThat(opened.toCompletableFuture()).isNotDone();
    opening.countDown();
    opened.toCompletableFuture().join();
    assertThat(folded(chain)).isEqualTo("slow");
    assertThat(daemon.chain(KIND, List.of("absent"), Runnable::run).opened().toCompletableFuture())
        .isDone();
  }

  @Test
  void eachSeesWhatThoseBeforeHaveMadeAndWhoFailsIsPassedOver() throws Exception {
    modules.register(KIND, "a", text -> text + "a");
    modules.register(KIND, "b", text -> text + "b");
    modules.register(
        KIND,
        "bad",
        text -> {
          throw new IllegalStateException("on purpose");
        });
    assertThat(folded(chain("b", "absent", "bad", "a"))).isEqualTo("ba");
    assertThat(fold(chain()).toCompletableFuture()).isCompletedWithValue("");
  }

  @Test
  void whatWasBegunEndsWithThoseOfBeforeAndThoseThatStayAreNotLeasedAnew() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    modules.register(
        KIND,
        "a",
        new Adder() {
          @Override
          public String add(String text) throws InterruptedException {
            begun.countDown();
            gate.await();
            return text + "a";
          }

          @Override
          public void close() {
            closed.countDown();
          }
        });
    modules.register(KIND, "b", text -> text + "b");
    modules.register(KIND, "c", text -> text + "c");
    ModuleChain<Adder> chain = chain("a", "b");
    CompletionStage<String> before = fold(chain);
    begun.await();
    chain.select(List.of("c", "b"));
    modules.awaitHolders();
    assertThat(modules.leases().leases()).hasSize(3);
    gate.countDown();
    assertThat(before.toCompletableFuture().join()).isEqualTo("ab");
    while (!folded(chain).equals("cb")) {
      Thread.sleep(1);
    }
    closed.await();
    while (modules.leases().leases().size() > 2) {
      Thread.sleep(1);
    }
    assertThat(modules.leases().leases())
        .allSatisfy(lease -> assertThat(lease.epoch()).isEqualTo(1));
  }

  @Test
  void oneThatIsNotInstalledIsNotWaitedFor() throws Exception {
    modules.register(KIND, "a", text -> text + "a");
    modules.register(KIND, "b", text -> text + "b");
    ModuleChain<Adder> chain = chain("a");
    chain.select(List.of("absent", "b"));
    while (!folded(chain).equals("b")) {
      Thread.sleep(1);
    }
  }
}
