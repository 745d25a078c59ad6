package org.mezzo.itests.hooks;

import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;

/** Goes into test bundles. */
public final class RefusingHook implements Hook {
  @Override
  public void open(DaemonContext context) {
    throw new IllegalStateException("not in the mood");
  }
}
