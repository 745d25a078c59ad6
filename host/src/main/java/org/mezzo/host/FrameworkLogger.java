package org.mezzo.host;

import org.apache.felix.framework.Logger;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceReference;
import org.slf4j.LoggerFactory;

/** Takes what the framework itself has to say into the host's log. */
final class FrameworkLogger extends Logger {
  private static final org.slf4j.Logger LOG = LoggerFactory.getLogger("org.apache.felix.framework");

  FrameworkLogger() {
    setLogLevel(LOG_WARNING);
  }

  @Override
  protected void doLog(
      Bundle bundle, ServiceReference reference, int level, String message, Throwable throwable) {
    doLog(level, bundle == null ? message : bundle + ": " + message, throwable);
  }

  @Override
  protected void doLog(int level, String message, Throwable throwable) {
    if (level == LOG_ERROR) {
      LOG.error("{}", message, throwable);
    } else if (level == LOG_WARNING) {
      LOG.warn("{}", message, throwable);
    } else {
      LOG.debug("{}", message, throwable);
    }
  }
}
