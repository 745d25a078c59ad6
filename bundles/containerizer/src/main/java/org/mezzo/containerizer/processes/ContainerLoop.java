package org.mezzo.containerizer.processes;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one thread on which the states of containers change. Never waits but for more to do. */
final class ContainerLoop implements Executor, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerLoop.class);
  private static final int MOST_IN_A_TURN = 256;

  private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
  private final Thread thread;
  private Runnable turned = () -> {};
  private volatile boolean closed;

  ContainerLoop(String name) {
    thread = Lanes.thread(name, this::run);
  }

  /**
   * Begins.
   *
   * @param end called after each turn
   */
  void start(Runnable end) {
    turned = end;
    thread.start();
  }

  @Override
  public void execute(Runnable task) {
    if (closed) {
      throw new RejectedExecutionException("The containerizer is closed");
    }
    queue.add(task);
  }

  /** The same, for what is of no use any more once the loop is closed. */
  void post(Runnable task) {
    if (!closed) {
      queue.add(task);
    }
  }

  /** What waits for its turn. */
  int waiting() {
    return queue.size();
  }

  private void run() {
    try {
      while (!closed) {
        Runnable task = queue.take();
        for (int i = 0; task != null; i++) {
          run(task);
          task = i < MOST_IN_A_TURN ? queue.poll() : null;
        }
        run(turned);
      }
    } catch (InterruptedException e) {
      LOG.debug("The loop of containers ends");
    }
  }

  private static void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      LOG.error("A turn of the containerizer failed", e);
    }
  }

  /** Lets the turn that is under way end, and takes no more. */
  @Override
  public void close() {
    closed = true;
    queue.add(() -> {});
    try {
      thread.join(2_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
