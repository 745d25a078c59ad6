package org.mezzo.itests.hooks;

import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Goes into test bundles: never returns from being started. */
public final class HangingActivator implements BundleActivator {
  @Override
  public void start(BundleContext context) {
    while (true) {
      try {
        Thread.sleep(Long.MAX_VALUE);
      } catch (InterruptedException e) {
        continue;
      }
    }
  }

  @Override
  public void stop(BundleContext context) {}
}
