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

/** Asks tasks for a page, follows redirects and throws bodies away (rule 231). */
@Component(service = Checker.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Checker.KIND,
    name = "http",
    version = "0.1.0",
    author = "Mezzo",
    description = "asks tasks for a page, whose status is the result")
public final class HttpChecker implements Checker {
  private CheckThread thread;

  @Override
  public void open(DaemonContext context) throws IOException {
    for (String parameter : context.parameters().keySet()) {
      throw new IllegalArgumentException("there is no parameter '" + parameter + "'");
    }
    thread = new CheckThread("http", context);
  }

  @Override
  public CompletionStage<CheckResult> check(CheckRequest request) {
    return thread.begin(result -> new HttpAttempt(thread, request, result));
  }

  @Override
  public void close() {
    if (thread != null) {
      thread.close();
    }
  }
}
