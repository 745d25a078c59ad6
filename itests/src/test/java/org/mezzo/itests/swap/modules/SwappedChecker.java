package org.mezzo.itests.swap.modules;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;

/** Takes every task for healthy. Goes into test bundles. */
public final class SwappedChecker implements Checker {
  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public CompletionStage<CheckResult> check(CheckRequest request) throws Exception {
    return witness.call("check", () -> CompletableFuture.completedStage(CheckResult.connected()));
  }
}
