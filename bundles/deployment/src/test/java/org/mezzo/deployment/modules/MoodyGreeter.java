package org.mezzo.deployment.modules;

import org.mezzo.api.DaemonContext;
import org.mezzo.deployment.greeting.Greeter;

/** Rehearses well once it is in the mood, which a system property says. */
public final class MoodyGreeter implements Greeter {
  /** Set when it is. */
  public static final String MOOD = "mezzo.deployment.test.mood";

  private static boolean rehearsedWell;

  @Override
  public void open(DaemonContext context) {
    if (!context.rehearsal() && !rehearsedWell) {
      throw new IllegalStateException("opened though it never rehearsed well");
    }
  }

  @Override
  public void rehearse() {
    rehearsedWell = System.getProperty(MOOD) != null;
    if (!rehearsedWell) {
      throw new IllegalStateException("not in the mood");
    }
  }

  @Override
  public String greet(String name) {
    return "Hm, " + name;
  }
}
