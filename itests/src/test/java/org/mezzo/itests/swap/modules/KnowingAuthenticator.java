package org.mezzo.itests.swap.modules;

import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;

/** Knows one sender, and takes its time to open. Goes into test bundles. */
public final class KnowingAuthenticator implements HttpAuthenticator {
  /** What the sender it knows sends. */
  public static final String SECRET = "Basic YW5uOnNlY3JldA==";

  @Override
  public void open(DaemonContext context) throws Exception {
    // As one that reads a file or asks a server first: whoever does not wait for it finds nobody.
    new CountDownLatch(1).await(300, TimeUnit.MILLISECONDS);
  }

  @Override
  public String scheme() {
    return "Basic";
  }

  @Override
  public Result authenticate(Request request) {
    return request.header("Authorization").equals(Optional.of(SECRET))
        ? Result.of(Principal.named("ann"))
        : Result.refused("unknown");
  }
}
