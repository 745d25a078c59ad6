package org.mezzo.api;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * One call into a module, as long as somebody waits for it. A module that hands its work on to
 * threads of its own asks {@link #current} on the thread of the call, keeps the answer, and ends
 * the work when the call is taken back; a method that blocks is interrupted as well. A call is
 * taken back when nobody wants its result any more, when it is late, and when the module has to go.
 * Safe for any thread.
 */
public final class CallContext {
  private static final ThreadLocal<CallContext> CURRENT = new ThreadLocal<>();

  private final List<Runnable> actions = new ArrayList<>();
  private boolean cancelled;

  /** Of a call that nobody has taken back yet; for those who call modules, tests included. */
  public CallContext() {}

  /** The call that runs on this thread; outside of any, one that is never taken back. */
  public static CallContext current() {
    CallContext current = CURRENT.get();
    return current == null ? new CallContext() : current;
  }

  /** Whether the call was taken back: whatever it gives, nobody will see it. */
  public boolean isCancelled() {
    synchronized (actions) {
      return cancelled;
    }
  }

  /**
   * Runs an action once the call is taken back, or now when it was already. It must not block; what
   * it throws is dropped.
   */
  public void whenCancelled(Runnable action) {
    synchronized (actions) {
      if (!cancelled) {
        actions.add(action);
        return;
      }
    }
    run(action);
  }

  /** Takes the call back; the actions run on this thread. Again does nothing. */
  public void cancel() {
    List<Runnable> now;
    synchronized (actions) {
      cancelled = true;
      now = List.copyOf(actions);
      actions.clear();
    }
    now.forEach(CallContext::run);
  }

  private static void run(Runnable action) {
    try {
      action.run();
    } catch (RuntimeException e) {
      // Nobody waits for it, and the others are to run.
      return;
    }
  }

  /** Makes a call in this context: inside of it, this is the current one. */
  public <R> R call(Callable<R> call) throws Exception {
    CallContext before = CURRENT.get();
    CURRENT.set(this);
    try {
      return call.call();
    } finally {
      if (before == null) {
        CURRENT.remove();
      } else {
        CURRENT.set(before);
      }
    }
  }
}
