package org.mezzo.master.operator;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.election.LeaderChanges;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.operations.ResourceOperation;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.transitions.AgentOperations;
import org.mezzo.master.transitions.Outcome;
import org.mezzo.master.transitions.Refusal;
import org.mezzo.master.transitions.Transition;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.resources.ResourceFormatException;

/**
 * Changes reservations and volumes of agents because an operator wants it (rules 268 to 271), by
 * call or by form. For any thread.
 */
public final class ResourceChanges {
  private static final Refusal UNKNOWN = new Refusal(400, "No agent found with specified ID");

  private final Leadership leadership;
  private final LeaderChanges changes;
  private final Authorization authorization;

  public ResourceChanges(
      Leadership leadership, LeaderChanges changes, Authorization authorization) {
    this.leadership = leadership;
    this.changes = changes;
    this.authorization = authorization;
  }

  /** The leave that an operation of this type needs. */
  public static <R> Permission<R> permission(Offer.Operation.Type type) {
    return Permission.perObject(kind(type).action());
  }

  private static ResourceOperation kind(Offer.Operation.Type type) {
    return ResourceOperation.of(type).orElseThrow();
  }

  /**
   * Does an operation on an agent's resources that no task has.
   *
   * @param given with resources in any reservation format
   * @param invalid put before what is wrong with the format of a resource
   * @return completes when the agent was told, on any thread; fails with {@link Refused}
   * @throws Refused when there is no such agent, or something is wrong with the operation
   */
  public CompletionStage<Void> make(
      Optional<Principal> principal, String agentId, Offer.Operation given, String invalid)
      throws Refused {
    MasterState state = leadership.state().orElseThrow(ResourceChanges::noLeader);
    Agent agent = state.agents().get(agentId);
    if (agent == null) {
      throw new Refused(UNKNOWN.status(), UNKNOWN.text());
    }
    ResourceOperation kind = kind(given.getType());
    Offer.Operation operation;
    try {
      operation = kind.upgraded(given);
    } catch (ResourceFormatException e) {
      throw new Refused(400, invalid + e.getMessage());
    }
    Optional<String> name = principal.flatMap(Principal::value);
    Optional<String> problem = AgentOperations.problem(state, agent, name, operation);
    if (problem.isPresent()) {
      throw new Refused(400, problem.get());
    }
    List<AuthorizationObject> objects = kind.objects(operation);
    Action action = kind.action();
    return authorization
        .decide(
            principal,
            List.of(action),
            approvers -> {
              for (AuthorizationObject object : objects) {
                if (!approvers.approved(action, object)) {
                  throw new Refused(403, "403 Forbidden.");
                }
              }
              return operation;
            })
        .thenCompose(
            approved ->
                changes.make((tx, outcome) -> operate(tx, agentId, name, approved, outcome)));
  }

  /** What was judged before may not be so any more when its turn has come. */
  private static void operate(
      Transition tx,
      String agentId,
      Optional<String> principal,
      Offer.Operation operation,
      Outcome outcome) {
    Optional<Refusal> refusal = refusal(tx, agentId, principal, operation);
    if (refusal.isPresent()) {
      outcome.refused(tx, refusal.get());
    } else {
      outcome.done(tx);
    }
  }

  private static Optional<Refusal> refusal(
      Transition tx, String agentId, Optional<String> principal, Offer.Operation operation) {
    Agent agent = tx.agent(agentId);
    if (agent == null) {
      return Optional.of(UNKNOWN);
    }
    if (!agent.connected()) {
      return Optional.of(
          new Refusal(409, "Agent " + agentId + " is disconnected; try again when it is back"));
    }
    return AgentOperations.problem(tx.state(), agent, principal, operation)
        .map(text -> new Refusal(400, text))
        .or(() -> AgentOperations.operate(tx, agent, operation).map(it -> new Refusal(409, it)));
  }

  private static Refused noLeader() {
    return new Refused(503, "No leader elected");
  }
}
