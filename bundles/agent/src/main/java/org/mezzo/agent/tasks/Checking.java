package org.mezzo.agent.tasks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.mezzo.agent.checks.CheckHost;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Probing;
import org.mezzo.agent.checks.Subject;
import org.mezzo.agent.checks.TaskChecks;
import org.mezzo.api.Metrics;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Termination;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.ContainerStatus;
import org.mezzo.resources.ResourceFormatException;

/**
 * Has the tasks of an agent checked: makes their checks, and runs the commands of those of type
 * COMMAND. For the event loop only.
 *
 * <p>A command runs in a container nested in the task's, {@code check-<uuid>}, of which nothing is
 * kept (rule 237): as the task's user, in the task's sandbox, with its environment and that of the
 * check, limited with the task, and its output goes to the task's {@code stderr}. It is destroyed
 * when its time is over and when the task is killed or ends.
 */
final class Checking {
  /** How many commands run at a time; each is a process. Others wait, without losing their time. */
  static final int MOST_UNDER_WAY = 16;

  private final CheckHost host;
  private final TaskContainers containers;
  private final ArrayDeque<Run> waiting = new ArrayDeque<>();
  private final AtomicInteger waits = new AtomicInteger();
  private final AtomicInteger underWay = new AtomicInteger();

  /**
   * No task yet.
   *
   * @param metrics gets {@code slave/check_commands_running} and {@code
   *     slave/check_commands_waiting}
   */
  Checking(CheckHost host, TaskContainers containers, Metrics metrics) {
    this.host = host;
    this.containers = containers;
    metrics.gauge("slave/check_commands_running", underWay::get);
    metrics.gauge("slave/check_commands_waiting", waits::get);
  }

  /**
   * The checks of a task, not started.
   *
   * @param container of the task
   * @param sandbox of the task
   * @param pid of the task's first process, once it runs
   */
  TaskChecks of(
      AgentTask task,
      ContainerId container,
      Path sandbox,
      LongSupplier pid,
      TaskChecks.Listener listener) {
    return TaskChecks.of(
        task.info,
        host,
        new Subject() {
          @Override
          public String name() {
            return task.id();
          }

          @Override
          public long pid() {
            return pid.getAsLong();
          }

          @Override
          public boolean runs() {
            return containers.runs(container);
          }

          @Override
          public Probing run(CommandInfo command, Duration timeout, Consumer<Outcome> done) {
            Run run = new Run(task, container, sandbox, command, timeout, done);
            waiting.add(run);
            admit();
            return run::cancel;
          }
        },
        listener);
  }

  private void admit() {
    while (underWay.get() < MOST_UNDER_WAY && !waiting.isEmpty()) {
      underWay.incrementAndGet();
      waiting.remove().begin();
    }
    waits.set(waiting.size());
  }

  /** One run of a command. */
  private final class Run implements TaskContainers.Listener {
    private final AgentTask task;
    private final Path sandbox;
    private final CommandInfo command;
    private final Duration timeout;
    private final Consumer<Outcome> done;
    private final ContainerId id;
    private Timer timer = () -> {};
    private boolean over;

    Run(
        AgentTask task,
        ContainerId container,
        Path sandbox,
        CommandInfo command,
        Duration timeout,
        Consumer<Outcome> done) {
      this.task = task;
      this.sandbox = sandbox;
      this.command = command;
      this.timeout = timeout;
      this.done = done;
      this.id = container.child("check-" + UUID.randomUUID());
    }

    void begin() {
      try {
        containers.launch(containers.checkRequest(task, id, sandbox, command), this);
      } catch (ResourceFormatException | RuntimeException e) {
        failed(e.getMessage());
      }
    }

    @Override
    public void started(long pid, ContainerStatus status) {
      if (over) {
        // It was called off before there was anything to destroy.
        containers.destroy(id);
      } else if (!timeout.isZero()) {
        timer =
            host.timers()
                .apply(
                    timeout,
                    () ->
                        end(
                            new Outcome.Failed(
                                "the command did not end within "
                                    + timeout.toMillis() / 1000.0
                                    + " s")));
      }
    }

    @Override
    public void failed(String message) {
      if (over) {
        containers.destroy(id);
        return;
      }
      end(new Outcome.Failed("the command could not be run: " + message));
    }

    @Override
    public void unable(String message) {
      end(new Outcome.Impossible("the command cannot be run: " + message));
    }

    @Override
    public void terminated(Termination end) {
      end(
          end.exitStatus().isPresent()
              ? new Outcome.Exited(end.exitStatus().getAsInt())
              : new Outcome.Failed("the command " + end.describe()));
    }

    private void end(Outcome outcome) {
      if (!over) {
        leave();
        done.accept(outcome);
      }
    }

    private void cancel() {
      if (waiting.remove(this)) {
        waits.set(waiting.size());
      } else if (!over) {
        leave();
      }
    }

    /** It counts until the last of its processes is gone. */
    private void leave() {
      over = true;
      timer.cancel();
      containers
          .destroy(id)
          .whenCompleteAsync(
              (gone, failure) -> {
                underWay.decrementAndGet();
                admit();
              },
              host.loop());
    }
  }
}
