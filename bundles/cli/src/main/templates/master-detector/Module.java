package {{package}};

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.Sink;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Says that the master leads whose {@code host:port} is in the file that the parameter {@code file}
 * names, and nobody while that is empty.
 */
@Component(service = MasterDetector.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = MasterDetector.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "reads which master leads from a file")
public final class {{class}} implements MasterDetector {
  private static final int LOOK_MILLIS = 500;

  private Path file;
  private ScheduledExecutorService thread;
  private String last;
  private volatile Optional<String> illness = Optional.empty();

  /** What is thrown here keeps the module from being used, and says why. */
  @Override
  public void open(DaemonContext context) {
    String text = context.parameters().get("file");
    if (text == null || !Path.of(text).isAbsolute()) {
      throw new IllegalArgumentException(
          "the parameter 'file' must be the absolute path of the file that names the leader");
    }
    file = Path.of(text);
  }

  /** A sink may be used by any thread, for as long as the instance is open. */
  @Override
  public void detect(Sink<Optional<MasterInfo>> leaders) {
    thread = Executors.newSingleThreadScheduledExecutor();
    thread.scheduleWithFixedDelay(() -> look(leaders), 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void look(Sink<Optional<MasterInfo>> leaders) {
    try {
      String text = Files.readString(file).strip();
      if (!text.equals(last)) {
        leaders.report(text.isEmpty() ? Optional.empty() : Optional.of(master(text)));
        last = text;
      }
      illness = Optional.empty();
    } catch (NoSuchFileException e) {
      // Nothing is known, which is not the same as that nobody leads.
      illness = Optional.of("there is no " + file);
    } catch (IOException | IllegalArgumentException e) {
      illness = Optional.of("cannot read a leader from " + file + ": " + e.getMessage());
    }
  }

  /** The description of a master; without an id it is told from others by its place alone. */
  private static MasterInfo master(String text) {
    if (!text.matches("[A-Za-z0-9._-]{1,253}:[1-9][0-9]{0,4}")) {
      throw new IllegalArgumentException("'" + text + "' is not of the form host:port");
    }
    int colon = text.indexOf(':');
    return MasterInfo.newBuilder()
        .setId("")
        .setIp(0)
        .setHostname(text.substring(0, colon))
        .setPort(Integer.parseInt(text.substring(colon + 1)))
        .build();
  }

  /** Shown to operators; asked on another thread than that which looks. */
  @Override
  public Optional<String> health() {
    return illness;
  }

  @Override
  public void close() throws InterruptedException {
    if (thread != null) {
      thread.shutdownNow();
      thread.awaitTermination(5, TimeUnit.SECONDS);
    }
  }
}
