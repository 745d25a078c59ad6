package org.mezzo.itests.hooks;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.hook.Hook;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Goes into test bundles: a hook and the activator of its bundle, which never returns from one of
 * its steps, so that whatever changes is held up there. Says so on standard error.
 */
public final class HoldingGuest implements Hook, BundleActivator {
  /** The file beside this class that says where, and after how many milliseconds a trial ends. */
  public static final String FILE = "org/mezzo/itests/hooks/hold.txt";

  /** A step in the life of a guest. */
  public enum Step {
    NONE,
    STARTED,
    REHEARSED,
    OPENED,
    STOPPED;

    /** What the file says to hold there. */
    public String text(long trialMillis) {
      return name() + " " + trialMillis;
    }

    /** What a guest says that holds there. */
    public String word(String version) {
      return "guest " + version + " holds where it is " + name();
    }
  }

  private static volatile String version = "";

  private static List<String> file() {
    try (InputStream in = HoldingGuest.class.getResourceAsStream("hold.txt")) {
      return List.of(new String(in.readAllBytes(), StandardCharsets.UTF_8).split(" "));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void hold(Step here) {
    if (!file().get(0).equals(here.name())) {
      return;
    }
    System.err.println(here.word(version));
    while (true) {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        continue;
      }
    }
  }

  @Override
  public void start(BundleContext context) throws IOException {
    version = context.getBundle().getVersion().toString();
    ServiceReference<ConfigurationAdmin> service =
        context.getServiceReference(ConfigurationAdmin.class);
    context
        .getService(service)
        .getConfiguration("org.mezzo.deployment", "?")
        .update(new Hashtable<>(Map.of("trialMillis", Long.valueOf(file().get(1)))));
    hold(Step.STARTED);
  }

  @Override
  public void stop(BundleContext context) {
    hold(Step.STOPPED);
  }

  @Override
  public void open(DaemonContext context) {
    hold(context.rehearsal() ? Step.REHEARSED : Step.OPENED);
  }
}
