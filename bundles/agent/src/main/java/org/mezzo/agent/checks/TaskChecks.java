package org.mezzo.agent.checks;

import java.time.Duration;
import java.util.Optional;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CheckStatusInfo;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The check and the health check of one task, from its start to its end, and what is known by them.
 * For the event loop only.
 */
public final class TaskChecks {
  private static final Logger LOG = LoggerFactory.getLogger(TaskChecks.class);

  /** Those of a task that is not looked at. */
  public static final TaskChecks NONE = new TaskChecks();

  /** What becomes of a task that is looked at; called on the event loop. */
  public interface Listener {
    /** The result of the check is another one; {@link TaskChecks#describe} says which. */
    void checked();

    /**
     * Something is to be told of the task's health; {@link TaskChecks#describe} says it.
     *
     * @param kill whether the task is to be killed once that is told (rules 233 and 236). Nothing
     *     is tried any more then.
     * @param message why, for people
     */
    void health(boolean healthy, boolean kill, String message);

    /** What the framework asked for cannot be tried by this agent. Nothing is tried any more. */
    void impossible(String reason);
  }

  private final String task;
  private final CheckHost host;
  private final Listener listener;
  private final Optional<Cycle> check;
  private final Optional<Cycle> health;

  /** What every update has (rule 207); null without a check. */
  private CheckStatusInfo result;

  /** What was last told; empty before the first time. */
  private Optional<Boolean> healthy = Optional.empty();

  // Of the health check.
  private final long mostFailures;
  private final Duration grace;
  private long started;
  private boolean succeededOnce;
  private int failures;

  private TaskChecks() {
    task = "";
    host = null;
    listener = null;
    check = Optional.empty();
    health = Optional.empty();
    mostFailures = 0;
    grace = Duration.ZERO;
  }

  private TaskChecks(TaskInfo info, CheckHost host, Subject subject, Listener listener) {
    this.task = info.getTaskId().getValue();
    this.host = host;
    this.listener = listener;
    CheckInfo asked = info.getCheck();
    HealthCheck askedHealth = info.getHealthCheck();
    result = info.hasCheck() ? empty(asked.getType()) : null;
    mostFailures = Math.max(1, Integer.toUnsignedLong(askedHealth.getConsecutiveFailures()));
    grace = Schedule.seconds(askedHealth.getGracePeriodSeconds());
    check =
        info.hasCheck()
            ? Optional.of(
                new Cycle(host, subject, Probe.of(asked), Schedule.of(asked), this::checked))
            : Optional.empty();
    health =
        info.hasHealthCheck()
            ? Optional.of(
                new Cycle(
                    host,
                    subject,
                    Probe.of(askedHealth),
                    Schedule.of(askedHealth),
                    this::lookedAfter))
            : Optional.empty();
  }

  /**
   * Those of a task, not started. What it asks for was found valid (rules 78 and 79).
   *
   * @param listener told what comes of it
   */
  public static TaskChecks of(TaskInfo task, CheckHost host, Subject subject, Listener listener) {
    return task.hasCheck() || task.hasHealthCheck()
        ? new TaskChecks(task, host, subject, listener)
        : NONE;
  }

  /**
   * Goes on from what an earlier process of the agent has told, so that nothing is told twice; to
   * be followed by {@link #start}.
   *
   * @param told the last update of the task
   * @param counted how many health checks in a row had failed by then, of those that count
   */
  public void recall(TaskStatus told, int counted) {
    if (result != null && told.getCheckStatus().getType() == result.getType()) {
      result = told.getCheckStatus();
    }
    if (health.isPresent() && told.hasHealthy()) {
      healthy = Optional.of(told.getHealthy());
      // A failure counts only after a success or the grace period, which is over then, too.
      succeededOnce = true;
      failures = told.getHealthy() ? 0 : Math.max(1, counted);
    }
  }

  /**
   * Its process runs.
   *
   * @param ran for how long already, which delays and the grace period count from
   */
  public void start(Duration ran) {
    if (this == NONE) {
      return;
    }
    started = host.nanoTime().getAsLong() - ran.toNanos();
    check.ifPresent(each -> each.start(ran));
    health.ifPresent(each -> each.start(ran));
  }

  /** How many health checks in a row have failed, of those that count. */
  public int failures() {
    return failures;
  }

  /** Nothing is tried until {@link #resume}, for example without a subscription (rule 226). */
  public void pause() {
    check.ifPresent(Cycle::pause);
    health.ifPresent(Cycle::pause);
  }

  /** Goes on, at once. */
  public void resume() {
    check.ifPresent(Cycle::resume);
    health.ifPresent(Cycle::resume);
  }

  /** Nothing is tried any more: the task is being killed (rule 236), or has ended. */
  public void stop() {
    check.ifPresent(Cycle::stop);
    health.ifPresent(Cycle::stop);
  }

  /** Puts into an update what is known (rule 207). */
  public void describe(TaskStatus.Builder status) {
    if (result != null) {
      status.setCheckStatus(result);
    }
    healthy.ifPresent(status::setHealthy);
  }

  // The check.

  private void checked(Outcome outcome) {
    if (ruledOut("check", outcome)) {
      return;
    }
    CheckStatusInfo next = result(result.getType(), outcome);
    if (!next.equals(result)) {
      LOG.info("Check of task '{}': {}", task, outcome.describe());
      result = next;
      listener.checked();
    }
  }

  private static CheckStatusInfo empty(CheckInfo.Type type) {
    CheckStatusInfo.Builder status = CheckStatusInfo.newBuilder().setType(type);
    switch (type) {
      case COMMAND -> status.getCommandBuilder();
      case HTTP -> status.getHttpBuilder();
      case TCP -> status.getTcpBuilder();
      case UNKNOWN -> {}
    }
    return status.build();
  }

  /** An error or a timeout is the empty result of its type (rule 235). */
  private static CheckStatusInfo result(CheckInfo.Type type, Outcome outcome) {
    CheckStatusInfo.Builder status = empty(type).toBuilder();
    if (outcome instanceof Outcome.Exited exited) {
      status.getCommandBuilder().setExitCode(exited.status());
    } else if (outcome instanceof Outcome.Answered answered) {
      status.getHttpBuilder().setStatusCode(answered.status());
    } else if (outcome instanceof Outcome.Connected connected) {
      status.getTcpBuilder().setSucceeded(connected.succeeded());
    }
    return status.build();
  }

  // The health check.

  private void lookedAfter(Outcome outcome) {
    if (ruledOut("health check", outcome)) {
      return;
    }
    if (outcome.healthy()) {
      boolean news = !succeededOnce || failures > 0;
      succeededOnce = true;
      failures = 0;
      if (news) {
        healthy = Optional.of(true);
        listener.health(true, false, "Health check succeeded: " + outcome.describe());
      }
      return;
    }
    if (!succeededOnce && inGrace()) {
      LOG.info(
          "Health check of task '{}' failed within the grace period, which does not count: {}",
          task,
          outcome.describe());
      return;
    }
    failures++;
    healthy = Optional.of(false);
    boolean kill = failures >= mostFailures;
    LOG.info(
        "Health check of task '{}' failed, {} of {} times in a row: {}",
        task,
        failures,
        mostFailures,
        outcome.describe());
    if (kill) {
      stop();
    }
    listener.health(
        false,
        kill,
        "Health check failed "
            + failures
            + (failures == 1 ? " time" : " times in a row")
            + ": "
            + outcome.describe());
  }

  private boolean inGrace() {
    return host.nanoTime().getAsLong() - started <= grace.toNanos() && !grace.isZero();
  }

  private boolean ruledOut(String what, Outcome outcome) {
    if (outcome instanceof Outcome.Unknown) {
      LOG.debug("The {} of task '{}' was not made: {}", what, task, outcome.describe());
      return true;
    }
    if (outcome instanceof Outcome.Impossible) {
      stop();
      listener.impossible("The " + what + " cannot be made: " + outcome.describe());
      return true;
    }
    return false;
  }
}
