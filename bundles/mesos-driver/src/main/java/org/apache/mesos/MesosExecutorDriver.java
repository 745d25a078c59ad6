package org.apache.mesos;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Timer;
import java.util.TimerTask;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.mezzo.driver.executors.Outbox;
import org.mezzo.driver.executors.Surroundings;
import org.mezzo.driver.leaders.Leaders;
import org.mezzo.driver.sessions.Client;
import org.mezzo.driver.sessions.Environment;
import org.mezzo.driver.sessions.Session;
import org.mezzo.driver.sessions.Tls;
import org.mezzo.driver.wire.MessageReader;

/**
 * Connects an executor with the agent that started it, by the v1 executor API over HTTP and with
 * nothing native. Callbacks are made one after the other on one daemon thread and under no lock;
 * one that throws aborts the driver. Thread-safe.
 *
 * <p>The process ends by force when the grace period after a shutdown is over, also where the
 * shutdown is because the agent has not come back in time.
 */
public class MesosExecutorDriver implements ExecutorDriver {
  private static final Logger LOG = Logger.getLogger(MesosExecutorDriver.class.getName());
  private static final String PATH = "/api/v1/executor";
  private static final int TASK_STAGING = 6;

  private final Executor executor;
  private final Course course = new Course("agent", this::error);
  private volatile Optional<Surroundings> surroundings = Optional.empty();
  private volatile Optional<Outbox> outbox = Optional.empty();

  /** Held while updates are put in their order. */
  private final Object updates = new Object();

  /** Whether the agent has been told what it did not know, and updates can follow. */
  private boolean told;

  // Of the thread of callbacks.
  private boolean everRegistered;
  private Optional<Timer> recovery = Optional.empty();

  /** One that is not started. */
  public MesosExecutorDriver(Executor executor) {
    if (executor == null) {
      throw new NullPointerException("Not expecting a null executor");
    }
    this.executor = executor;
  }

  @Override
  public Protos.Status start() {
    return start(System.getenv());
  }

  Protos.Status start(Map<String, String> environment) {
    return course.start(() -> open(environment), "");
  }

  private void error(String message) {
    executor.error(this, message);
  }

  private Session open(Map<String, String> environment) {
    Environment.tellIgnored(environment);
    Tls tls = Tls.of(environment);
    Surroundings read = Surroundings.of(environment);
    surroundings = Optional.of(read);
    outbox = Optional.of(new Outbox(read));
    return new Session(
        PATH, Leaders.of(read.agent(), tls.scheme()), tls, read.authorization(), new Callbacks());
  }

  /** Waits a little for what was said to get to the agent. */
  @Override
  public Protos.Status stop() {
    return course.stop(session -> {});
  }

  @Override
  public Protos.Status abort() {
    return course.abort();
  }

  @Override
  public Protos.Status join() {
    return course.join();
  }

  @Override
  public Protos.Status run() {
    Protos.Status started = start();
    return started == Protos.Status.DRIVER_RUNNING ? join() : started;
  }

  /** One of TASK_STAGING, which is the master's to say, aborts the driver. */
  @Override
  public Protos.Status sendStatusUpdate(Protos.TaskStatus update) {
    Protos.Status now = course.status();
    if (now != Protos.Status.DRIVER_RUNNING) {
      return now;
    }
    byte[] encoded = update.toByteArray();
    try {
      if (Outbox.state(encoded).filter(it -> it == TASK_STAGING).isPresent()) {
        course
            .session()
            .callback(
                () -> course.fail("Executor is not allowed to send TASK_STAGING status updates"));
        return now;
      }
      synchronized (updates) {
        byte[] kept = outbox.get().keep(encoded);
        // What waits for the agent to come back is told then, in its order.
        if (told) {
          course.session().send(outbox.get().update(kept));
        }
      }
      return now;
    } catch (IOException e) {
      throw new IllegalArgumentException("a status that cannot be read", e);
    }
  }

  @Override
  public Protos.Status sendFrameworkMessage(byte[] data) {
    Protos.Status now = course.status();
    if (now != Protos.Status.DRIVER_RUNNING) {
      return now;
    }
    if (!course.session().send(outbox.get().message(data))) {
      LOG.warning("sendFrameworkMessage is dropped: the agent is not connected");
    }
    return now;
  }

  // Callbacks.

  /** Has the executor shut down, and sees to it that it does. */
  private void shutdown() {
    long graceMs = surroundings.get().graceMs();
    new Timer("mezzo-driver-grace", true)
        .schedule(
            new TimerTask() {
              @Override
              public void run() {
                LOG.severe(
                    "The executor is still here " + graceMs + " ms after its shutdown; ending it");
                exit();
              }
            },
            graceMs);
    executor.shutdown(this);
    abort();
  }

  /** Ends the process, whatever hooks it has. */
  void exit() {
    Runtime.getRuntime().halt(1);
  }

  /** What comes from the session becomes callbacks. */
  private final class Callbacks implements Client {
    @Override
    public void connected() {
      course.session().subscribe(outbox.get().subscribe());
    }

    @Override
    public void disconnected() {
      boolean was;
      synchronized (updates) {
        was = told;
        told = false;
      }
      if (!was) {
        return;
      }
      course.callBack(() -> executor.disconnected(MesosExecutorDriver.this));
      if (!course.isRunning()) {
        return;
      }
      if (!surroundings.get().checkpoint()) {
        LOG.warning("The agent is gone, and its framework does not checkpoint: shutting down");
        course.callBack(MesosExecutorDriver.this::shutdown);
        return;
      }
      long limitMs = surroundings.get().recoveryMs();
      Timer timer = new Timer("mezzo-driver-recovery", true);
      recovery = Optional.of(timer);
      timer.schedule(
          new TimerTask() {
            @Override
            public void run() {
              course.session().callback(() -> notRecovered(timer, limitMs));
            }
          },
          limitMs);
    }

    private void notRecovered(Timer timer, long limitMs) {
      if (recovery.filter(it -> it == timer).isPresent()) {
        LOG.log(Level.WARNING, "The agent has not come back within {0} ms: shutting down", limitMs);
        course.callBack(MesosExecutorDriver.this::shutdown);
      }
    }

    @Override
    public void refused(int code, String message) {
      course.fail(message + " (status " + code + ")");
    }

    @Override
    public void received(byte[] encoded) {
      course.callBack(() -> received(new MessageReader(encoded)));
    }

    private void received(MessageReader event) throws IOException {
      ExecutorDriver driver = MesosExecutorDriver.this;
      switch ((int) event.number(1, 0)) {
        case 1:
          subscribed(event.message(2));
          break;
        case 2:
          byte[] task = event.message(4).required(1);
          outbox.get().launched(task);
          executor.launchTask(driver, Protos.TaskInfo.parseFrom(task));
          break;
        case 3:
          executor.killTask(driver, Protos.TaskID.parseFrom(event.message(5).required(1)));
          break;
        case 4:
          MessageReader acknowledged = event.message(3);
          outbox.get().acknowledged(acknowledged.required(1), acknowledged.required(2));
          break;
        case 5:
          executor.frameworkMessage(driver, event.message(6).required(1));
          break;
        case 6:
          course.fail(event.message(7).text(1).orElse("The agent ended the executor"));
          break;
        case 7:
          shutdown();
          break;
        case 8:
          course.fail(
              "A task group came, which executors of this driver cannot run; use the v1 API");
          break;
        default:
          // Heartbeats.
          break;
      }
    }

    private void subscribed(MessageReader event) throws IOException {
      recovery.ifPresent(Timer::cancel);
      recovery = Optional.empty();
      synchronized (updates) {
        // Some of these came with the subscription; the agent knows them by their uuid.
        List<byte[]> kept = outbox.get().kept();
        for (byte[] each : kept) {
          course.session().send(outbox.get().update(each));
        }
        told = true;
      }
      Protos.SlaveInfo agent = Protos.SlaveInfo.parseFrom(event.required(3));
      if (everRegistered) {
        executor.reregistered(MesosExecutorDriver.this, agent);
      } else {
        everRegistered = true;
        executor.registered(
            MesosExecutorDriver.this,
            Protos.ExecutorInfo.parseFrom(event.required(1)),
            Protos.FrameworkInfo.parseFrom(event.required(2)),
            agent);
      }
    }
  }
}
