package org.mezzo.deployment.modules;

import java.util.concurrent.CountDownLatch;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Goes into test bundles. */
public final class HangingStopActivator implements BundleActivator {
  @Override
  public void start(BundleContext context) {}

  @Override
  public void stop(BundleContext context) throws InterruptedException {
    new CountDownLatch(1).await();
  }
}
