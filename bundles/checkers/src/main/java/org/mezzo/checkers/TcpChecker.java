package org.mezzo.checkers;

import java.io.IOException;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.DaemonContext;
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
public final class TcpChecker implements Checker {
  private CheckThread thread;

  @Override
  public void open(DaemonContext context) throws IOException {
    for (String parameter : context.parameters().keySet()) {
      throw new IllegalArgumentException("there is no parameter '" + parameter + "'");
    }
    thread = new CheckThread("tcp", context);
  }

  @Override
  public CompletionStage<CheckResult> check(CheckRequest request) {
    return thread.begin(result -> new TcpAttempt(thread, request, result));
  }

  @Override
  public void close() {
    if (thread != null) {
      thread.close();
    }
  }
}
