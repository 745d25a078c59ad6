package org.apache.mesos;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.mezzo.driver.leaders.Leaders;
import org.mezzo.driver.schedulers.Calls;
import org.mezzo.driver.schedulers.Framework;
import org.mezzo.driver.sessions.Client;
import org.mezzo.driver.sessions.Environment;
import org.mezzo.driver.sessions.Session;
import org.mezzo.driver.sessions.Tls;
import org.mezzo.driver.wire.MessageReader;
import org.mezzo.driver.wire.MessageWriter;

/**
 * Connects a scheduler with the leading master, by the v1 scheduler API over HTTP and with nothing
 * native. Callbacks are made one after the other on one daemon thread and under no lock; one that
 * throws aborts the driver. Thread-safe.
 *
 * <p>Other than the driver of Mesos it sends messages to executors by way of the master, and an
 * aborted one leaves its framework to the failover timeout as one that went away.
 */
public class MesosSchedulerDriver implements SchedulerDriver {
  private static final Logger LOG = Logger.getLogger(MesosSchedulerDriver.class.getName());
  private static final String PATH = "/api/v1/scheduler";

  private static final int TASK_LOST = 5;
  private static final int TASK_DROPPED = 9;
  private static final int SOURCE_MASTER = 0;
  private static final int REASON_MASTER_DISCONNECTED = 7;
  private static final int LAUNCH = 1;
  private static final int LAUNCH_GROUP = 6;

  private final Scheduler scheduler;
  private final Protos.FrameworkInfo info;
  private final Collection<String> suppressedRoles;
  private final String master;
  private final boolean implicitAcknowledgements;
  private final Optional<Protos.Credential> credential;

  private final Course course = new Course("master", this::error);
  private volatile Optional<Framework> framework = Optional.empty();

  // Of the thread of callbacks.
  private boolean registered;
  private boolean everRegistered;

  /** As below, with status updates acknowledged when their callback returns. */
  public MesosSchedulerDriver(Scheduler scheduler, Protos.FrameworkInfo framework, String master) {
    this(scheduler, framework, master, true);
  }

  /** As below, with status updates acknowledged when their callback returns. */
  public MesosSchedulerDriver(
      Scheduler scheduler,
      Protos.FrameworkInfo framework,
      String master,
      Protos.Credential credential) {
    this(scheduler, framework, master, true, credential);
  }

  /** As below, without a credential. */
  public MesosSchedulerDriver(
      Scheduler scheduler,
      Protos.FrameworkInfo framework,
      String master,
      boolean implicitAcknowledgements) {
    this(scheduler, framework, Collections.emptyList(), master, implicitAcknowledgements);
  }

  /** As below, with offers for all roles. */
  public MesosSchedulerDriver(
      Scheduler scheduler,
      Protos.FrameworkInfo framework,
      String master,
      boolean implicitAcknowledgements,
      Protos.Credential credential) {
    this(
        scheduler,
        framework,
        Collections.emptyList(),
        master,
        implicitAcknowledgements,
        credential);
  }

  /** As below, without a credential. */
  public MesosSchedulerDriver(
      Scheduler scheduler,
      Protos.FrameworkInfo framework,
      Collection<String> suppressedRoles,
      String master,
      boolean implicitAcknowledgements) {
    this(scheduler, framework, suppressedRoles, master, implicitAcknowledgements, Optional.empty());
  }

  /**
   * One that is not started.
   *
   * @param framework with the id it had, if it takes over from another driver
   * @param suppressedRoles that it wants no offers for until it revives them
   * @param master {@code host:port}, {@code zk://host:port,.../path} or {@code file://path}
   * @param implicitAcknowledgements whether status updates are acknowledged when their callback
   *     returns, not by {@link #acknowledgeStatusUpdate}
   * @param credential sent by HTTP basic authentication
   */
  public MesosSchedulerDriver(
      Scheduler scheduler,
      Protos.FrameworkInfo framework,
      Collection<String> suppressedRoles,
      String master,
      boolean implicitAcknowledgements,
      Protos.Credential credential) {
    this(
        scheduler,
        framework,
        suppressedRoles,
        master,
        implicitAcknowledgements,
        Optional.of(credential));
  }

  private MesosSchedulerDriver(
      Scheduler scheduler,
      Protos.FrameworkInfo framework,
      Collection<String> suppressedRoles,
      String master,
      boolean implicitAcknowledgements,
      Optional<Protos.Credential> credential) {
    this.scheduler = present(scheduler, "scheduler");
    this.info = present(framework, "framework");
    this.suppressedRoles = new ArrayList<>(present(suppressedRoles, "suppressedRoles"));
    this.master = present(master, "master");
    this.implicitAcknowledgements = implicitAcknowledgements;
    this.credential = credential;
  }

  private static <T> T present(T argument, String name) {
    if (argument == null) {
      throw new NullPointerException("Not expecting a null " + name);
    }
    return argument;
  }

  // The driver's own course.

  @Override
  public Protos.Status start() {
    return course.start(
        () -> open(System.getenv()), "The driver cannot start with the master '" + shown() + "': ");
  }

  private void error(String message) {
    scheduler.error(this, message);
  }

  /** The master without what lets one in. */
  private String shown() {
    return master.replaceFirst("^(zk://)[^/]*@", "$1");
  }

  private Session open(Map<String, String> environment) throws IOException {
    Environment.tellIgnored(environment);
    Tls tls = Tls.of(environment);
    Map<String, String> headers = Collections.emptyMap();
    if (credential.isPresent()) {
      headers = Environment.authorization(credential.get().toByteArray());
    }
    framework =
        Optional.of(
            new Framework(
                info.toByteArray(), suppressedRoles, Environment.user(), Environment.hostname()));
    return new Session(PATH, Leaders.of(master, tls.scheme()), tls, headers, new Callbacks());
  }

  @Override
  public Protos.Status stop() {
    return stop(false);
  }

  @Override
  public Protos.Status stop(boolean failover) {
    return course.stop(
        session -> {
          if (!failover) {
            id().ifPresent(id -> session.send(Calls.teardown(id)));
          }
        });
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

  private Optional<byte[]> id() {
    return framework.flatMap(Framework::id);
  }

  // Calls.

  /** Makes a call of the framework's id. */
  private interface Call {
    byte[] of(byte[] frameworkId) throws IOException;
  }

  /** Sends a call if there is a master to send it to; without one the call is dropped. */
  private Protos.Status send(String name, Call call) {
    return send(name, call, () -> {});
  }

  private Protos.Status send(String name, Call call, Runnable otherwise) {
    Protos.Status now = course.status();
    if (now != Protos.Status.DRIVER_RUNNING) {
      return now;
    }
    Optional<byte[]> id = id();
    try {
      if (!id.isPresent() || !course.session().send(call.of(id.get()))) {
        LOG.log(Level.WARNING, "{0} is dropped: no master is connected", name);
        otherwise.run();
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, name + " is dropped", e);
    }
    return now;
  }

  private interface Encoding<T> {
    byte[] of(T message);
  }

  private static <T> List<byte[]> encoded(Collection<? extends T> messages, Encoding<T> encoding) {
    List<byte[]> encoded = new ArrayList<>();
    for (T message : messages) {
      encoded.add(encoding.of(message));
    }
    return encoded;
  }

  @Override
  public Protos.Status requestResources(Collection<Protos.Request> requests) {
    List<byte[]> encoded = encoded(requests, (Protos.Request it) -> it.toByteArray());
    return send("requestResources", id -> Calls.request(id, encoded));
  }

  @Override
  public Protos.Status launchTasks(
      Protos.OfferID offerId, Collection<Protos.TaskInfo> tasks, Protos.Filters filters) {
    return launchTasks(Collections.singleton(offerId), tasks, filters);
  }

  @Override
  public Protos.Status launchTasks(Protos.OfferID offerId, Collection<Protos.TaskInfo> tasks) {
    return launchTasks(offerId, tasks, noFilters());
  }

  @Override
  public Protos.Status launchTasks(
      Collection<Protos.OfferID> offerIds, Collection<Protos.TaskInfo> tasks) {
    return launchTasks(offerIds, tasks, noFilters());
  }

  @Override
  public Protos.Status launchTasks(
      Collection<Protos.OfferID> offerIds,
      Collection<Protos.TaskInfo> tasks,
      Protos.Filters filters) {
    List<byte[]> encoded = encoded(tasks, (Protos.TaskInfo it) -> it.toByteArray());
    return accept(
        "launchTasks",
        offerIds,
        Collections.singletonList(Calls.launch(encoded)),
        filters.toByteArray());
  }

  @Override
  public Protos.Status acceptOffers(
      Collection<Protos.OfferID> offerIds,
      Collection<Protos.Offer.Operation> operations,
      Protos.Filters filters) {
    return accept(
        "acceptOffers",
        offerIds,
        encoded(operations, (Protos.Offer.Operation it) -> it.toByteArray()),
        filters.toByteArray());
  }

  private Protos.Status accept(
      String name, Collection<Protos.OfferID> offerIds, List<byte[]> operations, byte[] filters) {
    List<byte[]> offers = encoded(offerIds, (Protos.OfferID it) -> it.toByteArray());
    return send(name, id -> Calls.accept(id, offers, operations, filters), () -> drop(operations));
  }

  private static Protos.Filters noFilters() {
    return Protos.Filters.newBuilder().build();
  }

  /** Says of tasks that no master was there to launch that they are lost. */
  private void drop(List<byte[]> operations) {
    try {
      for (byte[] each : operations) {
        MessageReader operation = new MessageReader(each);
        List<byte[]> tasks = Collections.emptyList();
        if (operation.number(1, 0) == LAUNCH) {
          tasks = operation.message(2).all(1);
        } else if (operation.number(1, 0) == LAUNCH_GROUP) {
          tasks = operation.message(7).message(2).all(1);
        }
        for (byte[] task : tasks) {
          byte[] lost = lost(new MessageReader(task));
          course.session().callback(() -> course.callBack(() -> update(lost)));
        }
      }
    } catch (IOException e) {
      throw new IllegalArgumentException("an operation that cannot be read", e);
    }
  }

  private byte[] lost(MessageReader task) throws IOException {
    boolean partitionAware = framework.get().partitionAware();
    MessageWriter lost =
        new MessageWriter()
            .bytes(1, task.required(2))
            .number(2, partitionAware ? TASK_DROPPED : TASK_LOST)
            .text(4, "Master disconnected")
            .real(6, System.currentTimeMillis() / 1000.0)
            .number(9, SOURCE_MASTER)
            .number(10, REASON_MASTER_DISCONNECTED);
    task.bytes(3).ifPresent(agent -> lost.bytes(5, agent));
    return lost.toBytes();
  }

  @Override
  public Protos.Status declineOffer(Protos.OfferID offerId) {
    return declineOffer(offerId, noFilters());
  }

  @Override
  public Protos.Status declineOffer(Protos.OfferID offerId, Protos.Filters filters) {
    List<byte[]> offers = Collections.singletonList(offerId.toByteArray());
    return send("declineOffer", id -> Calls.decline(id, offers, filters.toByteArray()));
  }

  @Override
  public Protos.Status reviveOffers() {
    return reviveOffers(Collections.emptyList());
  }

  @Override
  public Protos.Status reviveOffers(Collection<String> roles) {
    framework.ifPresent(it -> it.revive(roles));
    return send("reviveOffers", id -> Calls.revive(id, roles));
  }

  @Override
  public Protos.Status suppressOffers() {
    return suppressOffers(Collections.emptyList());
  }

  @Override
  public Protos.Status suppressOffers(Collection<String> roles) {
    framework.ifPresent(it -> it.suppress(roles));
    return send("suppressOffers", id -> Calls.suppress(id, roles));
  }

  @Override
  public Protos.Status killTask(Protos.TaskID taskId) {
    return send("killTask", id -> Calls.kill(id, taskId.toByteArray()));
  }

  /** Does nothing for a status without a {@code uuid}, which nobody waits to be acknowledged. */
  @Override
  public Protos.Status acknowledgeStatusUpdate(Protos.TaskStatus acknowledged) {
    if (implicitAcknowledgements) {
      throw new IllegalStateException(
          "Cannot call acknowledgeStatusUpdate: this driver acknowledges when statusUpdate"
              + " returns; make it with implicitAcknowledgements false");
    }
    byte[] encoded = acknowledged.toByteArray();
    try {
      acknowledge(new MessageReader(encoded));
    } catch (IOException e) {
      throw new IllegalArgumentException("a status that cannot be read", e);
    }
    return course.status();
  }

  private void acknowledge(MessageReader update) throws IOException {
    Optional<byte[]> uuid = update.bytes(11).filter(it -> it.length > 0);
    Optional<byte[]> agent = update.bytes(5);
    if (uuid.isPresent() && agent.isPresent()) {
      byte[] task = update.required(1);
      send("acknowledgement", id -> Calls.acknowledge(id, agent.get(), task, uuid.get()));
    }
  }

  @Override
  public Protos.Status sendFrameworkMessage(
      Protos.ExecutorID executorId, Protos.SlaveID slaveId, byte[] data) {
    return send(
        "sendFrameworkMessage",
        id -> Calls.message(id, slaveId.toByteArray(), executorId.toByteArray(), data));
  }

  @Override
  public Protos.Status reconcileTasks(Collection<Protos.TaskStatus> statuses) {
    List<byte[]> tasks = new ArrayList<>();
    try {
      for (Protos.TaskStatus each : statuses) {
        MessageReader read = new MessageReader(each.toByteArray());
        tasks.add(Calls.task(read.required(1), read.bytes(5)));
      }
    } catch (IOException e) {
      throw new IllegalArgumentException("a status that cannot be read", e);
    }
    return send("reconcileTasks", id -> Calls.reconcile(id, tasks));
  }

  @Override
  public Protos.Status updateFramework(
      Protos.FrameworkInfo changed, Collection<String> suppressed) {
    return update(changed, suppressed, Optional.empty());
  }

  @Override
  public Protos.Status updateFramework(
      Protos.FrameworkInfo changed,
      Collection<String> suppressed,
      org.apache.mesos.scheduler.Protos.OfferConstraints constraints) {
    return update(changed, suppressed, Optional.of(constraints.toByteArray()));
  }

  private Protos.Status update(
      Protos.FrameworkInfo changed, Collection<String> suppressed, Optional<byte[]> constraints) {
    return send(
        "updateFramework",
        id -> framework.get().update(changed.toByteArray(), suppressed, constraints));
  }

  // Callbacks.

  private void update(byte[] encoded) throws IOException {
    scheduler.statusUpdate(this, Protos.TaskStatus.parseFrom(encoded));
    if (implicitAcknowledgements && course.isRunning()) {
      acknowledge(new MessageReader(encoded));
    }
  }

  /** What comes from the session becomes callbacks. */
  private final class Callbacks implements Client {
    @Override
    public void connected() {
      course.session().subscribe(framework.get().subscribe());
    }

    @Override
    public void disconnected() {
      if (registered) {
        registered = false;
        course.callBack(() -> scheduler.disconnected(MesosSchedulerDriver.this));
      }
    }

    @Override
    public void refused(int code, String message) {
      course.fail(
          code == 401
              ? message
                  + " (status 401). The credential that the driver was made with was not taken;"
                  + " the master's --credentials or its authenticator have to know it"
              : message + " (status " + code + ")");
    }

    @Override
    public void received(byte[] encoded) {
      course.callBack(() -> received(new MessageReader(encoded)));
    }

    private void received(MessageReader event) throws IOException {
      SchedulerDriver driver = MesosSchedulerDriver.this;
      switch ((int) event.number(1, 0)) {
        case 1:
          subscribed(event.message(2));
          break;
        case 2:
          List<Protos.Offer> offers = new ArrayList<>();
          for (byte[] offer : event.message(3).all(1)) {
            offers.add(Protos.Offer.parseFrom(offer));
          }
          scheduler.resourceOffers(driver, offers);
          break;
        case 3:
          scheduler.offerRescinded(driver, Protos.OfferID.parseFrom(event.message(4).required(1)));
          break;
        case 4:
          update(event.message(5).required(1));
          break;
        case 5:
          MessageReader message = event.message(6);
          scheduler.frameworkMessage(
              driver,
              Protos.ExecutorID.parseFrom(message.required(2)),
              Protos.SlaveID.parseFrom(message.required(1)),
              message.required(3));
          break;
        case 6:
          lost(event.message(7));
          break;
        case 7:
          course.fail(event.message(8).text(1).orElse("The master ended the framework"));
          break;
        default:
          // Heartbeats, and what schedulers of v0 know nothing of.
          break;
      }
    }

    private void subscribed(MessageReader event) throws IOException {
      byte[] id = event.required(1);
      framework.get().id(id);
      registered = true;
      Protos.MasterInfo leader = Protos.MasterInfo.parseFrom(event.required(3));
      if (everRegistered) {
        scheduler.reregistered(MesosSchedulerDriver.this, leader);
      } else {
        everRegistered = true;
        scheduler.registered(MesosSchedulerDriver.this, Protos.FrameworkID.parseFrom(id), leader);
      }
    }

    private void lost(MessageReader failure) throws IOException {
      Protos.SlaveID agent = Protos.SlaveID.parseFrom(failure.required(1));
      Optional<byte[]> executor = failure.bytes(2);
      if (executor.isPresent()) {
        scheduler.executorLost(
            MesosSchedulerDriver.this,
            Protos.ExecutorID.parseFrom(executor.get()),
            agent,
            (int) failure.number(3, 0));
      } else {
        scheduler.slaveLost(MesosSchedulerDriver.this, agent);
      }
    }
  }
}
