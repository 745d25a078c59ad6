package org.mezzo.checkers;

import java.util.concurrent.CompletableFuture;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** Connects to tasks, and that is all (rule 231). */
@Component(service = Checker.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Checker.KIND,
    name = "tcp",
    version = "0.1.0",
    author = "Mezzo",
    description = "connects to tasks")
public final class TcpChecker extends ConnectingChecker {

  /** Not opened. */
  public TcpChecker() {
    super("tcp");
  }

  @Override
  Attempt attempt(CheckThread on, CheckRequest request, CompletableFuture<CheckResult> result) {
    return new TcpAttempt(on, request, result);
  }
}
