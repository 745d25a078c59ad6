package org.mezzo.itests.hooks;

import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Goes into test bundles: ends the process when it is started. */
public final class ExitingActivator implements BundleActivator {
  @Override
  public void start(BundleContext context) {
    System.exit(7);
  }

  @Override
  public void stop(BundleContext context) {}
}
