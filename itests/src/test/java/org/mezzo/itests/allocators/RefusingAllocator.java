package org.mezzo.itests.allocators;

import org.mezzo.api.DaemonContext;

/** Cannot be opened. Goes into test bundles. */
public final class RefusingAllocator extends IdleAllocator {
  @Override
  public void open(DaemonContext context) {
    throw new IllegalStateException("no lease wanted");
  }
}
