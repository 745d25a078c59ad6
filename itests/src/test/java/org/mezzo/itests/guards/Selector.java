package org.mezzo.itests.guards;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Dictionary;
import org.mezzo.api.hook.Hook;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Has the masters of its process use another authorizer once its bundle is started, as {@code
 * mezzo:select} does. Goes into test bundles, which have to be modules: a hook that nobody uses.
 */
public final class Selector implements Hook, BundleActivator {
  /** The file beside this class with the name of the authorizer. */
  public static final String FILE = "org/mezzo/itests/guards/select.txt";

  private static String name() throws IOException {
    try (InputStream in = Selector.class.getResourceAsStream("select.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void start(BundleContext context) throws IOException, InvalidSyntaxException {
    ConfigurationAdmin configurations =
        context.getService(context.getServiceReference(ConfigurationAdmin.class));
    for (Configuration master :
        configurations.listConfigurations("(service.factoryPid=org.mezzo.master)")) {
      Dictionary<String, Object> flags = master.getProperties();
      flags.put("authorizers", name());
      master.update(flags);
    }
  }

  @Override
  public void stop(BundleContext context) {}
}
