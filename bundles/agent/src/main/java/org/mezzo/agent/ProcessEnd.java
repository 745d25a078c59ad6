package org.mezzo.agent;

import java.io.IOException;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends the process with a daemon that is all it is there for. Safe for any thread. */
@Component(service = ProcessEnd.class)
public final class ProcessEnd {
  private static final Logger LOG = LoggerFactory.getLogger(ProcessEnd.class);
  private static final String DAEMONS =
      "(|(service.factoryPid=" + AgentDaemon.PID + ")(service.factoryPid=org.mezzo.master))";

  private final BundleContext bundles;
  private final ConfigurationAdmin configurations;

  @Activate
  public ProcessEnd(BundleContext bundles, @Reference ConfigurationAdmin configurations) {
    this.bundles = bundles;
    this.configurations = configurations;
  }

  /**
   * Stops the framework, unless the process has another daemon than the one that has ended.
   *
   * @throws IOException when the daemons cannot be counted
   * @throws BundleException when the framework does not stop
   */
  void endWithOnlyDaemon() throws IOException, BundleException {
    Configuration[] daemons;
    try {
      daemons = configurations.listConfigurations(DAEMONS);
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
    if (daemons == null || daemons.length <= 1) {
      LOG.info("The process ends with its only daemon");
      bundles.getBundle(0).stop();
    }
  }
}
