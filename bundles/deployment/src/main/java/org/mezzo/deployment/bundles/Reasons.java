package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.util.Collection;
import org.mezzo.files.FileFailure;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/** Says in plain words why a bundle does not run. */
final class Reasons {
  private Reasons() {}

  /**
   * Why a bundle could not be started.
   *
   * @param providers that may give it what it needs
   */
  static String notStarted(Collection<Bundle> providers, Bundle bundle, BundleException failure) {
    return bundle.getState() == Bundle.INSTALLED
        ? notResolved(providers, bundle, plain(failure))
        : "it cannot be started: " + plain(failure);
  }

  /**
   * Why a bundle could not be resolved.
   *
   * @param providers that may give it what it needs
   * @param otherwise what to say when each thing that it needs is there
   */
  static String notResolved(Collection<Bundle> providers, Bundle bundle, String otherwise) {
    return "it cannot be resolved: " + Requirements.missing(providers, bundle, otherwise);
  }

  /** The bundle as logs name it. */
  static String name(Bundle bundle) {
    return bundle.getSymbolicName() + " " + bundle.getVersion();
  }

  /** What the framework wraps. */
  static Throwable innermost(Exception e) {
    Throwable cause = e;
    while (cause instanceof BundleException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /** What the innermost failure says. */
  static String plain(Exception e) {
    Throwable cause = innermost(e);
    if (cause instanceof IOException failure) {
      return FileFailure.reason(failure);
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }
}
