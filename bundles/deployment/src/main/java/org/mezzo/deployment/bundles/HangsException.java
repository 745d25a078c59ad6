package org.mezzo.deployment.bundles;

import org.osgi.framework.BundleException;

/** A bundle did not return from being started or stopped; it is out of anybody's control. */
final class HangsException extends BundleException {
  private static final long serialVersionUID = 1L;

  HangsException(String message) {
    super(message);
  }
}
