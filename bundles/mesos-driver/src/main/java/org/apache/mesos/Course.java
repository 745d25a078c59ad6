package org.apache.mesos;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.mezzo.driver.sessions.Session;

/**
 * The course of a driver from its start to its end, which is that of the original for schedulers
 * and executors alike: what each step answers, and that a callback that throws ends it.
 * Thread-safe; nothing of others is called under its lock but what opens a session.
 */
final class Course {
  private static final Logger LOG = Logger.getLogger(Course.class.getName());

  /** How long what was said before the end may take to get to the other side. */
  private static final long FLUSH_MS = 10_000;

  /** How long who waits for the end waits for what is told of it, too. */
  private static final long TELL_MS = 10_000;

  /** Makes a session that has not started. */
  interface Opening {
    Session open() throws IOException;
  }

  /** A callback of whoever has the driver. */
  interface Callback {
    void run() throws IOException;
  }

  private final String peer;
  private final Consumer<String> error;
  private Protos.Status status = Protos.Status.DRIVER_NOT_STARTED;
  private Optional<Session> session = Optional.empty();

  /** Who tells the error at this moment. */
  private Optional<Thread> telling = Optional.empty();

  /**
   * Of a driver that is not started.
   *
   * @param peer what is on the other side, for people
   * @param error tells whoever has the driver that it has ended, and why
   */
  Course(String peer, Consumer<String> error) {
    this.peer = peer;
    this.error = error;
  }

  synchronized Protos.Status status() {
    return status;
  }

  boolean isRunning() {
    return status() == Protos.Status.DRIVER_RUNNING;
  }

  /**
   * The session of a driver that has been started.
   *
   * @throws IllegalStateException when it has not
   */
  synchronized Session session() {
    return session.orElseThrow(() -> new IllegalStateException("the driver has no session"));
  }

  /**
   * Starts it, once; one that cannot be opened is aborted, with an error.
   *
   * @param problem what to say before the reason why it cannot be opened
   */
  Protos.Status start(Opening opening, String problem) {
    String said;
    synchronized (this) {
      if (status != Protos.Status.DRIVER_NOT_STARTED) {
        return status;
      }
      try {
        Session opened = opening.open();
        session = Optional.of(opened);
        status = Protos.Status.DRIVER_RUNNING;
        opened.start();
        return status;
      } catch (IllegalArgumentException | IOException e) {
        said = problem + e.getMessage();
        status = Protos.Status.DRIVER_ABORTED;
      }
    }
    LOG.log(Level.SEVERE, said);
    error.accept(said);
    return Protos.Status.DRIVER_ABORTED;
  }

  /**
   * Ends it in order. Waits a little for what was said to get to the other side.
   *
   * @param last says what is said last, if it was running
   */
  Protos.Status stop(Consumer<Session> last) {
    Protos.Status before;
    Optional<Session> ended;
    synchronized (this) {
      before = status;
      if (before != Protos.Status.DRIVER_RUNNING && before != Protos.Status.DRIVER_ABORTED) {
        return before;
      }
      // First of all, so that no callback is made from here on; who waits is told below.
      status = Protos.Status.DRIVER_STOPPED;
      ended = session;
    }
    ended.ifPresent(
        it -> {
          if (before == Protos.Status.DRIVER_RUNNING) {
            last.accept(it);
          }
          close(it);
        });
    synchronized (this) {
      notifyAll();
      return before == Protos.Status.DRIVER_ABORTED ? before : status;
    }
  }

  /** Ends it; what was said before still gets a little time to get to the other side. */
  Protos.Status abort() {
    Optional<Session> ended;
    synchronized (this) {
      if (status != Protos.Status.DRIVER_RUNNING) {
        return status;
      }
      status = Protos.Status.DRIVER_ABORTED;
      ended = session;
      notifyAll();
    }
    ended.ifPresent(Course::close);
    return Protos.Status.DRIVER_ABORTED;
  }

  private static void close(Session session) {
    session.flush(FLUSH_MS);
    session.close();
  }

  /**
   * Waits for its end, and a little for the error that is told of it: a program that ends with its
   * driver would not hear it otherwise.
   */
  synchronized Protos.Status join() {
    try {
      while (status == Protos.Status.DRIVER_RUNNING) {
        wait();
      }
      long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TELL_MS);
      while (telling.isPresent() && telling.get() != Thread.currentThread()) {
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (left <= 0) {
          break;
        }
        wait(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return status;
  }

  /** Makes a callback unless it has ended. One that throws ends it. */
  void callBack(Callback callback) {
    if (!isRunning()) {
      return;
    }
    try {
      callback.run();
    } catch (IOException e) {
      fail("What the " + peer + " sent cannot be read: " + e.getMessage());
    } catch (RuntimeException | Error e) {
      LOG.log(Level.SEVERE, "A callback threw; the driver aborts", e);
      abort();
    }
  }

  /** Aborts it if it runs, and says why. */
  void fail(String message) {
    synchronized (this) {
      if (status != Protos.Status.DRIVER_RUNNING) {
        return;
      }
      telling = Optional.of(Thread.currentThread());
    }
    try {
      abort();
      LOG.log(Level.SEVERE, message);
      error.accept(message);
    } catch (RuntimeException e) {
      LOG.log(Level.SEVERE, "The error callback threw", e);
    } finally {
      synchronized (this) {
        telling = Optional.empty();
        notifyAll();
      }
    }
  }
}
