package {{package}};

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.anonymous.AnonymousModule;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Writes the time into the file {@code {{name}}} of the daemon's work directory, again and again as
 * often as the parameter {@code interval_ms} says: who looks at it sees whether the daemon lives.
 */
@Component(service = AnonymousModule.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = AnonymousModule.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "writes the time into a file as long as the daemon lives")
public final class {{class}} implements AnonymousModule {
  private ScheduledExecutorService thread;
  private volatile Optional<String> illness = Optional.empty();

  /** What is thrown here keeps the module from being used, and says why. */
  @Override
  public void open(DaemonContext context) {
    String text = context.parameters().getOrDefault("interval_ms", "1000");
    if (!text.matches("[1-9][0-9]{0,5}")) {
      throw new IllegalArgumentException(
          "the parameter 'interval_ms': '" + text + "' is no number from 1 to 999999");
    }
    Path file = context.workDir().resolve("{{name}}");
    long interval = Long.parseLong(text);
    write(file, context);
    thread = Executors.newSingleThreadScheduledExecutor();
    thread.scheduleWithFixedDelay(
        () -> write(file, context), interval, interval, TimeUnit.MILLISECONDS);
  }

  private void write(Path file, DaemonContext context) {
    try {
      Files.writeString(file, context.clock().instant() + "\n");
      illness = Optional.empty();
    } catch (IOException e) {
      illness = Optional.of("cannot write " + file + ": " + e);
    }
  }

  /** Shown to operators; asked on another thread than that which writes. */
  @Override
  public Optional<String> health() {
    return illness;
  }

  /** The successor writes already: the file stays. */
  @Override
  public void close() throws InterruptedException {
    thread.shutdownNow();
    thread.awaitTermination(5, TimeUnit.SECONDS);
  }
}
