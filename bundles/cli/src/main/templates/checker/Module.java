package {{package}};

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.checker.CheckRequest;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.api.checker.Checker;
import org.mezzo.api.checker.Connecting;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** Takes a task for healthy to which there is a connection within the time of the check. */
@Component(service = Checker.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Checker.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "connects to tasks")
public final class {{class}} implements Checker {
  private static final long LOOK_MILLIS = 10;

  private ScheduledThreadPoolExecutor timer;

  @Override
  public void open(DaemonContext context) {
    timer =
        new ScheduledThreadPoolExecutor(
            1, task -> new Thread(task, context.daemon() + "-checker-{{name}}"));
    timer.setRemoveOnCancelPolicy(true);
  }

  /** Hundreds are under way at a time, so none of them waits on a thread of its own. */
  @Override
  public CompletionStage<CheckResult> check(CheckRequest request) throws IOException {
    if (request.port() < 1 || request.port() > 65_535) {
      return CompletableFuture.completedStage(
          CheckResult.refused("there is no port " + Integer.toUnsignedString(request.port())));
    }
    CompletableFuture<CheckResult> result = new CompletableFuture<>();
    Connecting connecting =
        request.connect(
            InetAddress.getByName(request.ipv6() ? "::1" : "127.0.0.1"), request.port());
    long begin = System.nanoTime();
    Future<?> looking =
        timer.scheduleWithFixedDelay(
            () -> look(request, connecting, System.nanoTime() - begin, result),
            0,
            LOOK_MILLIS,
            TimeUnit.MILLISECONDS);
    // However it ends, also when nobody wants to know any more, which cancels it.
    result.whenComplete(
        (known, failure) -> {
          looking.cancel(false);
          connecting.close();
        });
    return result;
  }

  private static void look(
      CheckRequest request,
      Connecting connecting,
      long nanos,
      CompletableFuture<CheckResult> result) {
    try {
      if (connecting.finish()) {
        result.complete(CheckResult.connected());
      } else if (!request.timeout().isZero() && nanos > request.timeout().toNanos()) {
        result.complete(CheckResult.failed("there was no connection in time"));
      }
    } catch (ConnectException e) {
      result.complete(CheckResult.refused(String.valueOf(e.getMessage())));
    } catch (IOException | RuntimeException e) {
      result.complete(CheckResult.failed(String.valueOf(e.getMessage())));
    }
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
