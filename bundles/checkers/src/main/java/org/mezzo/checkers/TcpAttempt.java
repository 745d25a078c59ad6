package org.mezzo.checkers;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;

/** Connects, and that is all. */
final class TcpAttempt extends Attempt {
  TcpAttempt(CheckThread thread, CheckRequest request, CompletableFuture<CheckResult> result) {
    super(thread, request, result);
  }

  @Override
  void connect() throws IOException {
    dial(loopback(request.ipv6()), request.port());
  }

  @Override
  void connected() {
    finish(CheckResult.connected());
  }

  @Override
  CheckResult refused(String reason) {
    return CheckResult.refused(reason);
  }

  @Override
  void goOn() {
    // Nothing is waited for but the connection.
  }
}
