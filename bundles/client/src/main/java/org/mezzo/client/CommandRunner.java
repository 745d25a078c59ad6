package org.mezzo.client;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.Environment;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.URL;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one shell command on the cluster, once or in several instances, as a framework of its own,
 * and brings its output and exit code back. Runs once.
 */
public final class CommandRunner {
  private static final Logger LOG = LoggerFactory.getLogger(CommandRunner.class);

  /** So long tasks wait for a runner that has lost its master. */
  private static final double FAILOVER_SECONDS = 60;

  private static final double LONG_REFUSAL_SECONDS = 3600;
  private static final Duration FIRST_EXPLANATION = Duration.ofSeconds(5);
  private static final Duration EXPLANATION = Duration.ofSeconds(15);
  private static final Duration KILL_WAIT = Duration.ofSeconds(15);
  private static final String TIMEOUT = "The timeout has passed: what runs is killed";
  private static final Duration TEARDOWN_WAIT = Duration.ofSeconds(5);

  /**
   * What to run.
   *
   * @param command for {@code sh -c}, or the program when there are arguments
   * @param arguments what a program gets that is run without a shell, beginning with its own name;
   *     empty: the command is for the shell
   * @param name of framework and tasks
   * @param role whose resources are used
   * @param resources of each instance as text, such as {@code cpus:1;mem:128}
   * @param environment added to the task's
   * @param instances at least one
   * @param timeout after which it is killed, counted from the start of the run
   * @param user that runs it; empty: the user of this process
   */
  public record Options(
      String command,
      List<String> arguments,
      String name,
      String role,
      String resources,
      Map<String, String> environment,
      int instances,
      Optional<Duration> timeout,
      Optional<String> user) {
    public Options {
      if (instances < 1) {
        throw new IllegalArgumentException("instances must be at least 1, but is " + instances);
      }
      arguments = List.copyOf(arguments);
      environment = Map.copyOf(environment);
    }
  }

  /** Called one at a time on the runner's thread. */
  public interface Listener {
    /** A task has a new state; repeated statuses are left out. */
    void state(String taskId, TaskStatus status);

    /** The next bytes a task has written, which may end in the middle of a character. */
    void output(String taskId, boolean standardError, byte[] bytes);

    /** Something a person who waits may want to know. */
    void progress(String message);
  }

  /**
   * How it ended.
   *
   * @param exitCode 0 when every instance finished; else of the first that did not: its status, 128
   *     and the signal's number, 124 after a timeout, or 1
   * @param message why, for people; empty when all is well
   */
  public record Result(int exitCode, String message) {}

  private final Options options;
  private final Listener listener;
  private final SchedulerClient client;
  private final Resources wanted;
  private final CompletableFuture<Result> result = new CompletableFuture<>();
  private final String run = UUID.randomUUID().toString().substring(0, 8);

  /** For the client's thread only, as all that follows. */
  private final Map<String, Instance> instances = new LinkedHashMap<>();

  private int waiting;
  private int attempts;
  private boolean killed;
  private boolean timedOut;
  private Result worst = new Result(0, "");
  private String why = "no offer has come yet";
  private boolean everSubscribed;

  /**
   * Does nothing before {@link #run}.
   *
   * @throws IllegalArgumentException when the resources cannot be read
   */
  public CommandRunner(ClientOptions clientOptions, Options options, Listener listener) {
    this.options = options;
    this.listener = listener;
    this.waiting = options.instances();
    try {
      this.wanted = Resources.parse(options.resources(), "*");
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(
          "Resources '" + options.resources() + "' cannot be read: " + e.getMessage(), e);
    }
    if (wanted.isEmpty()) {
      throw new IllegalArgumentException("A task needs resources, such as cpus:1;mem:128");
    }
    this.client =
        new SchedulerClient(clientOptions, framework(clientOptions, options), new Events());
  }

  private static FrameworkInfo framework(ClientOptions clientOptions, Options options) {
    FrameworkInfo.Builder framework =
        FrameworkInfo.newBuilder()
            .setName(options.name())
            .setUser(options.user().orElse(System.getProperty("user.name")))
            .addRoles(options.role())
            .setCheckpoint(true)
            .setFailoverTimeout(FAILOVER_SECONDS);
    clientOptions.credential().ifPresent(own -> framework.setPrincipal(own.getPrincipal()));
    for (FrameworkInfo.Capability.Type type :
        List.of(
            FrameworkInfo.Capability.Type.MULTI_ROLE,
            FrameworkInfo.Capability.Type.RESERVATION_REFINEMENT,
            FrameworkInfo.Capability.Type.PARTITION_AWARE,
            FrameworkInfo.Capability.Type.TASK_KILLING_STATE)) {
      framework.addCapabilities(FrameworkInfo.Capability.newBuilder().setType(type));
    }
    return framework.build();
  }

  /** Runs to the end; blocks. When interrupted, the tasks are killed and the framework ends. */
  public Result run() throws InterruptedException {
    client.start();
    later(FIRST_EXPLANATION, this::explain);
    options.timeout().ifPresent(timeout -> later(timeout, this::timeOut));
    try {
      return result.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } finally {
      end();
    }
  }

  /**
   * Asks all tasks to end; {@link #run} returns when they have, or after 15 s. For any thread, also
   * that of a shutdown hook, which must then wait for run to return.
   */
  public void kill() {
    on(
        () -> {
          if (killed) {
            return;
          }
          killed = true;
          waiting = 0;
          for (Instance instance : instances.values()) {
            if (!instance.over) {
              kill(instance);
            }
          }
          finishWhenOver();
          later(
              KILL_WAIT,
              () ->
                  result.complete(
                      new Result(
                          timedOut ? ExitCodes.TIMED_OUT : 143,
                          "The tasks did not end in time and were given up")));
        });
  }

  private void timeOut() {
    if (!killed) {
      timedOut = true;
      listener.progress(TIMEOUT);
      kill();
    }
  }

  private void end() {
    try {
      client.teardown().get(TEARDOWN_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.debug(
          "The framework was not torn down and ends by its failover timeout: {}", e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      client.close();
    }
  }

  private void kill(Instance instance) {
    send(
        Call.newBuilder()
            .setType(Call.Type.KILL)
            .setKill(
                Call.Kill.newBuilder()
                    .setTaskId(TaskID.newBuilder().setValue(instance.taskId))
                    .setAgentId(instance.offer.getAgentId())));
  }

  private void explain() {
    if (waiting > 0) {
      String who = waiting == 1 ? "a task" : waiting + " tasks";
      listener.progress("Waiting for offers of " + wanted + " for " + who + ": " + why);
    }
    later(EXPLANATION, this::explain);
  }

  private void offers(List<Offer> offers) {
    for (Offer offer : offers) {
      List<TaskInfo> tasks = fit(offer);
      if (tasks.isEmpty()) {
        send(
            Call.newBuilder()
                .setType(Call.Type.DECLINE)
                .setDecline(
                    Call.Decline.newBuilder()
                        .addOfferIds(offer.getId())
                        .setFilters(refusal(waiting > 0 ? 5 : LONG_REFUSAL_SECONDS))));
        continue;
      }
      Call.Builder accept =
          Call.newBuilder()
              .setType(Call.Type.ACCEPT)
              .setAccept(
                  Call.Accept.newBuilder()
                      .addOfferIds(offer.getId())
                      .setFilters(refusal(waiting > 0 ? 0 : LONG_REFUSAL_SECONDS))
                      .addOperations(
                          Offer.Operation.newBuilder()
                              .setType(Offer.Operation.Type.LAUNCH)
                              .setLaunch(
                                  Offer.Operation.Launch.newBuilder().addAllTaskInfos(tasks))));
      client
          .call(accept)
          .whenComplete(
              (nothing, failure) -> {
                if (Transport.unwrap(failure) instanceof ApiException) {
                  on(
                      () ->
                          tasks.forEach(task -> again(instances.get(task.getTaskId().getValue()))));
                }
              });
    }
  }

  private static Filters refusal(double seconds) {
    return Filters.newBuilder().setRefuseSeconds(seconds).build();
  }

  /** As many waiting tasks as an offer has room for. */
  private List<TaskInfo> fit(Offer offer) {
    List<TaskInfo> tasks = new ArrayList<>();
    Resources free;
    try {
      free = Resources.of(offer.getResourcesList()).nonRevocable().nonShared().unallocated();
    } catch (ResourceFormatException e) {
      LOG.warn("Offer {} cannot be read: {}", offer.getId().getValue(), e.getMessage());
      return tasks;
    }
    while (waiting > 0) {
      Optional<Resources> found = free.find(wanted);
      if (found.isEmpty()) {
        if (tasks.isEmpty()) {
          why = "the offer of " + offer.getHostname() + " has only " + free;
        }
        break;
      }
      free = free.minus(found.get());
      waiting--;
      Instance instance = new Instance(options.name() + "-" + run + "-" + ++attempts, offer);
      instances.put(instance.taskId, instance);
      tasks.add(task(instance, found.get()));
    }
    return tasks;
  }

  private TaskInfo task(Instance instance, Resources resources) {
    CommandInfo.Builder command =
        CommandInfo.newBuilder()
            .setShell(options.arguments().isEmpty())
            .setValue(options.command())
            .addAllArguments(options.arguments());
    options.user().ifPresent(command::setUser);
    if (!options.environment().isEmpty()) {
      Environment.Builder environment = Environment.newBuilder();
      options
          .environment()
          .forEach(
              (name, value) ->
                  environment.addVariables(
                      Environment.Variable.newBuilder().setName(name).setValue(value)));
      command.setEnvironment(environment);
    }
    return TaskInfo.newBuilder()
        .setName(options.name())
        .setTaskId(TaskID.newBuilder().setValue(instance.taskId))
        .setAgentId(instance.offer.getAgentId())
        .addAllResources(
            resources.allocatedTo(options.role()).toMessages(Resources.Format.POST_REFINEMENT))
        .setCommand(command)
        .build();
  }

  private void update(TaskStatus status) {
    client
        .acknowledge(status)
        .exceptionally(
            failure -> {
              LOG.debug("Not acknowledged, the agent sends it again: {}", failure.toString());
              return null;
            });
    Instance instance = instances.get(status.getTaskId().getValue());
    if (instance == null || instance.over) {
      return;
    }
    boolean neverRan = instance.state == null;
    boolean nowhere =
        status.getState() == TaskState.TASK_DROPPED || status.getState() == TaskState.TASK_UNKNOWN;
    boolean gone = status.getReason() == TaskStatus.Reason.REASON_INVALID_OFFERS;
    if (neverRan
        && !killed
        && nowhere
        && (gone || status.getReason() == TaskStatus.Reason.REASON_RECONCILIATION)) {
      why = "an offer was withdrawn before the task could start";
      again(instance);
      return;
    }
    if (status.getState() != instance.state) {
      instance.state = status.getState();
      listener.state(instance.taskId, status);
    }
    if (status.getState() == TaskState.TASK_STARTING
        || status.getState() == TaskState.TASK_RUNNING) {
      instance.follow(status);
    }
    if (terminal(status.getState())) {
      instance.over(status);
    } else if (killed) {
      kill(instance);
    }
  }

  /** Puts an instance that never ran back in line. */
  private void again(Instance instance) {
    if (instance == null || instances.remove(instance.taskId) == null) {
      return;
    }
    if (killed) {
      finishWhenOver();
      return;
    }
    waiting++;
    send(
        Call.newBuilder()
            .setType(Call.Type.REVIVE)
            .setRevive(Call.Revive.newBuilder().addRoles(options.role())));
  }

  private static boolean terminal(TaskState state) {
    return switch (state) {
      case TASK_FINISHED,
          TASK_FAILED,
          TASK_KILLED,
          TASK_ERROR,
          TASK_LOST,
          TASK_DROPPED,
          TASK_GONE,
          TASK_GONE_BY_OPERATOR,
          TASK_UNKNOWN ->
          true;
      default -> false;
    };
  }

  private void finishWhenOver() {
    boolean over =
        waiting == 0 && instances.values().stream().allMatch(instance -> instance.complete());
    if (!over) {
      return;
    }
    if (timedOut) {
      result.complete(new Result(ExitCodes.TIMED_OUT, TIMEOUT));
    } else if (killed && instances.isEmpty()) {
      result.complete(new Result(143, "Killed before it ran"));
    } else {
      result.complete(worst);
    }
  }

  private void send(Call.Builder call) {
    Call.Type type = call.getType();
    client
        .call(call)
        .exceptionally(
            failure -> {
              LOG.debug("{} was not taken: {}", type, Transport.describe(failure));
              return null;
            });
  }

  /** A run whose bookkeeping has failed must end rather than wait for ever. */
  private Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        result.completeExceptionally(e);
      }
    };
  }

  private void on(Runnable task) {
    try {
      client.thread().execute(guarded(task));
    } catch (RejectedExecutionException e) {
      LOG.debug("The run is over");
    }
  }

  private void later(Duration delay, Runnable task) {
    try {
      client.thread().schedule(guarded(task), delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("The run is over");
    }
  }

  private final class Events implements SchedulerClient.Listener {
    @Override
    public void subscribed(Event.Subscribed subscribed) {
      if (!everSubscribed) {
        everSubscribed = true;
        listener.progress("Subscribed as " + subscribed.getFrameworkId().getValue());
        return;
      }
      listener.progress("Subscribed again");
      Call.Reconcile.Builder tasks = Call.Reconcile.newBuilder();
      for (Instance instance : instances.values()) {
        if (!instance.over) {
          tasks.addTasks(
              Call.Reconcile.Task.newBuilder()
                  .setTaskId(TaskID.newBuilder().setValue(instance.taskId))
                  .setAgentId(instance.offer.getAgentId()));
        }
      }
      // Without tasks it would ask about all.
      if (tasks.getTasksCount() > 0) {
        send(Call.newBuilder().setType(Call.Type.RECONCILE).setReconcile(tasks));
      }
    }

    @Override
    public void event(Event event) {
      switch (event.getType()) {
        case OFFERS -> guarded(() -> offers(event.getOffers().getOffersList())).run();
        case UPDATE -> guarded(() -> update(event.getUpdate().getStatus())).run();
        default -> LOG.debug("{} is of no interest", event.getType());
      }
    }

    @Override
    public void disconnected(String reason) {
      if (result.isDone()) {
        return;
      }
      why = "the master cannot be reached";
      listener.progress("No connection to the master, trying again: " + reason);
      if (killed && !everSubscribed) {
        result.complete(new Result(143, "Killed before it ran"));
      }
    }

    @Override
    public void failed(String message) {
      result.complete(new Result(ExitCodes.FAILED, "The master refuses: " + message));
    }
  }

  /** One task. */
  private final class Instance {
    private final String taskId;
    private final Offer offer;
    private final List<SandboxTail> tails = new ArrayList<>();
    private TaskState state;
    private boolean over;
    private int open;

    Instance(String taskId, Offer offer) {
      this.taskId = taskId;
      this.offer = offer;
    }

    boolean complete() {
      return over && open == 0;
    }

    void follow(TaskStatus status) {
      if (!tails.isEmpty()) {
        return;
      }
      Optional<String> container =
          status.getContainerStatus().hasContainerId()
              ? Optional.of(status.getContainerStatus().getContainerId().getValue())
              : Optional.empty();
      for (String file : List.of("stdout", "stderr")) {
        SandboxTail tail =
            new SandboxTail(
                client.transport(),
                new SandboxTail.Place(
                    agent(),
                    client.frameworkId().orElseThrow().getValue(),
                    taskId,
                    container,
                    file),
                client.thread(),
                bytes -> listener.output(taskId, file.equals("stderr"), bytes),
                problem -> {
                  problem.ifPresent(listener::progress);
                  open--;
                  finishWhenOver();
                });
        tails.add(tail);
        open++;
        tail.start();
      }
    }

    void over(TaskStatus status) {
      over = true;
      // A task that ended before its first status was seen may have written something.
      boolean ran =
          status.getSource() == TaskStatus.Source.SOURCE_EXECUTOR
              || status.getContainerStatus().hasContainerId();
      if (ran) {
        follow(status);
      }
      tails.forEach(SandboxTail::ended);
      int code = ExitCodes.of(status);
      if (code != 0 && worst.exitCode() == 0) {
        String said = status.getMessage().isEmpty() ? "" : ": " + status.getMessage();
        worst = new Result(code, taskId + " is " + status.getState() + said);
      }
      finishWhenOver();
    }

    private URI agent() {
      URL url = offer.getUrl();
      String host =
          url.getAddress().hasIp() ? url.getAddress().getIp() : url.getAddress().getHostname();
      String scheme = url.hasScheme() ? url.getScheme() : "http";
      String bracketed = host.indexOf(':') < 0 ? host : "[" + host + "]";
      return URI.create(scheme + "://" + bracketed + ":" + url.getAddress().getPort());
    }
  }
}
