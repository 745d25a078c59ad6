package org.mezzo.itests.swap.modules;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.anonymous.AnonymousModule;

/** Works by itself from its opening to its end. Goes into test bundles. */
public final class SwappedAnonymous implements AnonymousModule {
  private final Witness witness = new Witness(KIND);
  private ScheduledExecutorService thread;

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
    if (context.rehearsal()) {
      return;
    }
    thread = Executors.newSingleThreadScheduledExecutor();
    witness.lives(true);
    thread.scheduleWithFixedDelay(this::work, 0, 2, TimeUnit.MILLISECONDS);
  }

  private void work() {
    try {
      witness.call("work", () -> "");
    } catch (Exception e) {
      witness.fault(e.toString());
    }
  }

  @Override
  public void close() throws InterruptedException {
    if (thread == null) {
      return;
    }
    thread.shutdown();
    if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
      witness.fault("its work did not end");
    }
    witness.lives(false);
  }
}
