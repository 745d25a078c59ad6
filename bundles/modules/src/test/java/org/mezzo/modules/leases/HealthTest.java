package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.local.LocalModules;

/** What modules say of themselves, and what becomes of those that do not say it. */
@Timeout(60)
final class HealthTest {
  private static final Duration OFTEN = Duration.ofMillis(10);
  private static final Duration LIMIT = Duration.ofMillis(200);

  /** A kind for tests. */
  interface Patient extends Module {
    default String cough() throws Exception {
      return "cough";
    }
  }

  /** Says what it is told to say. */
  private static class Talker implements Patient {
    volatile String ill = "";
    final AtomicInteger asked = new AtomicInteger();
    volatile boolean closed;

    @Override
    public Optional<String> health() {
      asked.incrementAndGet();
      return ill.isEmpty() ? Optional.empty() : Optional.of(ill);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  /** Hangs when it is asked, until it is let go, whoever interrupts it. */
  private static final class Mute extends Talker {
    final CountDownLatch go = new CountDownLatch(1);

    @Override
    public Optional<String> health() {
      super.health();
      while (true) {
        try {
          go.await();
          return Optional.empty();
        } catch (InterruptedException e) {
          continue;
        }
      }
    }
  }

  private static final Kind<Patient> KIND = Kind.serial(Patient.class, "patient");

  private final ExecutorService loop = Executors.newSingleThreadExecutor();
  private final LocalModules modules = new LocalModules(Limits.DEFAULT.withHealth(OFTEN, LIMIT));

  @AfterEach
  void end() {
    modules.close();
    loop.shutdownNow();
  }

  private ModuleLease<Patient> lease() throws InterruptedException {
    ModuleLease<Patient> lease =
        modules
            .leases()
            .lease(
                LeaseRequest.of(
                    KIND,
                    "bed",
                    LocalModules.daemon("agent", DaemonContext.Role.AGENT, Path.of("/nowhere")),
                    loop));
    modules.awaitHolders();
    return lease;
  }

  private <P extends Patient> P register(P patient) {
    modules.register(KIND, "bed", patient);
    return patient;
  }

  private ModuleDescription only() {
    return modules.leases().modules().get(0);
  }

  private void awaitIllness(String text) {
    Await.until("it says " + text, () -> only().illness().contains(text));
  }

  private static String cough(ModuleLease<Patient> lease) throws Exception {
    return lease.ask("cough", Patient::cough).toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void illnessIsKnownAsLongAsItIsSaid() throws Exception {
    Talker talker = register(new Talker());
    ModuleLease<Patient> lease = lease();
    Await.until("it is asked again", () -> talker.asked.get() > 2);
    assertThat(modules.leases().unhealthy()).isEmpty();

    talker.ill = "the disk is full";
    awaitIllness("the disk is full");
    assertThat(modules.leases().unhealthy())
        .singleElement()
        .satisfies(
            it ->
                assertThat(it.ailment()).isEqualTo("patient 'bed' is not well: the disk is full"));
    // It keeps its lease and serves on.
    assertThat(only().state()).isEqualTo("leased");
    assertThat(cough(lease)).isEqualTo("cough");

    talker.ill = "";
    Await.until("it is well again", () -> only().illness().isEmpty());
  }

  @Test
  void whatItThrowsAndNullAreIllnessesAndCostNothing() throws Exception {
    Talker talker =
        register(
            new Talker() {
              @Override
              public Optional<String> health() {
                if (super.health().isPresent()) {
                  return null;
                }
                throw new IllegalStateException("do not ask me");
              }
            });
    ModuleLease<Patient> lease = lease();
    awaitIllness("do not ask me");
    Await.until("it is asked more often than a breaker bears", () -> talker.asked.get() > 10);
    talker.ill = "yes";
    awaitIllness("gave null");
    assertThat(lease.epoch()).isEqualTo(1);
  }

  @Test
  void whoDoesNotAnswerIsIllAndServesOn() throws Exception {
    Mute mute = register(new Mute());
    ModuleLease<Patient> lease = lease();
    awaitIllness("did not return within 200 ms, its thread is at");
    assertThat(only().illness()).contains("Mute.health");
    assertThat(cough(lease)).isEqualTo("cough");
    assertThat(mute.asked.get()).isEqualTo(1);

    mute.go.countDown();
    Await.until("it has answered", () -> only().illness().isEmpty());
    Await.until("it is asked again", () -> mute.asked.get() > 1);
  }

  @Test
  void slowCallsMakeNobodyIll() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    class Slow extends Talker {
      @Override
      public String cough() throws Exception {
        go.await();
        return "at last";
      }
    }

    Slow slow = register(new Slow());
    ModuleLease<Patient> lease = lease();
    CompletableFuture<String> reply = lease.ask("cough", Patient::cough).toCompletableFuture();
    int before = slow.asked.get();
    Await.until("it is asked beside the call", () -> slow.asked.get() > before + 3);
    assertThat(only().illness()).isEmpty();
    go.countDown();
    assertThat(reply.get(60, TimeUnit.SECONDS)).isEqualTo("at last");
  }

  @Test
  void instanceIsNotClosedWhileItIsAsked() throws Exception {
    Mute mute = register(new Mute());
    lease();
    Await.until("it is asked", () -> mute.asked.get() == 1);
    Talker next = register(new Talker());
    modules.awaitHolders();
    Await.until("the successor is asked", () -> next.asked.get() > 0);
    assertThat(mute.closed).isFalse();

    mute.go.countDown();
  }

  @Test
  void successorDoesNotWaitForTheHealthOfItsPredecessor() throws Exception {
    Talker old = register(new Talker());
    old.ill = "of age";
    lease();
    awaitIllness("of age");
    Talker next = register(new Talker());
    modules.awaitHolders();
    Await.until("the old one is closed", () -> old.closed);
    Await.until("the next one is asked", () -> next.asked.get() > 1);
    assertThat(modules.leases().unhealthy()).isEmpty();
    int asked = old.asked.get();
    Await.until("some rounds have passed", () -> next.asked.get() > 5);
    assertThat(old.asked.get()).isEqualTo(asked);
  }
}
