package org.mezzo.agent.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.protocol.v1.CheckInfo;
import org.mezzo.protocol.v1.CheckStatusInfo;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;

/** Rules 206, 207, 226 and 228 to 236, with a clock of the test's own. */
class TaskChecksTest {
  private static final Outcome OK = new Outcome.Exited(0);
  private static final Outcome BAD = new Outcome.Exited(1);
  private static final Outcome LATE = new Outcome.Failed("nothing came of it within 20.0 s");

  private static final class Alarm {
    Duration at;
    Runnable task;
    boolean over;
  }

  /** A probe that was begun. */
  private static final class Begun {
    Duration at;
    Probe probe;
    Duration timeout;
    Consumer<Outcome> done;
    boolean cancelled;
  }

  private final List<Alarm> alarms = new ArrayList<>();
  private final List<Begun> begun = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private Duration now = Duration.ofDays(3);
  private final Duration beginning = now;
  private TaskChecks checks;
  private boolean runs = true;

  private final CheckHost host =
      new CheckHost(this::probe, Runnable::run, this::timer, () -> now.toNanos());

  private final Subject subject =
      new Subject() {
        @Override
        public String name() {
          return "t";
        }

        @Override
        public long pid() {
          return 1;
        }

        @Override
        public boolean runs() {
          return runs;
        }

        @Override
        public Probing run(CommandInfo command, Duration timeout, Consumer<Outcome> done) {
          throw new AssertionError("the prober decides");
        }
      };

  private final TaskChecks.Listener listener =
      new TaskChecks.Listener() {
        @Override
        public void checked() {
          told.add(
              "check " + described().getCheckStatus().toString().replaceAll("\\s+", " ").strip());
        }

        @Override
        public void health(boolean healthy, boolean kill, String message) {
          assertThat(described().hasHealthy()).isTrue();
          assertThat(described().getHealthy()).isEqualTo(healthy);
          told.add((healthy ? "healthy" : "unhealthy") + (kill ? ", kill" : ""));
        }

        @Override
        public void impossible(String reason) {
          told.add("impossible: " + reason);
        }
      };

  private Timer timer(Duration delay, Runnable task) {
    Alarm alarm = new Alarm();
    alarm.at = now.plus(delay);
    alarm.task = task;
    alarms.add(alarm);
    return () -> alarm.over = true;
  }

  private Probing probe(Subject of, Probe probe, Duration timeout, Consumer<Outcome> done) {
    assertThat(of).isSameAs(subject);
    Begun next = new Begun();
    next.at = now;
    next.probe = probe;
    next.timeout = timeout;
    next.done = done;
    begun.add(next);
    return () -> next.cancelled = true;
  }

  /** Lets time go on until so many seconds after the beginning. */
  private void until(double seconds) {
    Duration end = beginning.plus(Schedule.seconds(seconds));
    while (true) {
      Alarm next = null;
      for (Alarm alarm : alarms) {
        if (!alarm.over
            && alarm.at.compareTo(end) <= 0
            && (next == null || alarm.at.compareTo(next.at) < 0)) {
          next = alarm;
        }
      }
      if (next == null) {
        break;
      }
      next.over = true;
      now = next.at;
      next.task.run();
    }
    now = end;
  }

  /** Says how the last probe ends, so many seconds after the beginning. */
  private void outcome(double seconds, Outcome outcome) {
    until(seconds);
    last().done.accept(outcome);
  }

  private Begun last() {
    return begun.get(begun.size() - 1);
  }

  private List<Double> times() {
    return begun.stream().map(each -> each.at.minus(beginning).toMillis() / 1000.0).toList();
  }

  private TaskStatus described() {
    TaskStatus.Builder status = TaskStatus.newBuilder();
    checks.describe(status);
    return status.buildPartial();
  }

  private static HealthCheck.Builder health() {
    return HealthCheck.newBuilder()
        .setType(HealthCheck.Type.COMMAND)
        .setCommand(CommandInfo.newBuilder().setValue("true"));
  }

  private static CheckInfo.Builder check() {
    return CheckInfo.newBuilder()
        .setType(CheckInfo.Type.COMMAND)
        .setCommand(
            CheckInfo.Command.newBuilder().setCommand(CommandInfo.newBuilder().setValue("true")));
  }

  private void begin(TaskInfo.Builder task) {
    checks =
        TaskChecks.of(
            task.setName("t").setTaskId(TaskID.newBuilder().setValue("t")).buildPartial(),
            host,
            subject,
            listener);
    checks.start(Duration.ZERO);
  }

  private void begin(HealthCheck.Builder health) {
    begin(TaskInfo.newBuilder().setHealthCheck(health));
  }

  private void begin(CheckInfo.Builder check) {
    begin(TaskInfo.newBuilder().setCheck(check));
  }

  /** Rules 228 and 229. */
  @Test
  void theIntervalIsCountedFromTheResultAndRunsNeverOverlap() {
    begin(health());
    until(14.9);
    assertThat(begun).isEmpty();
    until(15);
    assertThat(last().timeout).isEqualTo(Duration.ofSeconds(20));
    until(34);
    assertThat(times()).containsExactly(15.0);
    outcome(34, OK);
    until(43.9);
    assertThat(times()).containsExactly(15.0);
    outcome(44, OK);
    until(54);
    assertThat(times()).containsExactly(15.0, 44.0, 54.0);
  }

  private void goOn(TaskInfo.Builder task, TaskStatus.Builder told, int failures, double ran) {
    checks =
        TaskChecks.of(
            task.setName("t").setTaskId(TaskID.newBuilder().setValue("t")).buildPartial(),
            host,
            subject,
            listener);
    checks.recall(told.buildPartial(), failures);
    checks.start(Schedule.seconds(ran));
  }

  private void goOn(HealthCheck.Builder health, boolean healthy, int failures, double ran) {
    goOn(
        TaskInfo.newBuilder().setHealthCheck(health),
        TaskStatus.newBuilder().setHealthy(healthy),
        failures,
        ran);
  }

  @Test
  void afterARestartDelayAndIntervalGoOn() {
    goOn(TaskInfo.newBuilder().setHealthCheck(health()), TaskStatus.newBuilder(), 0, 12);
    until(3);
    assertThat(times()).containsExactly(3.0);
    begun.clear();
    // Looked at after 15, 25 and 35 s.
    goOn(health(), true, 0, 42);
    until(5.9);
    assertThat(begun).isEmpty();
    until(6);
    assertThat(times()).containsExactly(6.0);
  }

  @Test
  void afterARestartNothingIsToldTwiceAndFailuresGoOnBeingCounted() {
    goOn(health().setDelaySeconds(0).setIntervalSeconds(10), true, 0, 5);
    assertThat(described().getHealthy()).isTrue();
    outcome(5, OK);
    assertThat(told).isEmpty();
    outcome(15, BAD);
    assertThat(told).containsExactly("unhealthy");
    told.clear();

    goOn(health().setDelaySeconds(0).setIntervalSeconds(10), false, 2, 25);
    assertThat(described().getHealthy()).isFalse();
    outcome(20, BAD);
    assertThat(told).containsExactly("unhealthy, kill");
    told.clear();

    goOn(health().setDelaySeconds(0).setIntervalSeconds(10), false, 2, 35);
    outcome(25, OK);
    assertThat(told).containsExactly("healthy");
  }

  @Test
  void afterARestartTheGracePeriodIsThatOfTheTasksStart() {
    HealthCheck.Builder check = health().setDelaySeconds(0).setGracePeriodSeconds(60);
    goOn(TaskInfo.newBuilder().setHealthCheck(check), TaskStatus.newBuilder(), 0, 45);
    outcome(5, BAD);
    outcome(15, BAD);
    assertThat(told).isEmpty();
    outcome(25, BAD);
    assertThat(told).containsExactly("unhealthy");
  }

  @Test
  void afterARestartTheResultOfTheCheckIsTheOneThatWasTold() {
    CheckStatusInfo.Builder result =
        CheckStatusInfo.newBuilder()
            .setType(CheckInfo.Type.COMMAND)
            .setCommand(CheckStatusInfo.Command.newBuilder().setExitCode(0));
    goOn(
        TaskInfo.newBuilder().setCheck(check()),
        TaskStatus.newBuilder().setCheckStatus(result),
        0,
        5);
    assertThat(described().getCheckStatus()).isEqualTo(result.build());
    outcome(10, OK);
    assertThat(told).isEmpty();
    outcome(20, BAD);
    assertThat(told).hasSize(1);
  }

  @Test
  void delayIntervalAndTimeoutAreTheFrameworks() {
    begin(check().setDelaySeconds(0.5).setIntervalSeconds(2.25).setTimeoutSeconds(0));
    outcome(1, OK);
    until(3.25);
    assertThat(times()).containsExactly(0.5, 3.25);
    assertThat(last().timeout).isZero();
  }

  @Test
  void anIntervalOfNothingDoesNotKeepTheAgentBusy() {
    begin(check().setDelaySeconds(0).setIntervalSeconds(0));
    outcome(0, OK);
    until(0.049);
    assertThat(times()).containsExactly(0.0);
    until(0.05);
    assertThat(times()).containsExactly(0.0, 0.05);
  }

  /** Rules 233 and 234. */
  @Test
  void failuresAreToldAndSuccessesWhenTheyAreNews() {
    begin(health().setDelaySeconds(20));
    assertThat(described().hasHealthy()).isFalse();
    outcome(20, OK);
    assertThat(told).containsExactly("healthy");
    outcome(30, OK);
    assertThat(told).hasSize(1);
    outcome(40, BAD);
    outcome(50, LATE);
    assertThat(told).containsExactly("healthy", "unhealthy", "unhealthy");
    outcome(60, OK);
    outcome(70, OK);
    outcome(80, BAD);
    outcome(90, BAD);
    assertThat(told)
        .containsExactly("healthy", "unhealthy", "unhealthy", "healthy", "unhealthy", "unhealthy");
    outcome(100, new Outcome.Answered(500));
    assertThat(told).hasSize(7).last().isEqualTo("unhealthy, kill");
    assertThat(described().getHealthy()).isFalse();
    until(1_000);
    assertThat(begun).hasSize(9);
  }

  /** Rule 236. */
  @Test
  void withoutAVerdictEverythingStaysAsItWas() {
    Outcome none = new Outcome.Unknown("there is no checker");
    begin(
        TaskInfo.newBuilder()
            .setHealthCheck(
                health().setDelaySeconds(0).setGracePeriodSeconds(0).setConsecutiveFailures(2))
            .setCheck(check().setDelaySeconds(1_000)));
    outcome(0, BAD);
    for (int i = 1; i < 5; i++) {
      outcome(10 * i, none);
    }
    assertThat(told).containsExactly("unhealthy");
    assertThat(described().getHealthy()).isFalse();
    outcome(50, BAD);
    assertThat(told).containsExactly("unhealthy", "unhealthy, kill");

    told.clear();
    begin(check().setDelaySeconds(0));
    double now = times().get(times().size() - 1);
    outcome(now, new Outcome.Exited(3));
    outcome(now + 10, none);
    assertThat(told).hasSize(1);
    assertThat(described().getCheckStatus().getCommand().getExitCode()).isEqualTo(3);
  }

  @Test
  void ofOneConsecutiveFailureTheFirstKills() {
    begin(health().setDelaySeconds(0).setGracePeriodSeconds(0).setConsecutiveFailures(1));
    outcome(1, BAD);
    assertThat(told).containsExactly("unhealthy, kill");
  }

  @Test
  void moreFailuresThanAnIntHoldsAreMany() {
    begin(health().setDelaySeconds(0).setGracePeriodSeconds(0).setConsecutiveFailures(-1));
    outcome(1, BAD);
    assertThat(told).containsExactly("unhealthy");
  }

  /** Rule 232. */
  @Test
  void failuresWithinTheGracePeriodDoNotCountBeforeSomethingSucceeded() {
    begin(health().setDelaySeconds(1).setIntervalSeconds(2).setConsecutiveFailures(2));
    outcome(1, BAD);
    outcome(3, BAD);
    outcome(5, LATE);
    outcome(10, BAD);
    assertThat(told).isEmpty();
    assertThat(described().hasHealthy()).isFalse();
    outcome(12, BAD);
    assertThat(told).containsExactly("unhealthy");
    outcome(14, BAD);
    assertThat(told).containsExactly("unhealthy", "unhealthy, kill");
  }

  @Test
  void theGracePeriodIsOverWithTheFirstSuccess() {
    begin(health().setDelaySeconds(1).setIntervalSeconds(1).setGracePeriodSeconds(100));
    outcome(1, BAD);
    outcome(2, OK);
    assertThat(told).containsExactly("healthy");
    outcome(3, BAD);
    assertThat(told).containsExactly("healthy", "unhealthy");
  }

  /** Rules 207 and 235. */
  @Test
  void aCheckTellsItsResultWhenItIsAnotherOne() {
    begin(check().setDelaySeconds(0));
    assertThat(described().getCheckStatus())
        .isEqualTo(
            CheckStatusInfo.newBuilder()
                .setType(CheckInfo.Type.COMMAND)
                .setCommand(CheckStatusInfo.Command.getDefaultInstance())
                .build());
    assertThat(described().hasHealthy()).isFalse();
    outcome(0, LATE);
    assertThat(told).as("the empty result is what it was").isEmpty();
    outcome(10, OK);
    outcome(20, OK);
    outcome(30, new Outcome.Exited(7));
    outcome(40, new Outcome.Exited(7));
    outcome(50, LATE);
    assertThat(told)
        .containsExactly(
            "check type: COMMAND command { exit_code: 0 }",
            "check type: COMMAND command { exit_code: 7 }",
            "check type: COMMAND command { }");
    until(60);
    assertThat(times()).contains(60.0);
  }

  @Test
  void resultsAreOfTheTypeOfTheCheck() {
    begin(
        CheckInfo.newBuilder()
            .setType(CheckInfo.Type.HTTP)
            .setHttp(CheckInfo.Http.newBuilder().setPort(80).setPath("/x"))
            .setDelaySeconds(0));
    until(0);
    assertThat(last().probe).isEqualTo(new Probe.Http(false, false, 80, "/x"));
    outcome(0, new Outcome.Answered(503));
    assertThat(told).containsExactly("check type: HTTP http { status_code: 503 }");

    told.clear();
    begun.clear();
    begin(
        CheckInfo.newBuilder()
            .setType(CheckInfo.Type.TCP)
            .setTcp(CheckInfo.Tcp.newBuilder().setPort(80))
            .setDelaySeconds(0));
    until(0);
    assertThat(last().probe).isEqualTo(new Probe.Tcp(false, 80));
    outcome(0, new Outcome.Connected(false, "Connection refused"));
    outcome(10, new Outcome.Connected(true, ""));
    assertThat(told)
        .containsExactly(
            "check type: TCP tcp { succeeded: false }", "check type: TCP tcp { succeeded: true }");
  }

  /** Rule 230. */
  @Test
  void whatIsHealthy() {
    assertThat(new Outcome.Answered(199).healthy()).isFalse();
    assertThat(new Outcome.Answered(200).healthy()).isTrue();
    assertThat(new Outcome.Answered(399).healthy()).isTrue();
    assertThat(new Outcome.Answered(400).healthy()).isFalse();
    assertThat(new Outcome.Connected(true, "").healthy()).isTrue();
    assertThat(new Outcome.Connected(false, "x").healthy()).isFalse();
    assertThat(OK.healthy()).isTrue();
    assertThat(BAD.healthy()).isFalse();
    assertThat(LATE.healthy()).isFalse();
  }

  /** Rule 236. */
  @Test
  void duringAKillNothingIsTriedAndWhatIsUnderWayDoesNotCount() {
    begin(
        TaskInfo.newBuilder()
            .setHealthCheck(health().setDelaySeconds(1))
            .setCheck(check().setDelaySeconds(2)));
    until(1);
    Begun under = last();
    checks.stop();
    assertThat(under.cancelled).isTrue();
    under.done.accept(BAD);
    checks.resume();
    until(100);
    assertThat(begun).hasSize(1);
    assertThat(told).isEmpty();
  }

  /** Rule 226. */
  @Test
  void whatIsPausedGoesOnAtOnce() {
    begin(health().setDelaySeconds(1).setGracePeriodSeconds(0));
    until(1);
    Begun first = last();
    checks.pause();
    assertThat(first.cancelled).isTrue();
    first.done.accept(BAD);
    until(30);
    assertThat(begun).hasSize(1);
    assertThat(told).isEmpty();
    checks.resume();
    assertThat(times()).containsExactly(1.0, 30.0);
    first.done.accept(BAD);
    assertThat(told).isEmpty();
    outcome(31, OK);
    assertThat(told).containsExactly("healthy");
    until(41);
    assertThat(times()).containsExactly(1.0, 30.0, 41.0);
  }

  @Test
  void aPauseDoesNotShortenTheDelay() {
    begin(health());
    until(5);
    checks.pause();
    until(6);
    checks.resume();
    until(14.9);
    assertThat(begun).isEmpty();
    until(15);
    assertThat(times()).containsExactly(15.0);
  }

  @Test
  void whatIsPausedBeforeItStartsWaitsToo() {
    checks =
        TaskChecks.of(
            TaskInfo.newBuilder().setHealthCheck(health()).buildPartial(), host, subject, listener);
    checks.pause();
    checks.start(Duration.ZERO);
    until(60);
    assertThat(begun).isEmpty();
    checks.resume();
    assertThat(times()).containsExactly(60.0);
  }

  @Test
  void whatCannotBeTriedIsSaidOnce() {
    begin(
        TaskInfo.newBuilder()
            .setHealthCheck(health().setDelaySeconds(1))
            .setCheck(check().setDelaySeconds(2)));
    outcome(1, new Outcome.Impossible("no way in"));
    assertThat(told).containsExactly("impossible: The health check cannot be made: no way in");
    until(100);
    assertThat(begun).hasSize(1);
  }

  @Test
  void anOutcomeThatIsKnownAtOnceIsTakenAsWell() {
    List<Duration> at = new ArrayList<>();
    CheckHost quick =
        new CheckHost(
            (of, probe, timeout, done) -> {
              at.add(now.minus(beginning));
              done.accept(BAD);
              return () -> {
                throw new AssertionError("it is over");
              };
            },
            Runnable::run,
            this::timer,
            () -> now.toNanos());
    checks =
        TaskChecks.of(
            TaskInfo.newBuilder().setHealthCheck(health().setGracePeriodSeconds(0)).buildPartial(),
            quick,
            subject,
            listener);
    checks.start(Duration.ZERO);
    until(100);
    assertThat(at)
        .containsExactly(Duration.ofSeconds(15), Duration.ofSeconds(25), Duration.ofSeconds(35));
    assertThat(told).containsExactly("unhealthy", "unhealthy", "unhealthy, kill");
  }

  @Test
  void aTaskWithoutChecksHasNone() {
    checks = TaskChecks.of(TaskInfo.getDefaultInstance(), host, subject, listener);
    assertThat(checks).isSameAs(TaskChecks.NONE);
    checks.start(Duration.ZERO);
    checks.pause();
    checks.resume();
    checks.stop();
    assertThat(alarms).isEmpty();
    assertThat(described()).isEqualTo(TaskStatus.getDefaultInstance());
  }
}
