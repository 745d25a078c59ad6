package org.mezzo.master.transitions;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.link.messages.AcknowledgeOperation;
import org.mezzo.link.messages.ApplyOperation;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.OperationUpdate;
import org.mezzo.link.messages.Reregister;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.LedgerChange;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.operations.OperationRequest;
import org.mezzo.master.operations.ResourceOperation;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Operation;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.OperationStatus;
import org.mezzo.protocol.v1.UUID;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.Conversion;
import org.mezzo.resources.Resources;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Operations on agents' resources (rules 62 to 65, 268 to 271, 298 to 314). The ledger is converted
 * when the operation is accepted, so that what comes of it can be used at once; the agent does the
 * same and says so.
 */
public final class AgentOperations {
  private static final Logger LOG = LoggerFactory.getLogger(AgentOperations.class);

  /** Outcomes that a framework may leave unacknowledged. */
  static final int MOST_PER_FRAMEWORK = 10_000;

  private AgentOperations() {}

  /**
   * Carries out an operation of a framework with what it holds; if something is wrong with it, the
   * framework is told so where the operation has an id (rule 311).
   *
   * @param given as the framework has sent it, in the form of reservation stacks
   * @param role of the offers
   * @param left of what the offers held
   * @return what was made of what; empty when nothing was done
   */
  static Optional<Conversion> accept(
      Transition tx,
      String frameworkId,
      String agentId,
      org.mezzo.protocol.v1.Offer.Operation given,
      String role,
      Resources left) {
    ResourceOperation kind = ResourceOperation.of(given.getType()).orElseThrow();
    org.mezzo.protocol.v1.Offer.Operation operation = kind.allocated(given, role);
    Framework framework = tx.framework(frameworkId);
    Agent agent = tx.agent(agentId);
    Optional<String> problem =
        feedbackProblem(tx, framework, agent, given)
            .or(
                () ->
                    kind.problem(
                            new OperationRequest(
                                operation,
                                framework.principal(),
                                Optional.of(
                                    new OperationRequest.Asking(
                                        framework.subscription().roles(),
                                        framework.subscription().capabilities())),
                                tx.state().account(agentId),
                                agent.capabilities()))
                        .map(text -> kind.error(text, agent)));
    if (problem.isPresent()) {
      refuse(tx, framework, given, problem.get());
      return Optional.empty();
    }
    Conversion conversion = ResourceOperation.conversion(operation);
    if (!left.contains(conversion.consumed())) {
      refuse(tx, framework, given, kind.shortage(left, conversion.consumed()));
      return Optional.empty();
    }
    convert(tx, frameworkId, agentId, conversion.consumed(), conversion.converted());
    hand(tx, frameworkId, agent, kind.unallocated(operation));
    return Optional.of(conversion);
  }

  private static Optional<String> feedbackProblem(
      Transition tx,
      Framework framework,
      Agent agent,
      org.mezzo.protocol.v1.Offer.Operation operation) {
    if (!operation.hasId()) {
      return Optional.empty();
    }
    if (!agent.capabilities().contains(AgentInfo.Capability.Type.AGENT_OPERATION_FEEDBACK)) {
      return Optional.of(
          "Operation '"
              + operation.getId().getValue()
              + "' has an id, which needs an agent with the capability AGENT_OPERATION_FEEDBACK");
    }
    if (tx.state().operations().of(framework.id(), operation.getId().getValue()).isPresent()) {
      return Optional.of(
          "Operation id '"
              + operation.getId().getValue()
              + "' is in use; acknowledge the status of the earlier operation first");
    }
    return tx.state().operations().count(framework.id()) < MOST_PER_FRAMEWORK
        ? Optional.empty()
        : Optional.of(
            MOST_PER_FRAMEWORK
                + " operations wait for acknowledgements; acknowledge their statuses first");
  }

  /** Tells a framework that an operation is not done; only of one that has an id. */
  static void refuse(
      Transition tx,
      Framework framework,
      org.mezzo.protocol.v1.Offer.Operation operation,
      String message) {
    LOG.info(
        "Operation {} of framework {} is not done: {}",
        operation.getType(),
        framework.id(),
        message);
    if (operation.hasId()) {
      send(
          tx,
          framework,
          OperationStatus.newBuilder()
              .setOperationId(operation.getId())
              .setState(OperationState.OPERATION_ERROR)
              .setMessage(message)
              .build());
    }
  }

  /** Why an operator's operation cannot be done whatever is free; empty when it can. */
  public static Optional<String> problem(
      MasterState state,
      Agent agent,
      Optional<String> principal,
      org.mezzo.protocol.v1.Offer.Operation operation) {
    ResourceOperation kind = ResourceOperation.of(operation.getType()).orElseThrow();
    if (kind.named(operation).stream().anyMatch(it -> it.hasAllocationInfo())) {
      return Optional.of(
          kind.refusal("Resources of operators must not have 'allocation_info'", agent));
    }
    return kind.problem(
            new OperationRequest(
                operation,
                principal,
                Optional.empty(),
                state.account(agent.id()),
                agent.capabilities()))
        .map(text -> kind.refusal(text, agent));
  }

  /**
   * Carries out an operator's operation with which nothing is wrong, if there is enough that tasks
   * do not have: offers that hold what it needs are rescinded (rule 269).
   *
   * @return why it is not done (rule 270); nothing has changed then
   */
  public static Optional<String> operate(
      Transition tx, Agent agent, org.mezzo.protocol.v1.Offer.Operation operation) {
    ResourceOperation kind = ResourceOperation.of(operation.getType()).orElseThrow();
    Conversion conversion = ResourceOperation.conversion(operation);
    Account account = tx.state().account(agent.id());
    Resources consumed = conversion.consumed();
    Resources available = account.free().plus(account.totalOffered().unallocated().nonShared());
    if (!available.contains(consumed)) {
      return Optional.of(kind.shortage(available, consumed));
    }
    free(tx, agent.id(), consumed);
    convert(tx, "", agent.id(), consumed, conversion.converted());
    hand(tx, "", agent, operation);
    tx.allocate(agent.id());
    return Optional.empty();
  }

  /** Rescinds offers that hold a part of something, until it is free. */
  private static void free(Transition tx, String agentId, Resources wanted) {
    for (String id : List.copyOf(tx.state().account(agentId).offers())) {
      if (tx.state().account(agentId).free().contains(wanted)) {
        return;
      }
      Offer offer = tx.state().offers().get(id);
      Resources held = offer.resources().unallocated();
      if (!held.minus(wanted).equals(held)) {
        Offers.rescind(tx, offer);
      }
    }
  }

  private static void convert(
      Transition tx, String frameworkId, String agentId, Resources from, Resources to) {
    tx.post(
        new LedgerChange.Converted(
            frameworkId, agentId, Account.AGENT, tx.state().account(agentId).version(), from, to));
  }

  private static void hand(
      Transition tx,
      String frameworkId,
      Agent agent,
      org.mezzo.protocol.v1.Offer.Operation operation) {
    Map.Entry<ByteString, MasterState> next = tx.state().newOperationUuid();
    tx.become(next.getValue());
    OperationStatus.Builder pending =
        OperationStatus.newBuilder()
            .setState(OperationState.OPERATION_PENDING)
            .setAgentId(agent.info().getId());
    if (operation.hasId()) {
      pending.setOperationId(operation.getId());
    }
    Operation handed =
        new Operation(next.getKey(), frameworkId, agent.id(), operation, pending.build());
    tx.become(tx.state().with(tx.state().operations().with(handed)));
    tx.send(
        agent,
        MasterEvent.newBuilder()
            .setApplyOperation(
                ApplyOperation.newBuilder()
                    .setOperation(message(handed))
                    .setResourceVersionUuid(tx.state().account(agent.id()).version())));
  }

  /** An operation as the protocol has it. */
  public static org.mezzo.protocol.v1.Operation message(Operation operation) {
    org.mezzo.protocol.v1.Operation.Builder message =
        org.mezzo.protocol.v1.Operation.newBuilder()
            .setAgentId(AgentID.newBuilder().setValue(operation.agentId()))
            .setInfo(operation.info())
            .setLatestStatus(operation.latest())
            .addStatuses(operation.latest())
            .setUuid(UUID.newBuilder().setValue(operation.uuid()));
    if (!operation.frameworkId().isEmpty()) {
      message.setFrameworkId(FrameworkID.newBuilder().setValue(operation.frameworkId()));
    }
    return message.build();
  }

  /** An agent says how an operation went. */
  public static void update(Transition tx, String agentId, OperationUpdate update) {
    tx.count("master/messages_operation_status_update");
    OperationStatus status = update.getStatus();
    Operation operation = tx.state().operations().get(update.getOperationUuid()).orElse(null);
    Agent agent = tx.agent(agentId);
    if (operation == null || agent == null || !operation.agentId().equals(agentId)) {
      tx.count("master/invalid_operation_status_updates");
      if (agent != null && status.hasUuid()) {
        acknowledge(tx, agent, update.getOperationUuid(), status);
      }
      return;
    }
    tx.count("master/valid_operation_status_updates");
    boolean news = !operation.terminal();
    if (news
        && Operation.terminal(status.getState())
        && status.getState() != OperationState.OPERATION_FINISHED) {
      undo(tx, operation, status);
    }
    Operation now = news ? operation.with(status) : operation;
    Framework framework = tx.framework(operation.frameworkId());
    if (framework != null && operation.id().isPresent()) {
      send(tx, framework, status);
    } else if (status.hasUuid()) {
      acknowledge(tx, agent, operation.uuid(), status);
    }
    boolean over =
        now.terminal() && (!status.hasUuid() || framework == null || operation.id().isEmpty());
    tx.become(
        tx.state()
            .with(over ? tx.state().operations().without(now) : tx.state().operations().with(now)));
    Draining.look(tx, agentId);
  }

  /** The agent did not do what the ledger has done already. */
  private static void undo(Transition tx, Operation operation, OperationStatus status) {
    LOG.warn(
        "Agent {} did not carry out {}: {} {}",
        operation.agentId(),
        operation.info().getType(),
        status.getState(),
        status.getMessage());
    Conversion conversion = ResourceOperation.conversion(operation.info());
    free(tx, operation.agentId(), conversion.converted());
    Account account = tx.state().account(operation.agentId());
    if (account.free().contains(conversion.converted())) {
      convert(tx, "", operation.agentId(), conversion.converted(), conversion.consumed());
    } else {
      LOG.error(
          "What agent {} was believed to have is used by tasks, or not there any more: {}; it is"
              + " put right when the agent registers again",
          operation.agentId(),
          conversion.converted());
    }
  }

  private static void acknowledge(
      Transition tx, Agent agent, ByteString operationUuid, OperationStatus status) {
    tx.send(
        agent,
        MasterEvent.newBuilder()
            .setAcknowledgeOperation(
                AcknowledgeOperation.newBuilder()
                    .setOperationUuid(operationUuid)
                    .setStatusUuid(status.getUuid().getValue())));
  }

  /** ACKNOWLEDGE_OPERATION_STATUS. */
  public static void acknowledge(
      Transition tx, String frameworkId, Call.AcknowledgeOperationStatus call) {
    tx.count("master/messages_operation_status_update_acknowledgement");
    Operation operation =
        tx.state().operations().of(frameworkId, call.getOperationId().getValue()).orElse(null);
    Agent agent = tx.agent(call.getAgentId().getValue());
    if (operation == null
        || agent == null
        || !agent.connected()
        || !operation.agentId().equals(agent.id())
        || !operation.latest().hasUuid()
        || !operation.latest().getUuid().getValue().equals(call.getUuid())) {
      tx.count("master/invalid_operation_status_update_acknowledgements");
      return;
    }
    tx.count("master/valid_operation_status_update_acknowledgements");
    acknowledge(tx, agent, operation.uuid(), operation.latest());
    if (operation.terminal()) {
      tx.become(tx.state().with(tx.state().operations().without(operation)));
      Draining.look(tx, agent.id());
    }
  }

  /** RECONCILE_OPERATIONS; none mean all (rules 129 and 130). */
  public static void reconcile(
      Transition tx, String frameworkId, List<Call.ReconcileOperations.Operation> asked) {
    tx.count("master/messages_reconcile_operations");
    Framework framework = tx.framework(frameworkId);
    if (asked.isEmpty()) {
      for (Operation operation : tx.state().operations().of(frameworkId)) {
        if (operation.id().isPresent()) {
          send(tx, framework, operation.latest().toBuilder().clearUuid().build());
        }
      }
      return;
    }
    for (Call.ReconcileOperations.Operation one : asked) {
      OperationStatus status =
          tx.state()
              .operations()
              .of(frameworkId, one.getOperationId().getValue())
              .map(known -> known.latest().toBuilder().clearUuid().build())
              .orElseGet(() -> unknown(tx, one));
      send(tx, framework, status);
    }
  }

  private static OperationStatus unknown(Transition tx, Call.ReconcileOperations.Operation asked) {
    String agentId = asked.getAgentId().getValue();
    OperationStatus.Builder status =
        OperationStatus.newBuilder().setOperationId(asked.getOperationId());
    if (asked.hasAgentId()) {
      status.setAgentId(asked.getAgentId());
    }
    if (asked.hasResourceProviderId()) {
      status.setResourceProviderId(asked.getResourceProviderId());
    }
    if (tx.state().recoveredAgents().containsKey(agentId)) {
      return status
          .setState(OperationState.OPERATION_RECOVERING)
          .setMessage("Reconciliation: Agent is recovered but has not re-registered")
          .build();
    }
    if (tx.state().unreachableAgents().containsKey(agentId)) {
      return status
          .setState(OperationState.OPERATION_UNREACHABLE)
          .setMessage("Reconciliation: Agent is unreachable")
          .build();
    }
    if (tx.state().goneAgents().containsKey(agentId)) {
      return status
          .setState(OperationState.OPERATION_GONE_BY_OPERATOR)
          .setMessage("Reconciliation: Agent marked gone by operator")
          .build();
    }
    return status
        .setState(OperationState.OPERATION_UNKNOWN)
        .setMessage("Reconciliation: Operation is unknown")
        .build();
  }

  /** Takes over what a registering agent says of operations; asks for those it says nothing of. */
  static void reported(Transition tx, Agent agent, Reregister message) {
    Set<ByteString> mentioned = new HashSet<>();
    for (org.mezzo.protocol.v1.Operation reported : message.getOperationsList()) {
      ByteString uuid = reported.getUuid().getValue();
      mentioned.add(uuid);
      if (tx.state().operations().get(uuid).isEmpty()) {
        tx.become(
            tx.state()
                .with(
                    tx.state()
                        .operations()
                        .with(
                            new Operation(
                                uuid,
                                reported.getFrameworkId().getValue(),
                                agent.id(),
                                reported.getInfo(),
                                reported.getLatestStatus()))));
      }
    }
    List<ByteString> missing = new ArrayList<>();
    for (Operation operation : tx.state().operations().on(agent.id())) {
      if (!mentioned.contains(operation.uuid())) {
        missing.add(operation.uuid());
      }
    }
    if (!missing.isEmpty()) {
      tx.send(
          agent,
          MasterEvent.newBuilder()
              .setReconcileOperations(
                  org.mezzo.link.messages.ReconcileOperations.newBuilder()
                      .addAllOperationUuids(missing)));
    }
  }

  /**
   * Forgets the operations on an agent that has left.
   *
   * @param state what frameworks are told of those with an id; empty: nothing (rule 151)
   */
  static void agentLeft(Transition tx, String agentId, Optional<OperationState> state) {
    for (Operation operation : tx.state().operations().on(agentId)) {
      Framework framework = tx.framework(operation.frameworkId());
      if (state.isPresent()
          && framework != null
          && operation.id().isPresent()
          && !operation.terminal()) {
        send(
            tx,
            framework,
            OperationStatus.newBuilder()
                .setOperationId(operation.info().getId())
                .setAgentId(AgentID.newBuilder().setValue(agentId))
                .setState(state.get())
                .build());
      }
      tx.become(tx.state().with(tx.state().operations().without(operation)));
    }
  }

  /** What is left to acknowledge of a framework that is gone is acknowledged for it (rule 313). */
  static void frameworkRemoved(Transition tx, String frameworkId) {
    for (Operation operation : tx.state().operations().of(frameworkId)) {
      Agent agent = tx.agent(operation.agentId());
      if (operation.terminal()) {
        if (agent != null && operation.latest().hasUuid()) {
          acknowledge(tx, agent, operation.uuid(), operation.latest());
        }
        tx.become(tx.state().with(tx.state().operations().without(operation)));
        Draining.look(tx, operation.agentId());
      }
    }
  }

  private static void send(Transition tx, Framework framework, OperationStatus status) {
    tx.send(
        framework,
        Event.newBuilder()
            .setType(Event.Type.UPDATE_OPERATION_STATUS)
            .setUpdateOperationStatus(Event.UpdateOperationStatus.newBuilder().setStatus(status))
            .build());
  }
}
