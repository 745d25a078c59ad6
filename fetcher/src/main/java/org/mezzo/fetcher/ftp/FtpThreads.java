package org.mezzo.fetcher.ftp;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where sessions block. Who waits for one is freed by an interrupt, which cuts its connections; the
 * agent bounds how many there are. Safe for any thread.
 */
final class FtpThreads implements AutoCloseable {
  private final ExecutorService threads;

  FtpThreads(String daemon) {
    AtomicInteger count = new AtomicInteger();
    threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, daemon + "-ftp-" + count.incrementAndGet());
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
  }

  /** What is done in a session. */
  @FunctionalInterface
  interface Use<R> {
    R in(FtpSession session) throws IOException;
  }

  <R> R run(FtpSession session, Use<R> use) throws IOException, InterruptedException {
    Future<R> running =
        threads.submit(
            () -> {
              try (session) {
                session.open();
                return use.in(session);
              }
            });
    try {
      return running.get();
    } catch (ExecutionException e) {
      throw session.failure(e.getCause());
    } finally {
      if (!running.isDone()) {
        session.cut();
      }
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
