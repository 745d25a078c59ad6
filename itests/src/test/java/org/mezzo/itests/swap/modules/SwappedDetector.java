package org.mezzo.itests.swap.modules;

import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Sink;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.protocol.v1.MasterInfo;

/**
 * Reports the one master again and again, from its beginning to its end. Goes into test bundles.
 */
public final class SwappedDetector implements MasterDetector {
  private final Witness witness = new Witness(KIND);
  private MasterInfo master;
  private ScheduledExecutorService thread;

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
    String place = context.flags().get("master");
    int colon = place.indexOf(':');
    master =
        MasterInfo.newBuilder()
            .setId("the one")
            .setIp(0)
            .setHostname(place.substring(0, colon))
            .setPort(Integer.parseInt(place.substring(colon + 1)))
            .build();
  }

  @Override
  public void detect(Sink<Optional<MasterInfo>> leaders) {
    thread = Executors.newSingleThreadScheduledExecutor();
    witness.lives(true);
    thread.scheduleWithFixedDelay(() -> report(leaders), 0, 2, TimeUnit.MILLISECONDS);
  }

  private void report(Sink<Optional<MasterInfo>> leaders) {
    try {
      witness.call("report", () -> leaders.report(Optional.of(master)));
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
      witness.fault("its reports did not end");
    }
    witness.lives(false);
  }
}
