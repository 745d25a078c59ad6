package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.anonymous.AnonymousModule;

/**
 * The rules of {@link AnonymousModule}: it lives beside whichever daemon it is opened for, also
 * where there are several in one process or another instance is about to take over, and is well
 * where it has what it needs. Files that it has in the daemon's folders it makes in {@code open},
 * so that what a rehearsal makes can be told from them. {@link ModuleContract} says how to extend
 * it.
 */
public abstract class AnonymousModuleContract extends ModuleContract<AnonymousModule> {
  private static final int ASKED = 3;

  /** For subclasses. */
  protected AnonymousModuleContract() {}

  /** Whether the daemon beside which it is opened is a master; an agent otherwise. */
  protected boolean besideMaster() {
    return false;
  }

  @Override
  Role role() {
    return besideMaster() ? Role.MASTER : Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(5);
  }

  @Override
  void use(Instance<AnonymousModule> instance, Random random) {
    for (int i = 0; i < ASKED; i++) {
      Optional<String> illness = instance.health();
      check(
          illness.isEmpty(),
          "health says '"
              + illness.orElse("")
              + "' of an instance whose surroundings are whole; give the kit what it needs by"
              + " context(plain)");
    }
  }

  /** Daemons of one process each have an instance; the end of one is nothing to the others. */
  @Test
  public void servesSeveralDaemonsOfOneProcess() throws Exception {
    Instance<AnonymousModule> first = opened();
    Instance<AnonymousModule> second = instance(plain("another"));
    second.open();
    use(first, random());
    first.close();
    use(second, random());
    second.close();
  }
}
