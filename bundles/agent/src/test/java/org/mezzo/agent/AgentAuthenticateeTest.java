package org.mezzo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.Sink;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.MasterInfo;

/** An agent that asks a module what to show its master. */
class AgentAuthenticateeTest extends RunningAgent {
  private static final String FAILED = "slave/mezzo/authentications_failed";
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final BlockingQueue<MasterInfo> asked = new LinkedBlockingQueue<>();

  @BeforeEach
  void without() throws Exception {
    nothingToShow.close();
  }

  private LocalModules.Registered install(String name, Authenticatee authenticatee) {
    return modules.register(
        Authenticatee.class,
        Authenticatee.KIND,
        name,
        () ->
            master -> {
              asked.add(master);
              return authenticatee.authenticate(master);
            });
  }

  private static Authenticatee bearer(String token) {
    return master -> Credentials.authorization("Bearer " + token);
  }

  private Map<String, List<String>> shown() throws Exception {
    Map<String, List<String>> shown = master.shown.poll(60, TimeUnit.SECONDS);
    assertThat(shown).as("a link is opened").isNotNull();
    return shown;
  }

  private void assertShows(String token) throws Exception {
    assertThat(shown()).containsEntry("authorization", List.of("Bearer " + token));
  }

  private void awaitRegistration() throws Exception {
    assertThat(master.registrations.poll(60, TimeUnit.SECONDS)).isNotNull();
  }

  private void breakLink() {
    master.sessions.get(master.sessions.size() - 1).close();
  }

  private double metric(String name) {
    return agent.metrics().snapshot().get(name);
  }

  @Test
  void showsWhatItsModuleSaysAndAsksASuccessorBeforeTheNextLink() throws Exception {
    LocalModules.Registered first = install("basic", bearer("one"));
    start();
    assertShows("one");
    assertThat(asked.poll()).isEqualTo(info(master));
    assertThat(asked).isEmpty();

    install("basic", bearer("two"));
    modules.awaitHolders();
    first.close();
    modules.awaitHolders();
    assertThat(metric("slave/registered")).isEqualTo(1);
    assertThat(asked).as("a link that is there needs nothing").isEmpty();
    assertThat(master.shown).isEmpty();

    breakLink();
    awaitRegistration();
    assertShows("two");
  }

  @Test
  void anotherModuleIsAskedOnceItIsSelected() throws Exception {
    install("basic", bearer("one"));
    start();
    assertShows("one");
    install(
        "vault",
        master ->
            Credentials.of(Map.of("authorization", "Bearer two", "X-Vault-Namespace", "a b")));
    agent.selectAuthenticatee("vault");
    modules.awaitHolders();
    assertThat(metric("slave/registered")).isEqualTo(1);
    breakLink();
    awaitRegistration();
    assertThat(shown())
        .containsEntry("authorization", List.of("Bearer two"))
        .containsEntry("x-vault-namespace", List.of("a b"));
  }

  @Test
  void opensNoLinkWithoutItsModuleAndKeepsTheOneThereIs() throws Exception {
    agent = newAgent();
    Await.until("it has tried", PATIENCE, () -> metric(FAILED) >= 2);
    assertThat(master.shown).isEmpty();
    assertThat(metric("slave/registered")).isZero();
    assertThat(get("/health").statusCode()).isEqualTo(200);

    LocalModules.Registered module = install("basic", bearer("one"));
    awaitRegistration();
    assertShows("one");
    module.close();
    double failed = metric(FAILED);
    assertThat(metric("slave/registered")).isEqualTo(1);

    breakLink();
    Await.until("it has tried again", PATIENCE, () -> metric(FAILED) > failed);
    assertThat(master.shown).isEmpty();
    install("basic", bearer("two"));
    awaitRegistration();
    assertShows("two");
  }

  @Test
  void goesOnWhenItsModuleThrowsOrGivesNothingOrWhatIsNoHeader() throws Exception {
    List<Authenticatee> wrong =
        List.of(
            master -> {
              throw new IOException("the vault is sealed");
            },
            master -> {
              throw new IllegalStateException("a defect");
            },
            master -> null,
            bearer("one\r\nX-Evil: 1"));
    BlockingQueue<Authenticatee> next = new LinkedBlockingQueue<>(wrong);
    install(
        "basic",
        master -> {
          Authenticatee now = next.poll();
          return (now == null ? bearer("one") : now).authenticate(master);
        });
    start();
    assertShows("one");
    assertThat(metric(FAILED)).isEqualTo(wrong.size());
    assertThat(asked).hasSize(wrong.size() + 1);
  }

  @Test
  void livesOnWhileItsModuleHangsAndAsksForAnotherMasterMeanwhile() throws Exception {
    CountDownLatch hanging = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    install(
        "basic",
        master -> {
          if (master.getId().equals("hang")) {
            hanging.countDown();
            try {
              new CountDownLatch(1).await();
            } finally {
              interrupted.countDown();
            }
          }
          return Credentials.authorization("Bearer one");
        });
    AtomicReference<Sink<Optional<MasterInfo>>> detector = new AtomicReference<>();
    modules.register(
        Kinds.MASTER_DETECTOR,
        "standalone",
        leaders -> {
          leaders.report(Optional.of(info(master).toBuilder().setId("hang").build()));
          detector.set(leaders);
        });
    agent = newAgent();
    assertThat(hanging.await(60, TimeUnit.SECONDS)).isTrue();
    detector.get().report(Optional.of(info(master)));
    awaitRegistration();
    assertThat(interrupted.await(60, TimeUnit.SECONDS)).isTrue();
    assertShows("one");
    assertThat(metric(FAILED)).as("nobody waited for it any more").isZero();
    assertThat(metric("modules/authenticatee/basic/late")).as("it was taken back").isZero();
  }

  @Test
  void asksAgainWhenItsModuleHangsForTooLong() throws Exception {
    BlockingQueue<String> once = new LinkedBlockingQueue<>(List.of("hang"));
    install(
        "basic",
        master -> {
          if (once.poll() != null) {
            new CountDownLatch(1).await();
          }
          return Credentials.authorization("Bearer one");
        });
    agent = newAgent();
    Await.until("it is asked", PATIENCE, () -> !asked.isEmpty());
    assertThat(get("/state").statusCode()).isEqualTo(200);
    awaitRegistration();
    assertShows("one");
    assertThat(metric(FAILED)).isGreaterThanOrEqualTo(1);
  }

  @Test
  void triesAgainWithWhatAnotherModuleShowsWhenItIsNotLetIn() throws Exception {
    master.lets = fields -> List.of("Bearer right").equals(fields.get("authorization"));
    install("basic", bearer("wrong"));
    install("vault", bearer("right"));
    agent = newAgent();
    assertShows("wrong");
    assertShows("wrong");
    agent.selectAuthenticatee("vault");
    awaitRegistration();
    Await.until(
        "the other one is shown",
        PATIENCE,
        () -> List.of("Bearer right").equals(shown().get("authorization")));
  }
}
