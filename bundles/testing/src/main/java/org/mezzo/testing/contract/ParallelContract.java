package org.mezzo.testing.contract;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.mezzo.api.Module;

/**
 * What holds beyond {@link ModuleContract} for kinds that take several calls at a time.
 *
 * @param <M> the interface of the kind
 */
public abstract class ParallelContract<M extends Module> extends ModuleContract<M> {
  private static final int ROUNDS = 4;

  ParallelContract() {}

  /** So many calls come at a time. */
  abstract int callers();

  @Override
  boolean goesOn() {
    return true;
  }

  /** As many calls at a time as a daemon makes get the answers that they would get alone. */
  @Test
  public void answersManyCallsAtATime() throws Exception {
    Instance<M> instance = opened();
    AtomicReference<Instance<M>> holder = new AtomicReference<>(instance);
    finish(start(holder, new CountDownLatch(0)));
    instance.close();
  }

  /**
   * A swap among calls: those that have begun end in the old instance beside the new one, which
   * gets all others; the old one is closed when it has none left.
   */
  @Test
  public void isSwappedAmongManyCalls() throws Exception {
    Instance<M> old = opened();
    AtomicReference<Instance<M>> holder = new AtomicReference<>(old);
    CountDownLatch begun = new CountDownLatch(callers());
    List<FutureTask<Void>> callers = start(holder, begun);
    begun.await();
    Instance<M> next = opened();
    holder.set(next);
    finish(callers);
    old.close();
    next.close();
  }

  private List<FutureTask<Void>> start(AtomicReference<Instance<M>> holder, CountDownLatch begun) {
    List<FutureTask<Void>> callers = new ArrayList<>();
    for (int i = 0; i < callers(); i++) {
      Random random = new Random(Seed.VALUE + i);
      FutureTask<Void> caller =
          new FutureTask<>(
              () -> {
                begun.countDown();
                for (int round = 0; round < ROUNDS; round++) {
                  use(holder.get(), random);
                }
                return null;
              });
      Thread thread = new Thread(caller, "caller " + i);
      thread.setDaemon(true);
      thread.start();
      callers.add(caller);
    }
    return callers;
  }

  private static void finish(List<FutureTask<Void>> callers) throws InterruptedException {
    for (FutureTask<Void> caller : callers) {
      try {
        caller.get();
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause().getMessage(), e.getCause());
      }
    }
  }
}
