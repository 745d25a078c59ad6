package org.mezzo.master.election;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Sink;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Registry;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.MasterInfo;

/** Which terms a master has by what its contenders say, and by what they do not. */
@Timeout(120)
class ContendingModuleTest {
  private static final String NAME = "scripted";

  /** Longer than what a swap takes, on machines with much to do. */
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final EventLoop loop = new EventLoop("contending-test");
  private final LocalModules modules = new LocalModules();
  private final Stored stored = new Stored();

  /** Every gain and loss, in order. */
  private final List<String> told = new CopyOnWriteArrayList<>();

  private ContendingModule election;
  private Election.Place place;

  /** Says what a test has it say. */
  private static final class Scripted implements MasterContender {
    private final CompletableFuture<Sink<Standing>> standings = new CompletableFuture<>();
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final Optional<Standing> atOnce;
    private boolean entered;
    private final AtomicInteger failures = new AtomicInteger();

    Scripted(Standing... atOnce) {
      this.atOnce = List.of(atOnce).stream().findFirst();
    }

    @Override
    public void report(Sink<Standing> sink) {
      standings.complete(sink);
    }

    @Override
    public void enter(MasterInfo self) {
      calls.add("enter");
      if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        throw new IllegalStateException("on purpose");
      }
      if (!entered) {
        entered = true;
        atOnce.ifPresent(this::say);
      }
    }

    @Override
    public void leave() {
      calls.add("leave");
      entered = false;
    }

    void say(Standing standing) {
      standings.join().report(standing);
    }
  }

  /** A registry for whoever claims what is there. */
  private final class Stored implements Coordination.Session {
    private volatile String there = "";
    private volatile boolean broken;
    private volatile boolean taken;
    private volatile CompletableFuture<Void> held = CompletableFuture.completedFuture(null);
    private final List<Optional<String>> claims = new CopyOnWriteArrayList<>();

    /** How many registries were on their way at a time, at most. */
    private volatile int most;

    private int now;

    @Override
    public CompletionStage<Optional<Registry>> begin(Optional<String> claim) {
      claims.add(claim);
      most = Math.max(most, ++now);
      return held.thenApplyAsync(
          unused -> {
            now--;
            if (broken) {
              throw new IllegalStateException("no ZooKeeper today");
            }
            return claim.filter(it -> !it.equals(there)).isPresent()
                ? Optional.empty()
                : Optional.of(new Term());
          },
          loop);
    }

    @Override
    public void close() {}
  }

  private final class Term implements Registry {
    @Override
    public CompletionStage<Map<String, byte[]>> load() {
      return CompletableFuture.completedStage(Map.of());
    }

    @Override
    public CompletionStage<Void> apply(List<Change> changes) {
      return CompletableFuture.runAsync(
          () -> {
            if (stored.taken) {
              throw new IllegalStateException("taken");
            }
          },
          loop);
    }

    @Override
    public void end(String reason) {
      told.add("ended");
    }
  }

  @BeforeEach
  void start() {
    election =
        new ContendingModule(
            modules.of(
                LocalModules.daemon("master", DaemonContext.Role.MASTER, Path.of("/nowhere"))),
            NAME,
            loop,
            MasterTermTest.SELF,
            stored,
            PATIENCE);
  }

  @AfterEach
  void stop() {
    election.close();
    modules.close();
    loop.close();
  }

  /** As a master does: it stands again whenever it has lost. */
  private void contend() {
    place =
        election.contend(
            new Election.Listener() {
              @Override
              public void elected(Registry registry) {
                told.add("elected");
              }

              @Override
              public void lost(String reason) {
                told.add("lost: " + reason);
                if (!reason.equals("resigned")) {
                  contend();
                }
              }
            });
  }

  private LocalModules.Registered register(Scripted contender) {
    return modules.register(Kinds.MASTER_CONTENDER, NAME, contender);
  }

  private void awaitTold(String... all) {
    Await.until(() -> told.equals(List.of(all)));
  }

  @Test
  void leadsWhenItsContenderSaysSoAndUntilThen() throws Exception {
    contend();
    Scripted contender = new Scripted(Standing.leads());
    register(contender);
    awaitTold("elected");
    contender.say(Standing.follows("another one leads"));
    awaitTold("elected", "ended", "lost: another one leads");
    contender.say(Standing.leads());
    awaitTold("elected", "ended", "lost: another one leads", "elected");
    place.close();
    assertThat(contender.calls).endsWith("leave");
    awaitTold("elected", "ended", "lost: another one leads", "elected", "ended", "lost: resigned");
    int entered = contender.calls.size();
    contend();
    Await.until(() -> contender.calls.size() > entered);
    Await.until(() -> told.size() == 7 && told.get(6).equals("elected"));
  }

  @Test
  void aTermGoesOnWhenTheSuccessorLeads() throws Exception {
    contend();
    register(new Scripted(Standing.leads()));
    awaitTold("elected");
    Scripted next = new Scripted(Standing.leads());
    register(next);
    modules.awaitHolders();
    Await.until(() -> next.calls.contains("enter"));
    // Nothing is left that would end the term: neither a doubt nor another attempt.
    Await.until(() -> loop.scheduled() == 0);
    assertThat(told).containsExactly("elected");
  }

  @Test
  void aTermEndsWhenTheSuccessorHasLost() throws Exception {
    contend();
    register(new Scripted(Standing.leads()));
    awaitTold("elected");
    register(new Scripted(Standing.follows("too late")));
    awaitTold("elected", "ended", "lost: too late");
  }

  @Test
  void aTermThatSomebodyElseHasTakenEndsWithTheSwap() throws Exception {
    contend();
    register(new Scripted(Standing.leads()));
    awaitTold("elected");
    stored.taken = true;
    register(new Scripted(Standing.leads()));
    Await.until(() -> told.size() >= 3);
    assertThat(told.get(2)).contains("another master has led meanwhile");
  }

  @Test
  void aTermDoesNotOutlastASuccessorThatSaysNothing() throws Exception {
    contend();
    register(new Scripted(Standing.leads()));
    awaitTold("elected");
    Scripted silent = new Scripted();
    register(silent);
    awaitTold("elected", "ended", "lost: its contender has said nothing for 3 s");
    silent.say(Standing.leads());
    Await.until(() -> told.size() == 4 && told.get(3).equals("elected"));
  }

  @Test
  void aTermOutlastsItsContenderForAWhileAlone() throws Exception {
    contend();
    LocalModules.Registered first = register(new Scripted(Standing.leads()));
    awaitTold("elected");
    first.close();
    register(new Scripted(Standing.leads())).close();
    awaitTold("elected", "ended", "lost: nothing stands for election any more");
    Scripted last = new Scripted(Standing.leads());
    register(last);
    Await.until(() -> told.size() == 4 && told.get(3).equals("elected"));
  }

  @Test
  void aClaimThatIsNotThereIsNoTerm() throws Exception {
    contend();
    register(new Scripted(Standing.leads("/mezzo/json.info_1")));
    Await.until(() -> stored.claims.size() >= 3);
    assertThat(told).isEmpty();
    stored.broken = true;
    int tried = stored.claims.size();
    Await.until(() -> stored.claims.size() >= tried + 3);
    assertThat(told).isEmpty();
    stored.broken = false;
    stored.there = "/mezzo/json.info_1";
    awaitTold("elected");
  }

  /** Of two that are opened at a time the second would end the first, which the master has. */
  @Test
  void aSwapWhileTheRegistryIsOpenedAsksForNoSecondOne() throws Exception {
    stored.held = new CompletableFuture<>();
    contend();
    register(new Scripted(Standing.leads()));
    Await.until(() -> stored.claims.size() == 1);
    Scripted next = new Scripted(Standing.leads("/mezzo/json.info_2"));
    register(next);
    modules.awaitHolders();
    Await.until(() -> next.calls.contains("enter"));
    stored.there = "/mezzo/json.info_2";
    stored.held.complete(null);
    Await.until(() -> told.contains("elected"));
    assertThat(stored.most).isEqualTo(1);
  }

  @Test
  void whoCannotEnterIsAskedAgain() throws Exception {
    Scripted contender = new Scripted(Standing.leads());
    register(contender);
    modules.awaitHolders();
    contender.failures.set(3);
    contend();
    awaitTold("elected");
    assertThat(contender.calls).hasSizeGreaterThanOrEqualTo(4);
  }
}
