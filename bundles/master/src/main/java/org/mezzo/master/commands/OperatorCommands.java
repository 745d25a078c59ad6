package org.mezzo.master.commands;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.felix.service.command.Descriptor;
import org.mezzo.daemon.border.Refused;
import org.mezzo.flags.FlagValues;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.rollouts.HostView;
import org.mezzo.master.rollouts.Rollout;
import org.mezzo.master.rollouts.Rollouts;
import org.mezzo.master.transitions.Draining;
import org.mezzo.master.transitions.Standings;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.DurationInfo;

/**
 * What an operator in the shell has the leading master do with agents and rollouts, with the same
 * checks as over HTTP. A plain object, which Gogo finds by the properties it is registered with;
 * the shell says who may call it. Waits until what was wanted is in force.
 */
public final class OperatorCommands implements Function<List<String>, Collection<String>> {
  /** Those that look. */
  public static final List<String> LOOKING = List.of("rollouts");

  /** Those that change something. */
  public static final List<String> CHANGING =
      List.of("drain", "deactivate", "reactivate", "rollout");

  private static final String WHO = "shell";
  private static final int PATIENCE_SECONDS = 30;
  private static final Duration LONGEST_GRACE = Duration.ofDays(3650);

  private final Leadership leadership;
  private final LeaderChanges changes;

  public OperatorCommands(Leadership leadership) {
    this.leadership = leadership;
    changes = new LeaderChanges(leadership);
  }

  /** {@code mezzo:drain AGENT}: it gives up its tasks and gets no more (rule 247). */
  @Descriptor("has an agent give up its tasks")
  public String drain(@Descriptor("id of the agent") String agentId) throws InterruptedException {
    return drain(agentId, DrainConfig.getDefaultInstance());
  }

  /** {@code mezzo:drain AGENT GRACE}: the same, with no task having longer than that to end. */
  @Descriptor("has an agent give up its tasks within a time")
  public String drain(
      @Descriptor("id of the agent") String agentId,
      @Descriptor("how long a task may take to end, such as 30secs") String grace)
      throws InterruptedException {
    Duration longest;
    try {
      longest = FlagValues.duration(grace);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "'%s' is not how long a task may take to end: %s; write 30secs, for example"
              .formatted(grace, e.getMessage()),
          e);
    }
    if (longest.isNegative() || longest.compareTo(LONGEST_GRACE) > 0) {
      throw new IllegalArgumentException(
          "'%s' is not how long a task may take to end: that is at most ten years"
              .formatted(grace));
    }
    return drain(
        agentId,
        DrainConfig.newBuilder()
            .setMaxGracePeriod(DurationInfo.newBuilder().setNanoseconds(longest.toNanos()))
            .build());
  }

  private String drain(String agentId, DrainConfig config) throws InterruptedException {
    await(changes.make((tx, outcome) -> Draining.begin(tx, agentId, config, true, outcome)));
    return "Agent " + agentId + " gives up its tasks; mezzo:agents says how far it is";
  }

  /** {@code mezzo:deactivate AGENT}: nothing of it is offered (rule 253). */
  @Descriptor("keeps an agent out of offers; its tasks go on")
  public String deactivate(@Descriptor("id of the agent") String agentId)
      throws InterruptedException {
    await(changes.make((tx, outcome) -> Standings.deactivate(tx, agentId, outcome)));
    return "Nothing of agent " + agentId + " is offered; its tasks go on";
  }

  /** {@code mezzo:reactivate AGENT}: it is offered again, and drains no more. */
  @Descriptor("offers an agent again, and drains it no more")
  public String reactivate(@Descriptor("id of the agent") String agentId)
      throws InterruptedException {
    await(changes.make((tx, outcome) -> Standings.reactivate(tx, agentId, outcome)));
    return "Agent " + agentId + " is offered again";
  }

  /** {@code mezzo:rollouts}: which modules are wanted, and which daemons have them. */
  @Descriptor("shows which modules the cluster wants, and which daemons have them")
  public List<List<String>> rollouts() throws InterruptedException {
    return table(report(rollouts -> CompletableFuture.completedFuture(null)));
  }

  /** {@code mezzo:rollout ORDER}: pause, resume or abort the one under way, or roll back. */
  @Descriptor("does something with the rollout that is under way")
  public List<List<String>> rollout(@Descriptor("pause, resume, abort or rollback") String order)
      throws InterruptedException {
    Rollouts.Order wanted =
        Stream.of(Rollouts.Order.values())
            .filter(it -> name(it).equals(order))
            .findAny()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "'%s' is nothing to be done with a rollout: say one of %s; mezzo module"
                                .formatted(order, String.join(", ", orders()))
                            + " rollout begins one"));
    return table(report(rollouts -> rollouts.order(wanted, WHO)));
  }

  private static String name(Rollouts.Order order) {
    return order.name().toLowerCase(Locale.ROOT);
  }

  private static List<String> orders() {
    return Stream.of(Rollouts.Order.values()).map(OperatorCommands::name).toList();
  }

  private Rollouts.Report report(Function<Rollouts, CompletionStage<Void>> what)
      throws InterruptedException {
    return await(changes.withRollouts(what));
  }

  private static List<List<String>> table(Rollouts.Report report) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("DAEMON", "HOST", "GENERATION", "MODULES"));
    String wanted =
        report.wanted().current().modules().stream()
            .map(it -> it.symbolicName() + " " + it.version())
            .collect(Collectors.joining(", "));
    rows.add(
        List.of(
            "(wanted)",
            "",
            Long.toString(report.wanted().current().number()),
            wanted.isEmpty() ? "nothing" : wanted));
    report.wanted().rollout().ifPresent(it -> rows.add(last(it)));
    report.hosts().stream()
        .sorted(Comparator.comparing(HostView::id))
        .forEach(
            host ->
                rows.add(
                    List.of(
                        host.id(),
                        host.member().hostname(),
                        host.connected()
                            ? host.status().map(it -> Long.toString(it.getGeneration())).orElse("-")
                            : "away",
                        host.awaits()
                            .map(it -> "no offers: " + it)
                            .or(() -> host.status().map(OperatorCommands::modules))
                            .orElse(""))));
    return rows;
  }

  private static List<String> last(Rollout rollout) {
    return List.of(
        "(rollout)",
        "",
        Long.toString(rollout.to().number()),
        rollout.state()
            + ", "
            + rollout.touched().size()
            + " were told"
            + (rollout.reason().isEmpty() ? "" : ": " + rollout.reason()));
  }

  private static String modules(ModuleStatus status) {
    return status.getModulesList().stream()
        .map(
            it ->
                it.getSymbolicName()
                    + " "
                    + it.getVersion()
                    + " "
                    + it.getState()
                    + (it.getProblem().isEmpty() ? "" : " (" + it.getProblem() + ")"))
        .collect(Collectors.joining(", "));
  }

  /** Waits for what becomes of a change; in words why it was not made. */
  private static <T> T await(CompletionStage<T> change) throws InterruptedException {
    try {
      return change.toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      Throwable cause =
          e.getCause() instanceof CompletionException ? e.getCause().getCause() : e.getCause();
      throw new IllegalStateException(
          cause instanceof Refused ? cause.getMessage() : "It was not done: " + cause, e);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "Whether it was done is not known after %d seconds; it may still be"
              .formatted(PATIENCE_SECONDS),
          e);
    }
  }

  /** Ids of agents, and what can be done with a rollout; from the published state. */
  @Override
  public Collection<String> apply(List<String> words) {
    if (words.size() != 1) {
      return List.of();
    }
    return switch (words.get(0)) {
      case "drain", "deactivate", "reactivate" ->
          leadership
              .state()
              .map(state -> state.agents().keySet().stream().sorted().toList())
              .orElse(List.of());
      case "rollout" -> orders();
      default -> List.of();
    };
  }
}
