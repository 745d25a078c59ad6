package org.mezzo.testing.contract;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.Module;
import org.mezzo.testing.FakeClock;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeMetrics;

/**
 * What {@link Module} demands of every kind. Extend the class of your kind, such as {@link
 * HookContract}, hand it your module, and where it needs them flags and parameters:
 *
 * <pre>{@code
 * class MyHookContractTest extends HookContract {
 *   @Override
 *   protected Hook module() {
 *     return new MyHook();
 *   }
 *
 *   @Override
 *   protected FakeDaemonContext context(FakeDaemonContext plain) {
 *     return plain.withParameters(Map.of("colour", "blue"));
 *   }
 * }
 * }</pre>
 *
 * <p>Calls come as a daemon's do: each on another thread, without context class loader, and are
 * given up when they are late. After each test the instance is closed, and nothing of it may be
 * left: no thread that it has started, no program, no open file, and nothing that refers to it.
 *
 * <p>Where chance is used it is the same in every run; {@code -Dmezzo.contract.seed=N} takes
 * another. What a test of a kit checks its method says. One that your module breaks on purpose you
 * override, with {@code @Disabled} and the reason.
 *
 * @param <M> the interface of the kind
 */
@Isolated("of the whole process it is looked what is left")
@ExtendWith(Seed.class)
public abstract class ModuleContract<M extends Module> {
  private static final int ROUNDS = 4;
  private static final int NANOS_BEFORE = 1_000_000;

  /** After so many looks alike a folder has settled; so many are made at most. */
  private static final int SETTLED_LOOKS = 10;

  private static final int MOST_LOOKS = 250;
  private static final long LOOK_MILLIS = 20;

  @TempDir Path kitFolder;
  private final FakeClock clock = new FakeClock();
  private final Traces.Surroundings surroundings = new Traces.Surroundings();

  ModuleContract() {}

  /** Another instance of the module at each call, not opened. The kit closes it. */
  protected abstract M module() throws Exception;

  /**
   * What the instances are told of their daemon.
   *
   * @param plain a daemon of the role that the kind has, with two empty folders, without flags and
   *     parameters, on {@link #clock}
   */
  protected FakeDaemonContext context(FakeDaemonContext plain) throws Exception {
    return plain;
  }

  /** The clock of {@link #context}, which stands still unless a test lets time pass. */
  protected final FakeClock clock() {
    return clock;
  }

  /**
   * How many times as long as in a daemon a call may take, since machines of tests are slow: 10. A
   * call that hangs fails its test after that.
   */
  protected int patience() {
    return 10;
  }

  /** The role of the daemon. */
  abstract Role role();

  /** How long a call may take. */
  abstract Duration deadline();

  /** What a fresh instance is told before anything else. */
  void begin(Instance<M> instance) {}

  /** What an instance is told that takes over from another one, which is still open. */
  void takeOver(Instance<M> before, Instance<M> next) {
    begin(next);
  }

  /** Calls of every sort, with answers that are checked; again and again of one instance. */
  abstract void use(Instance<M> instance, Random random) throws Exception;

  /** Whether an instance goes on after a call of it was taken back. */
  boolean goesOn() {
    return false;
  }

  final Random random() {
    return new Random(Seed.VALUE);
  }

  /** An instance that is open and was told what comes first. */
  final Instance<M> opened() throws Exception {
    Instance<M> instance = instance(plain("daemon"));
    instance.open();
    begin(instance);
    return instance;
  }

  final Instance<M> instance(FakeDaemonContext plain) throws Exception {
    FakeDaemonContext context = context(plain).withMetrics(new FakeMetrics());
    return new Instance<>(module(), context, surroundings, deadline(), patience());
  }

  final FakeDaemonContext plain(String folder) throws IOException {
    Path own = kitFolder.resolve(folder);
    FakeDaemonContext daemon =
        role() == Role.MASTER ? FakeDaemonContext.master() : FakeDaemonContext.agent();
    return daemon
        .withFolders(
            Files.createDirectories(own.resolve("work")),
            Files.createDirectories(own.resolve("run")))
        .withClock(clock);
  }

  /** An instance opens, works, and closes; closed at once after it was opened it leaves nothing. */
  @Test
  public void opensWorksAndLeavesNothing() throws Exception {
    Instance<M> idle = instance(plain("daemon"));
    idle.open();
    idle.close();
    Instance<M> busy = opened();
    use(busy, random());
    busy.checkNumbers();
    busy.close();
  }

  /**
   * {@code open}, {@code rehearse} and {@code close} of an instance that only rehearses succeed
   * where the real ones would, beside an instance that works, whose folders stay as they are.
   */
  @Test
  public void rehearsesBesideTheInstanceThatWorks() throws Exception {
    Instance<M> busy = opened();
    Random random = random();
    use(busy, random);
    Set<String> before = settled(kitFolder.resolve("daemon"));
    Instance<M> rehearsal = instance(plain("rehearsal").rehearsing());
    rehearsal.open();
    rehearsal.rehearse();
    rehearsal.close();
    Set<String> after = below(kitFolder.resolve("daemon"));
    if (!after.equals(before)) {
      throw new AssertionError(
          "A rehearsal changed the folders of the daemon from " + before + " to " + after);
    }
    use(busy, random);
    busy.close();
  }

  /**
   * A swap: an instance opens beside the one that works, takes over, and works on while the first
   * one closes. Then a third one does the same.
   */
  @Test
  public void isSwappedWhileItWorks() throws Exception {
    Random random = random();
    Instance<M> old = opened();
    for (int swap = 0; swap < 2; swap++) {
      use(old, random);
      Instance<M> next = instance(plain("daemon"));
      next.open();
      takeOver(old, next);
      old.close();
      use(next, random);
      next.checkNumbers();
      old = next;
    }
    old.close();
  }

  /**
   * An instance that is given the parameters that it has once more, as when another daemon cannot
   * work with new ones, takes them or says that it does not, and works on.
   */
  @Test
  public void worksOnWhenItIsGivenParameters() throws Exception {
    Random random = random();
    Instance<M> instance = opened();
    use(instance, random);
    instance.reconfigure(instance.context().parameters());
    use(instance, random);
    instance.close();
  }

  /**
   * A call that is taken back, whose thread is interrupted at whatever moment, ends in time, and
   * the instance can be closed and leaves nothing. Of kinds that take several calls at a time it
   * goes on with the others.
   */
  @Test
  public void endsCallsThatAreTakenBack() throws Exception {
    Random random = random();
    Instance<M> whole = opened();
    int before = whole.calls();
    use(whole, random);
    int calls = whole.calls() - before;
    whole.close();
    for (int round = 0; round < ROUNDS; round++) {
      Instance<M> instance = opened();
      instance.takeBack(random.nextInt(calls), random.nextInt(NANOS_BEFORE));
      try {
        use(instance, random);
      } catch (Instance.TakenBack e) {
        // As it was to be.
      }
      instance.takeBack(-1, 0);
      if (goesOn()) {
        use(instance, random);
      }
      instance.close();
    }
  }

  /** {@code health} is answered beside calls, at once and without an exception. */
  @Test
  public void saysHowItIsBesideCalls() throws Exception {
    Instance<M> instance = opened();
    AtomicBoolean over = new AtomicBoolean();
    FutureTask<Integer> asking =
        new FutureTask<>(
            () -> {
              int asked = 0;
              do {
                instance.health();
                asked++;
              } while (!over.get());
              return asked;
            });
    Thread beside = new Thread(asking, "asks how the module is");
    beside.start();
    try {
      use(instance, random());
    } finally {
      over.set(true);
      beside.join();
    }
    try {
      asking.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause().getMessage(), e.getCause());
    }
    instance.close();
  }

  static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  /** The names of all files and folders below a folder. */
  static Set<String> below(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      Set<String> names = new TreeSet<>();
      all.forEach(each -> names.add(folder.relativize(each).toString()));
      return names;
    }
  }

  /** What is there once the instance that works has written what it had still to write. */
  private static Set<String> settled(Path folder) throws IOException, InterruptedException {
    Set<String> last = below(folder);
    for (int same = 0, looks = 0; same < SETTLED_LOOKS && looks < MOST_LOOKS; looks++) {
      Thread.sleep(LOOK_MILLIS);
      Set<String> next = below(folder);
      same = next.equals(last) ? same + 1 : 0;
      last = next;
    }
    return last;
  }
}
