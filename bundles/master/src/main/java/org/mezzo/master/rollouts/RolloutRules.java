package org.mezzo.master.rollouts;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleStatus;

/**
 * How a rollout goes on: from what is wanted and how hosts are to what is wanted next. A function
 * of what it is given, so that another leader goes on as this one would have.
 */
final class RolloutRules {
  /**
   * What follows.
   *
   * @param next what is wanted from now on; what it was when nothing changes
   * @param look when to look again though nothing is heard; empty when that is of no use
   */
  record Step(DesiredModules next, Optional<Instant> look) {}

  /** How a host is that was told to change. */
  private enum Condition {
    WELL,
    BUSY,
    BAD
  }

  /**
   * What was found out about one.
   *
   * @param why of one that is bad
   * @param until when one that is busy is bad if nothing changes
   */
  private record Finding(Condition condition, String why, Instant until) {
    static final Finding GOOD = new Finding(Condition.WELL, "", Instant.MAX);

    static Finding busy(Instant until) {
      return new Finding(Condition.BUSY, "", until);
    }

    static Finding bad(String why) {
      return new Finding(Condition.BAD, why, Instant.MAX);
    }
  }

  private final DesiredModules wanted;
  private final Rollout rollout;
  private final Map<String, HostView> hosts;
  private final Instant now;

  private RolloutRules(DesiredModules wanted, Collection<HostView> hosts, Instant now) {
    this.wanted = wanted;
    this.rollout = wanted.underWay().orElseThrow();
    this.hosts = new LinkedHashMap<>();
    hosts.forEach(host -> this.hosts.put(host.id(), host));
    this.now = now;
  }

  /** The next step of the rollout that is under way. */
  static Step step(DesiredModules wanted, Collection<HostView> hosts, Instant now) {
    if (wanted.underWay().isEmpty()) {
      return new Step(wanted, Optional.empty());
    }
    RolloutRules rules = new RolloutRules(wanted, hosts, now);
    return rules.rollout.forward() ? rules.forward() : rules.back();
  }

  private Step forward() {
    Instant look = Instant.MAX;
    boolean well = true;
    for (String id : rollout.touched()) {
      Finding finding = judge(id);
      if (finding.condition() == Condition.BAD) {
        return new Step(wanted.with(rollout.goingBack(finding.why(), now)), Optional.of(now));
      }
      if (finding.condition() == Condition.BUSY) {
        well = false;
        look = earlier(look, finding.until());
      }
    }
    Optional<String> failing = failing();
    if (failing.isPresent()) {
      return new Step(wanted.with(rollout.goingBack(failing.get(), now)), Optional.of(now));
    }
    if (!well) {
      return stay(rollout.settled(Optional.empty()), look);
    }
    Rollout settled = rollout.settled().isPresent() ? rollout : rollout.settled(Optional.of(now));
    if (rollout.state() == Rollout.State.PAUSED) {
      return stay(settled, Instant.MAX);
    }
    Instant next =
        rollout.touched().isEmpty()
            ? now
            : settled.settled().orElseThrow().plus(rollout.pace().pause());
    return next.isAfter(now) ? stay(settled, next) : nextBatch(settled);
  }

  private Step nextBatch(Rollout settled) {
    List<String> chosen = choose();
    if (!chosen.isEmpty()) {
      List<String> all = new ArrayList<>(rollout.touched());
      all.addAll(chosen);
      Rollout next = rollout.nextBatch(all, chosen.size(), now);
      return new Step(wanted.with(next), Optional.of(now.plus(rollout.pace().patience())));
    }
    // A new leader does not know yet who is there.
    Optional<Instant> returning =
        hosts.values().stream()
            .filter(host -> host.returning() && !rollout.touched().contains(host.id()))
            .filter(host -> wanted.concerns(host.member()))
            .map(host -> host.since().plus(rollout.pace().patience()))
            .filter(limit -> limit.isAfter(now))
            .min(Instant::compareTo);
    if (returning.isPresent()) {
      return stay(settled, returning.get());
    }
    return new Step(wanted.reached(rollout.ended(Rollout.State.DONE, "")), Optional.empty());
  }

  /**
   * As many hosts as a batch has, each with all daemons of its process. Masters come one at a time,
   * for a bad version must not stop all of them, and the leading one comes last.
   */
  private List<String> choose() {
    Set<String> touched = new HashSet<>(rollout.touched());
    Map<String, List<HostView>> waiting =
        hosts.values().stream()
            .filter(host -> host.connected() && host.follows() && !touched.contains(host.id()))
            .sorted((one, other) -> one.id().compareTo(other.id()))
            .collect(
                Collectors.groupingBy(HostView::hostId, LinkedHashMap::new, Collectors.toList()));
    List<String> chosen = new ArrayList<>();
    int count = 0;
    for (List<HostView> host :
        waiting.values().stream()
            .filter(it -> it.stream().anyMatch(each -> wanted.concerns(each.member())))
            .sorted(Comparator.comparingInt(RolloutRules::rank))
            .toList()) {
      boolean master = rank(host) > 0;
      if (count == rollout.pace().batch() || master && count > 0) {
        break;
      }
      host.forEach(it -> chosen.add(it.id()));
      count++;
      if (master) {
        break;
      }
    }
    return chosen;
  }

  /** Which hosts come first: those without a master, then those of masters that do not lead. */
  private static int rank(List<HostView> host) {
    int rank = 0;
    for (HostView each : host) {
      if (each.member() instanceof Member.OfMaster master) {
        rank = Math.max(rank, master.leads() ? 2 : 1);
      }
    }
    return rank;
  }

  /**
   * Whether tasks fail more often where the rollout was: of the present batch by itself, since many
   * good batches before must not hide it, and of all of them.
   */
  private Optional<String> failing() {
    Set<String> touched = new HashSet<>(rollout.touched());
    List<TaskOutcomes> usual = hosts.values().stream().map(it -> it.tasks().usual()).toList();
    Optional<String> problem = failing(usual, rollout.batchNow());
    return problem.isPresent() ? problem : failing(usual, touched);
  }

  private Optional<String> failing(List<TaskOutcomes> usual, Collection<String> ids) {
    return FailureRule.problem(
        usual,
        ids.stream()
            .map(hosts::get)
            .filter(Objects::nonNull)
            .map(it -> it.tasks().since())
            .toList(),
        rollout.pace().moreFailures());
  }

  private Finding judge(String id) {
    HostView host = hosts.get(id);
    if (host == null) {
      return Finding.bad("agent " + id + " was lost");
    }
    Duration patience = rollout.pace().patience();
    if (!host.connected()) {
      Instant limit = host.since().plus(patience);
      return limit.isAfter(now)
          ? Finding.busy(limit)
          : Finding.bad(host.name() + " has had no link for " + patience.toSeconds() + " s");
    }
    if (host.status().isEmpty() || host.status().get().getGeneration() != rollout.to().number()) {
      return late(host, "has not said what became of it");
    }
    for (ModuleReport report : host.status().get().getModulesList()) {
      switch (report.getState()) {
        case FAILED, UNHEALTHY -> {
          if (changes(report.getSymbolicName())) {
            return Finding.bad(
                host.name() + ": " + report.getSymbolicName() + ": " + report.getProblem());
          }
        }
        case ACTIVE, OVERRIDDEN -> {}
        default -> {
          return late(host, "has not made " + report.getSymbolicName() + " active");
        }
      }
    }
    return Finding.GOOD;
  }

  /** What takes long is bad in the end; time without a link does not count. */
  private Finding late(HostView host, String what) {
    Instant began = host.since().isAfter(rollout.since()) ? host.since() : rollout.since();
    Duration patience = rollout.pace().patience();
    Instant limit = began.plus(patience);
    return limit.isAfter(now)
        ? Finding.busy(limit)
        : Finding.bad(host.name() + " " + what + " within " + patience.toSeconds() + " s");
  }

  /** Whether the rollout has to do with a bundle: what was ill before is no reason to stop it. */
  private boolean changes(String symbolicName) {
    return !find(wanted.current(), symbolicName).equals(find(rollout.to(), symbolicName));
  }

  private static Optional<WantedBundle> find(Generation generation, String symbolicName) {
    return generation.modules().stream()
        .filter(it -> it.symbolicName().equals(symbolicName))
        .findFirst();
  }

  private Step back() {
    Instant limit = rollout.since().plus(rollout.pace().patience());
    List<String> open =
        rollout.touched().stream()
            .map(hosts::get)
            .filter(host -> host != null && (host.connected() || host.returning()))
            .filter(host -> !isBack(host))
            .map(HostView::name)
            .toList();
    if (open.isEmpty()) {
      return new Step(
          wanted.with(rollout.ended(Rollout.State.ROLLED_BACK, rollout.reason())),
          Optional.empty());
    }
    if (limit.isAfter(now)) {
      return stay(rollout, limit);
    }
    return new Step(
        wanted.with(
            rollout.ended(
                Rollout.State.ROLLED_BACK,
                rollout.reason()
                    + "; not known to be back within "
                    + rollout.pace().patience().toSeconds()
                    + " s: "
                    + String.join(", ", open))),
        Optional.empty());
  }

  private boolean isBack(HostView host) {
    return host.status()
        .filter(status -> status.getGeneration() == wanted.current().number())
        .filter(RolloutRules::decided)
        .isPresent();
  }

  private static boolean decided(ModuleStatus status) {
    return status.getModulesList().stream()
        .noneMatch(
            report ->
                report.getState() == ModuleReport.State.PENDING
                    || report.getState() == ModuleReport.State.UNKNOWN);
  }

  private Step stay(Rollout next, Instant look) {
    return new Step(
        next.equals(rollout) ? wanted : wanted.with(next),
        look.equals(Instant.MAX) ? Optional.empty() : Optional.of(look));
  }

  private static Instant earlier(Instant one, Instant other) {
    return one.isBefore(other) ? one : other;
  }
}
