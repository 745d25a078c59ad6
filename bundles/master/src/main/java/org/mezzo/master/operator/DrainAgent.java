package org.mezzo.master.operator;

import com.google.protobuf.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.transitions.Draining;
import org.mezzo.protocol.v1.DrainConfig;
import org.mezzo.protocol.v1.DurationInfo;
import org.mezzo.protocol.v1.master.Call;

/** DRAIN_AGENT: an agent has to give up its tasks (rule 247). */
final class DrainAgent implements ApiCall<Call> {
  /** What fits into nanoseconds, of which there are as many as a long can count. */
  private static final long MOST_SECONDS = Long.MAX_VALUE / 1_000_000_000 - 1;

  private final LeaderChanges changes;
  private final Authorization authorization;
  private final Executor answers;

  /**
   * A call.
   *
   * @param answers where it goes on once the drain has begun
   */
  DrainAgent(LeaderChanges changes, Authorization authorization, Executor answers) {
    this.changes = changes;
    this.authorization = authorization;
    this.answers = answers;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.DRAIN_AGENT,
            Permission.perObject(Action.DRAIN_AGENT, Action.MARK_AGENT_GONE),
            "Takes an agent out of offers and ends its tasks; then marks it gone if that is wanted,"
                + " too.")
        .carrying("drain_agent");
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    Call.DrainAgent drain = call.getDrainAgent();
    String agentId = drain.getAgentId().getValue();
    DrainConfig config = config(drain);
    exchange.when(
        authorization
            .decide(
                exchange.principal(),
                List.of(Action.DRAIN_AGENT, Action.MARK_AGENT_GONE),
                approvers ->
                    approvers.approved(Action.DRAIN_AGENT)
                        && (!config.getMarkGone() || approvers.approved(Action.MARK_AGENT_GONE)))
            .thenCompose(
                allowed ->
                    changes.make(
                        (tx, outcome) -> Draining.begin(tx, agentId, config, allowed, outcome))),
        answers,
        done -> exchange.ok());
  }

  private static DrainConfig config(Call.DrainAgent drain) throws Refused {
    DrainConfig.Builder config = DrainConfig.newBuilder().setMarkGone(drain.getMarkGone());
    if (drain.hasMaxGracePeriod()) {
      Duration longest = drain.getMaxGracePeriod();
      if (longest.getSeconds() < 0 || longest.getNanos() < 0) {
        throw new Refused(
            400,
            "Failed to validate master::Call: Expecting 'max_grace_period' to be non-negative");
      }
      if (longest.getSeconds() > MOST_SECONDS || longest.getNanos() >= 1_000_000_000) {
        throw new Refused(
            400,
            "Failed to validate master::Call: Expecting 'max_grace_period' to have at most "
                + MOST_SECONDS
                + " seconds, and less than 1000000000 nanos");
      }
      config.setMaxGracePeriod(
          DurationInfo.newBuilder()
              .setNanoseconds(longest.getSeconds() * 1_000_000_000 + longest.getNanos()));
    }
    return config.build();
  }
}
