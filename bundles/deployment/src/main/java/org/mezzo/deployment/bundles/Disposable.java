package org.mezzo.deployment.bundles;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.osgi.framework.BundleException;

/** Runs code of guests on threads that are left behind when they do not return. */
final class Disposable {
  private static final int FRAMES = 8;

  private Disposable() {}

  /** What a guest does when it is started or stopped. */
  interface Step {
    void run() throws BundleException;
  }

  /**
   * Runs on a thread of its own and waits for it.
   *
   * @param what for messages, as in "it does not return from being started"
   * @throws HangsException when it has not returned within the limit; its thread goes on
   * @throws BundleException also when the caller is interrupted; the thread goes on then, too
   */
  static void run(String name, String what, Duration limit, Step step) throws BundleException {
    FutureTask<Void> task =
        new FutureTask<>(
            () -> {
              step.run();
              return null;
            });
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    thread.start();
    try {
      task.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new HangsException(
          "it has not returned from being "
              + what
              + " within "
              + limit.toMillis()
              + " ms and is left alone until this process ends; its thread is at\n"
              + Arrays.stream(thread.getStackTrace())
                  .limit(FRAMES)
                  .map(frame -> "\tat " + frame)
                  .collect(Collectors.joining("\n")));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BundleException("the host is stopping", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof BundleException failure) {
        throw failure;
      }
      throw new BundleException(String.valueOf(e.getCause()), e.getCause());
    }
  }
}
