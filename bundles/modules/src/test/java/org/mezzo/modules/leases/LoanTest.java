package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Module;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.Kind;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.Loan;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.local.LocalModules;

/** What is borrowed from a module, and what becomes of it when the module goes. */
@Timeout(60)
final class LoanTest {
  private static final Duration LONG = Duration.ofMinutes(1);
  private static final Duration SHORT = Duration.ofMillis(30);

  /** A kind for tests. */
  interface Library extends Module {
    String book() throws Exception;
  }

  private static final class Shelf implements Library {
    final CountDownLatch closed = new CountDownLatch(1);
    private final String book;

    Shelf(String book) {
      this.book = book;
    }

    @Override
    public void open(DaemonContext context) {}

    @Override
    public String book() throws Exception {
      return book;
    }

    @Override
    public void close() {
      closed.countDown();
    }

    boolean isClosed() {
      return closed.getCount() == 0;
    }
  }

  private final LocalModules modules = new LocalModules();

  @AfterEach
  void close() {
    modules.close();
  }

  private static Kind<Library> kind(int atOnce, Duration handover) {
    return Kind.parallel(Library.class, "library", atOnce)
        .within(Optional.of(SHORT.multipliedBy(100)), handover);
  }

  private ModuleLease<Library> lease(Kind<Library> kind) throws InterruptedException {
    ModuleLease<Library> lease =
        modules
            .leases()
            .lease(
                LeaseRequest.of(
                    kind,
                    "town",
                    LocalModules.daemon("master", DaemonContext.Role.MASTER, Path.of("/nowhere")),
                    Runnable::run));
    modules.awaitHolders();
    return lease;
  }

  private static Loan<String> borrow(ModuleLease<Library> lease) throws Exception {
    return lease.borrow("book", Library::book).toCompletableFuture().get();
  }

  @Test
  void whatIsLentTakesUpNoCallAndNoDeadline() throws Exception {
    Kind<Library> kind = kind(1, LONG);
    modules.register(kind, "town", new Shelf("first"));
    ModuleLease<Library> lease = lease(kind);
    List<Loan<String>> loans = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      loans.add(borrow(lease));
    }
    assertThat(loans).extracting(Loan::get).containsOnly(Optional.of("first"));
    loans.forEach(Loan::close);
    assertThat(loans).extracting(Loan::get).containsOnly(Optional.empty());
  }

  @Test
  void aSwapWaitsUntilItIsGivenBackThoughItsSuccessorServes() throws Exception {
    Kind<Library> kind = kind(2, LONG);
    Shelf first = new Shelf("first");
    LocalModules.Registered old = modules.register(kind, "town", first);
    ModuleLease<Library> lease = lease(kind);
    Loan<String> one = borrow(lease);
    Loan<String> other = borrow(lease);
    LocalModules.Registered next = modules.register(kind, "town", new Shelf("second"));
    modules.awaitHolders();
    CompletableFuture<Void> drained =
        modules.leases().drain(old.bundleId(), LONG).toCompletableFuture();
    try (Loan<String> loan = borrow(lease)) {
      assertThat(loan.get()).contains("second");
    }
    one.close();
    one.close();
    // Whatever would have ended the old one has had its time when the next one has ended.
    modules.register(kind, "town", new Shelf("third"));
    modules.awaitHolders();
    modules.leases().drain(next.bundleId(), LONG).toCompletableFuture().get(30, TimeUnit.SECONDS);
    assertThat(other.get()).contains("first");
    assertThat(drained).isNotDone();
    assertThat(first.isClosed()).isFalse();
    other.close();
    drained.get(30, TimeUnit.SECONDS);
    assertThat(first.isClosed()).isTrue();
  }

  @Test
  void itIsTakenBackWhenTheTimeOfTheHandoverIsOver() throws Exception {
    Kind<Library> kind = kind(2, SHORT);
    Shelf first = new Shelf("first");
    modules.register(kind, "town", first);
    ModuleLease<Library> lease = lease(kind);
    Loan<String> loan = borrow(lease);
    modules.register(kind, "town", new Shelf("second"));
    Await.until("the old one is closed", Duration.ofSeconds(30), first::isClosed);
    assertThat(loan.get()).isEmpty();
    loan.close();
  }

  @Test
  void itIsTakenBackAtOnceWhenTheModuleGoes() throws Exception {
    Kind<Library> kind = kind(2, LONG);
    Shelf only = new Shelf("first");
    LocalModules.Registered registered = modules.register(kind, "town", only);
    ModuleLease<Library> lease = lease(kind);
    Loan<String> loan = borrow(lease);
    registered.close();
    assertThat(loan.get()).isEmpty();
    assertThat(only.closed.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void itIsTakenBackWithTheLease() throws Exception {
    Kind<Library> kind = kind(2, LONG);
    Shelf only = new Shelf("first");
    modules.register(kind, "town", only);
    ModuleLease<Library> lease = lease(kind);
    Loan<String> loan = borrow(lease);
    lease.close();
    assertThat(loan.get()).isEmpty();
    assertThat(only.closed.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void whatThrowsWhileItIsUsedCountsAgainstItsModuleOnce() throws Exception {
    Kind<Library> kind = kind(2, LONG);
    modules.register(kind, "town", new Shelf("first"));
    ModuleLease<Library> lease = lease(kind);
    Loan<String> loan = borrow(lease);
    loan.threw(new IllegalStateException("on purpose"));
    loan.threw(new IllegalStateException("on purpose"));
    loan.close();
    loan.threw(new IllegalStateException("on purpose"));
    assertThat(throwsInARow()).isEqualTo(1);
    borrow(lease).close();
    assertThat(throwsInARow()).isZero();
    for (int i = 0; i < kind.breaker().calls(); i++) {
      try (Loan<String> next = borrow(lease)) {
        next.threw(new StackOverflowError("on purpose"));
      }
      if (lease.epoch() != 1) {
        break;
      }
    }
    Await.until("another instance", Duration.ofSeconds(30), () -> lease.epoch() > 1);
  }

  private int throwsInARow() {
    return modules.leases().leases().get(0).throwsInARow();
  }

  @Test
  void nothingAndAFailureAreNoLoans() throws Exception {
    Kind<Library> kind = kind(2, LONG);
    Shelf only = new Shelf(null);
    LocalModules.Registered registered = modules.register(kind, "town", only);
    ModuleLease<Library> lease = lease(kind);
    assertThatThrownBy(() -> borrow(lease))
        .hasCauseInstanceOf(ModuleException.class)
        .hasMessageContaining("gave null");
    CompletableFuture<Void> drained =
        modules.leases().drain(registered.bundleId(), LONG).toCompletableFuture();
    drained.get(30, TimeUnit.SECONDS);
    assertThat(only.isClosed()).isTrue();
  }

  @Test
  void whoNoLongerWantsItHoldsUpNobody() throws Exception {
    Kind<Library> kind = kind(2, LONG);
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Shelf first = new Shelf("first");
    modules.register(kind, "town", first);
    ModuleLease<Library> lease = lease(kind);
    CompletableFuture<Loan<String>> unwanted =
        lease
            .borrow(
                "book",
                library -> {
                  begun.countDown();
                  while (goOn.getCount() > 0) {
                    Thread.onSpinWait();
                  }
                  return library.book();
                })
            .toCompletableFuture();
    begun.await();
    unwanted.cancel(true);
    modules.register(kind, "town", new Shelf("second"));
    modules.awaitHolders();
    assertThat(first.isClosed()).isFalse();
    goOn.countDown();
    assertThat(first.closed.await(30, TimeUnit.SECONDS)).isTrue();
  }
}
