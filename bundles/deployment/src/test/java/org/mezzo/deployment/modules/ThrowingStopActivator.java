package org.mezzo.deployment.modules;

import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Goes into test bundles. */
public final class ThrowingStopActivator implements BundleActivator {
  @Override
  public void start(BundleContext context) {}

  @Override
  public void stop(BundleContext context) {
    throw new IllegalStateException("no wish to stop");
  }
}
