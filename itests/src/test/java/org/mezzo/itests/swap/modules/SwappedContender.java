package org.mezzo.itests.swap.modules;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Sink;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.protocol.v1.MasterInfo;

/** Wins at once, and says so again and again from then to its end. Goes into test bundles. */
public final class SwappedContender implements MasterContender {
  private final Witness witness = new Witness(KIND);
  private Sink<Standing> standings;
  private ScheduledExecutorService thread;

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public void report(Sink<Standing> sink) {
    standings = sink;
  }

  @Override
  public synchronized void enter(MasterInfo self) {
    if (thread == null) {
      witness.lives(true);
      thread = Executors.newSingleThreadScheduledExecutor();
      thread.scheduleWithFixedDelay(this::report, 0, 2, TimeUnit.MILLISECONDS);
    }
  }

  private void report() {
    try {
      witness.call("report", () -> standings.report(Standing.leads()));
    } catch (Exception e) {
      witness.fault(e.toString());
    }
  }

  @Override
  public void leave() {
    witness.fault("it was made to leave");
  }

  @Override
  public synchronized void close() throws InterruptedException {
    if (thread == null) {
      return;
    }
    thread.shutdown();
    if (!thread.awaitTermination(5, TimeUnit.SECONDS)) {
      witness.fault("its reports did not end");
    }
    witness.lives(false);
  }
}
