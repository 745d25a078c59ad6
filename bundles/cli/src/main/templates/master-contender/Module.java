package {{package}};

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.Sink;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * That master leads which holds the lock on the file that the parameter {@code file} names, and
 * writes its id there. Whoever dies loses it. For masters of one machine.
 */
@Component(service = MasterContender.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = MasterContender.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "stands for election by the lock on a file")
public final class {{class}} implements MasterContender {
  private static final int LOOK_MILLIS = 200;

  private Path file;
  private ScheduledExecutorService thread;
  private volatile Optional<String> illness = Optional.empty();

  // What is below is guarded by this: the thread that looks is none of those that call.

  private Sink<Standing> standings;
  private Optional<MasterInfo> self = Optional.empty();
  private Optional<FileLock> lock = Optional.empty();
  private String told = "";

  /** What is thrown here keeps the module from being used, and says why. */
  @Override
  public void open(DaemonContext context) {
    String text = context.parameters().get("file");
    if (text == null || !Path.of(text).isAbsolute()) {
      throw new IllegalArgumentException(
          "the parameter 'file' must be the absolute path of the file whose lock the leader holds");
    }
    file = Path.of(text);
  }

  /** A sink may be used by any thread, for as long as the instance is open. */
  @Override
  public synchronized void report(Sink<Standing> sink) {
    standings = sink;
    thread = Executors.newSingleThreadScheduledExecutor();
    thread.scheduleWithFixedDelay(this::look, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Stands from now on, until it leaves. That it stands already is no mistake. */
  @Override
  public synchronized void enter(MasterInfo master) {
    if (self.isEmpty()) {
      self = Optional.of(master);
      told = "";
    }
  }

  private synchronized void look() {
    if (self.isEmpty() || lock.isPresent()) {
      return;
    }
    try {
      lock = lock();
      illness = Optional.empty();
      if (lock.isPresent()) {
        Files.writeString(file, self.get().getId());
        standings.report(Standing.leads());
        return;
      }
      // Its own id is there when the instance before this one has led.
      String leader = Files.readString(file);
      if (!leader.equals(told) && !leader.equals(self.get().getId())) {
        standings.report(Standing.follows(leader + " leads"));
        told = leader;
      }
    } catch (IOException e) {
      illness = Optional.of("cannot lock " + file + ": " + e.getMessage());
    }
  }

  private Optional<FileLock> lock() throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock taken = null;
    try {
      taken = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // Another master of this process has it.
    } finally {
      if (taken == null) {
        channel.close();
      }
    }
    return Optional.ofNullable(taken);
  }

  /** Another one may lead when this has returned. */
  @Override
  public synchronized void leave() throws IOException {
    self = Optional.empty();
    if (lock.isPresent()) {
      lock.get().acquiredBy().close();
      lock = Optional.empty();
    }
  }

  /** Shown to operators; asked on another thread than that which looks. */
  @Override
  public Optional<String> health() {
    return illness;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    leave();
    if (thread != null) {
      thread.shutdownNow();
      thread.awaitTermination(5, TimeUnit.SECONDS);
    }
  }
}
