package org.mezzo.itests.hooks;

import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;

/** Fails when it rehearses, and says on standard error when it is opened in earnest. */
public final class StageFrightHook implements Hook {
  /** What it says then. */
  public static final String OPENED = "a hook with stage fright was opened";

  @Override
  public void open(DaemonContext context) {
    if (!context.rehearsal()) {
      System.err.println(OPENED);
    }
  }

  @Override
  public void rehearse() {
    throw new IllegalStateException("stage fright");
  }
}
