package org.mezzo.testing.contract;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;
import org.mezzo.api.checker.Connecting;

/** Connects, and looks again and again whether it has. */
class PlainChecker implements Checker {
  private ScheduledThreadPoolExecutor timer;

  @Override
  public void open(DaemonContext context) throws Exception {
    timer = new ScheduledThreadPoolExecutor(1);
    timer.setRemoveOnCancelPolicy(true);
  }

  @Override
  public CompletionStage<CheckResult> check(CheckRequest request) throws Exception {
    CompletableFuture<CheckResult> result = new CompletableFuture<>();
    if (!exists(request.port())) {
      result.complete(CheckResult.refused("there is no such port"));
      return result;
    }
    Connecting connecting = request.connect(InetAddress.getByName("127.0.0.1"), request.port());
    long begin = System.nanoTime();
    Future<?> looking =
        timer.scheduleWithFixedDelay(
            () -> look(connecting, result, isOver(request, begin)), 0, 5, TimeUnit.MILLISECONDS);
    result.whenComplete(
        (known, failure) -> {
          if (isOver(result)) {
            looking.cancel(false);
            connecting.close();
          }
        });
    return result;
  }

  boolean exists(int port) {
    return port > 0 && port <= 65_535;
  }

  boolean isOver(CheckRequest request, long begin) {
    return !request.timeout().isZero() && System.nanoTime() - begin > request.timeout().toNanos();
  }

  boolean isOver(CompletableFuture<CheckResult> result) {
    return result.isDone();
  }

  CheckResult connected() {
    return CheckResult.connected();
  }

  private void look(Connecting connecting, CompletableFuture<CheckResult> result, boolean over) {
    try {
      if (connecting.finish()) {
        result.complete(connected());
      } else if (over) {
        result.complete(CheckResult.failed("not in time"));
      }
    } catch (ConnectException e) {
      result.complete(CheckResult.refused(e.getMessage()));
    } catch (IOException e) {
      result.complete(CheckResult.failed(String.valueOf(e.getMessage())));
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
