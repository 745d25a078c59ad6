package org.mezzo.checkers;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;

/** A checker whose looks are attempts on a thread of its own. */
abstract class ConnectingChecker implements Checker {
  private final String kind;
  private CheckThread thread;

  /**
   * Not opened.
   *
   * @param kind of checks, for the names of threads
   */
  ConnectingChecker(String kind) {
    this.kind = kind;
  }

  /** What a look is; not begun. */
  abstract Attempt attempt(
      CheckThread on, CheckRequest request, CompletableFuture<CheckResult> result);

  @Override
  public void open(DaemonContext context) throws IOException {
    for (String parameter : context.parameters().keySet()) {
      throw new IllegalArgumentException("there is no parameter '" + parameter + "'");
    }
    thread = new CheckThread(kind, context);
  }

  @Override
  public CompletionStage<CheckResult> check(CheckRequest request) {
    return thread.begin(result -> attempt(thread, request, result));
  }

  @Override
  public void close() {
    if (thread != null) {
      thread.close();
    }
  }
}
