package org.mezzo.checkers;

import java.util.concurrent.CompletableFuture;
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
public final class HttpChecker extends ConnectingChecker {

  /** Not opened. */
  public HttpChecker() {
    super("http");
  }

  @Override
  Attempt attempt(CheckThread on, CheckRequest request, CompletableFuture<CheckResult> result) {
    return new HttpAttempt(on, request, result);
  }
}
