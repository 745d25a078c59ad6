package org.mezzo.itests.swap;

import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.swap.modules.SwappedAuthenticatee;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.MasterInfo;

/**
 * What is asked of an authenticatee by an agent whose links do not last: several questions at a
 * time, or on an idle cluster one, each as soon as one before is answered.
 */
final class Questions implements AutoCloseable {
  private static final int MOST = 4;
  private static final MasterInfo MASTER =
      MasterInfo.newBuilder().setId("m").setIp(0).setPort(5050).setHostname("m").build();

  final Operations operations = new Operations();
  private final ExecutorService events = Executors.newSingleThreadExecutor();
  private final AtomicInteger underWay = new AtomicInteger();
  private final ModuleLease<Authenticatee> lease;
  private volatile boolean over;

  /**
   * Asks from now on.
   *
   * @param alone whether each question waits for the answer to the one before
   */
  Questions(ModuleLeases leases, boolean alone) {
    lease =
        leases.lease(
            LeaseRequest.of(
                Kinds.AUTHENTICATEE,
                SwapProof.NAME,
                LocalModules.daemon(SwappedAuthenticatee.ASKING, Role.AGENT, Path.of("/nowhere")),
                events));
    Await.until("the authenticatee is open", () -> lease.epoch() > 0);
    for (int i = 0; i < (alone ? 1 : MOST); i++) {
      underWay.incrementAndGet();
      ask();
    }
  }

  private void ask() {
    long begin = System.nanoTime();
    lease
        .ask("authenticate", module -> module.authenticate(MASTER))
        .whenComplete((shown, failure) -> answered(begin, shown, failure));
  }

  private void answered(long begin, Credentials shown, Throwable failure) {
    if (failure != null) {
      operations.failed(failure.toString());
    } else if (!shown.fields().containsKey("Authorization")) {
      operations.failed("answered " + shown);
    } else {
      operations.succeeded(begin);
    }
    if (over) {
      underWay.decrementAndGet();
    } else {
      ask();
    }
  }

  /** Asks no more; returns when all is answered. */
  @Override
  public void close() throws InterruptedException {
    over = true;
    Await.until("all questions are answered", () -> underWay.get() == 0);
    lease.close();
    events.shutdown();
    events.awaitTermination(60, TimeUnit.SECONDS);
  }
}
