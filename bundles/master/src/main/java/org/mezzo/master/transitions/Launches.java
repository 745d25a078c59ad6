package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.operations.ResourceOperation;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.transitions.Accepted.LaunchedTask;
import org.mezzo.protocol.v1.Offer.Operation;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Conversion;
import org.mezzo.resources.Resources;

/** ACCEPT (rules 59 to 68): what is held by it, and the order of its operations. */
public final class Launches {
  /** Tasks that are launched in one turn of the loop. */
  private static final int BATCH = 50;

  private Launches() {}

  /** ACCEPT. */
  public static void accept(Transition tx, String frameworkId, Accepted call) {
    Optional<String> problem = offersProblem(tx, frameworkId, call.offerIds());
    if (problem.isPresent()) {
      refuse(tx, frameworkId, call, problem.get());
      return;
    }
    List<Offer> offers = new ArrayList<>();
    for (OfferID id : call.offerIds()) {
      offers.add(tx.state().offers().get(id.getValue()));
    }
    Offer first = offers.get(0);
    Resources held = Resources.EMPTY;
    for (Offer offer : offers) {
      held = held.plus(offer.resources());
    }
    Offers.claim(tx, offers);
    if (call.operations().isEmpty()) {
      Offers.refused(tx, frameworkId, offers.size(), 0);
    } else {
      Offers.notRefusing(tx, frameworkId);
    }
    Framework framework = tx.framework(frameworkId);
    Agent agent = tx.agent(first.agentId());
    Claim claim =
        new Claim(
            frameworkId,
            framework.registered(),
            first.agentId(),
            agent.registered(),
            first.role(),
            held);
    Progress begin = Progress.begin(claim, call, Consultation.Answer.NONE);
    List<Consultation.Question> questions = call.questions();
    boolean consult = tx.settings().consult() && (call.taskCount() > 0 || !questions.isEmpty());
    if (consult || call.taskCount() > BATCH) {
      PendingTasks.add(tx, call);
    }
    if (!consult) {
      apply(tx, begin);
      return;
    }
    List<TaskInfo> tasks = new ArrayList<>();
    call.operations()
        .forEach(operation -> operation.tasks().forEach(task -> tasks.add(task.info())));
    tx.effect(
        new Effect.Consult(
            new Consultation(
                framework.info(),
                agent.info(),
                tasks,
                questions,
                (later, answer) ->
                    apply(later, Progress.begin(claim, call.with(answer.resources()), answer)))));
  }

  private static Optional<String> offersProblem(
      Transition tx, String frameworkId, List<OfferID> ids) {
    if (ids.isEmpty()) {
      return Optional.of("No offers specified");
    }
    Set<String> seen = new HashSet<>();
    for (OfferID id : ids) {
      if (!seen.add(id.getValue())) {
        return Optional.of("Duplicate offer " + id.getValue() + " in offer list");
      }
    }
    Offer first = null;
    for (OfferID id : ids) {
      Offer offer = tx.state().offers().get(id.getValue());
      if (offer == null) {
        return Optional.of("Offer " + id.getValue() + " is no longer valid");
      }
      if (!offer.frameworkId().equals(frameworkId)) {
        return Optional.of(
            "Offer "
                + offer.id()
                + " has invalid framework "
                + offer.frameworkId()
                + " while framework "
                + frameworkId
                + " is expected");
      }
      first = first == null ? offer : first;
      if (!offer.role().equals(first.role())) {
        return Optional.of(
            "Aggregated offers must be allocated to the same role. Offer "
                + offer.id()
                + " uses role "
                + offer.role()
                + " but another is using role "
                + first.role());
      }
      if (!offer.agentId().equals(first.agentId())) {
        return Optional.of(
            "Aggregated offers must belong to one single agent. Offer "
                + offer.id()
                + " uses agent "
                + offer.agentId()
                + " and another agent "
                + first.agentId());
      }
    }
    return Optional.empty();
  }

  /** Some offer is not valid (rule 61). */
  private static void refuse(Transition tx, String frameworkId, Accepted call, String problem) {
    tx.count("master/invalid_accept_calls");
    for (OfferID id : call.offerIds()) {
      Offer offer = tx.state().offers().get(id.getValue());
      if (offer != null && offer.frameworkId().equals(frameworkId)) {
        Offers.withdraw(tx, offer);
      }
    }
    Framework framework = tx.framework(frameworkId);
    for (Accepted.Operation operation : call.operations()) {
      for (TaskInfo task : tasksOf(operation.message())) {
        Rejections.drop(
            tx,
            framework,
            task,
            TaskStatus.Reason.REASON_INVALID_OFFERS,
            "Task launched with invalid offers: " + problem);
      }
      operationError(
          tx,
          framework,
          operation.message(),
          "Operation attempted with invalid offers: " + problem);
    }
  }

  private static List<TaskInfo> tasksOf(Operation operation) {
    return switch (operation.getType()) {
      case LAUNCH -> operation.getLaunch().getTaskInfosList();
      case LAUNCH_GROUP -> operation.getLaunchGroup().getTaskGroup().getTasksList();
      default -> List.of();
    };
  }

  private static void operationError(
      Transition tx, Framework framework, Operation operation, String message) {
    boolean launching =
        operation.getType() == Operation.Type.LAUNCH
            || operation.getType() == Operation.Type.LAUNCH_GROUP;
    if (!launching) {
      AgentOperations.refuse(tx, framework, operation, message);
    }
  }

  /**
   * How far an accepted call has come.
   *
   * @param operation the operation to go on with
   * @param task the task of it to go on with
   * @param left of what the claim holds, with what operations have made of it
   * @param converted that part of it which operations have made
   * @param made by operations, but not to be used by later ones (rule 304)
   */
  private record Progress(
      Claim claim,
      Accepted call,
      Consultation.Answer answer,
      int operation,
      int task,
      Resources left,
      Resources converted,
      Resources made) {

    static Progress begin(Claim claim, Accepted call, Consultation.Answer answer) {
      return new Progress(
          claim, call, answer, 0, 0, claim.held(), Resources.EMPTY, Resources.EMPTY);
    }

    Progress at(int nextOperation, int nextTask, Resources nextLeft) {
      return new Progress(claim, call, answer, nextOperation, nextTask, nextLeft, converted, made);
    }

    Progress after(Conversion conversion, boolean usable) {
      Resources without = left.minus(conversion.consumed());
      return new Progress(
          claim,
          call,
          answer,
          operation,
          task,
          usable ? without.plus(conversion.converted()) : without,
          usable ? converted.minus(conversion.consumed()).plus(conversion.converted()) : converted,
          usable ? made : made.plus(conversion.converted()));
    }

    /** Everything that was not looked at yet. */
    List<TaskInfo> remaining() {
      List<TaskInfo> tasks = new ArrayList<>();
      for (int i = operation; i < call.operations().size(); i++) {
        List<TaskInfo> all = tasksOf(call.operations().get(i).message());
        tasks.addAll(i == operation ? all.subList(Math.min(task, all.size()), all.size()) : all);
      }
      return tasks;
    }
  }

  /**
   * Applies operations in order, so many tasks in one go that the loop is not held for long; but a
   * group, which is one thing, in one go.
   */
  private static void apply(Transition tx, Progress progress) {
    Claim claim = progress.claim();
    Framework framework = tx.framework(claim.frameworkId());
    if (framework == null || !framework.registered().equals(claim.frameworkSince())) {
      return;
    }
    Agent agent = tx.agent(claim.agentId());
    boolean there = agent != null && agent.registered().equals(claim.agentSince());
    if (!there || !agent.connected()) {
      abandon(tx, progress, there);
      return;
    }
    Progress now = progress;
    int budget = BATCH;
    while (now.operation() < now.call().operations().size()) {
      Accepted.Operation operation = now.call().operations().get(now.operation());
      switch (operation.message().getType()) {
        case LAUNCH -> {
          int count = operation.tasks().size();
          int end = Math.min(count, now.task() + Math.max(0, budget));
          budget -= end - now.task();
          now = launch(tx, now, operation, end);
          if (end < count) {
            Progress rest = now;
            tx.effect(new Effect.Next(later -> apply(later, rest)));
            return;
          }
        }
        case LAUNCH_GROUP -> {
          int count = operation.tasks().size();
          if (count > budget && budget < BATCH) {
            Progress whole = now;
            tx.effect(new Effect.Next(later -> apply(later, whole)));
            return;
          }
          budget -= count;
          now =
              now.at(
                  now.operation(),
                  count,
                  GroupLaunches.launch(tx, claim, operation, now.answer(), now.left()));
        }
        default -> now = operate(tx, now, operation);
      }
      now = now.at(now.operation() + 1, 0, now.left());
    }
    Holdings.release(tx, claim.frameworkId(), claim.agentId(), now.left().plus(now.made()));
    // What operations have made comes back at once (rule 59).
    Offers.filter(
        tx,
        claim.frameworkId(),
        claim.agentId(),
        claim.role(),
        now.left().minus(now.converted()),
        now.call().filters());
    if (!now.converted().isEmpty() || !now.made().isEmpty()) {
      tx.allocate(claim.agentId());
    }
  }

  /** Carries out an operation on resources. */
  private static Progress operate(Transition tx, Progress progress, Accepted.Operation operation) {
    Claim claim = progress.claim();
    Framework framework = tx.framework(claim.frameworkId());
    org.mezzo.protocol.v1.Offer.Operation message = operation.message();
    Optional<ResourceOperation> kind = ResourceOperation.of(message.getType());
    if (kind.isEmpty()) {
      AgentOperations.refuse(
          tx,
          framework,
          message,
          message.getType() + " operations need a resource provider, and the agent has none");
      return progress;
    }
    if (operation.formatProblem().isPresent()) {
      AgentOperations.refuse(tx, framework, message, operation.formatProblem().get());
      return progress;
    }
    if (progress.answer().refused().contains(progress.operation())) {
      AgentOperations.refuse(
          tx,
          framework,
          message,
          "Not authorized to "
              + message.getType()
              + framework.principal().map(it -> " as '" + it + "'").orElse(""));
      return progress;
    }
    return AgentOperations.accept(
            tx, claim.frameworkId(), claim.agentId(), message, claim.role(), progress.left())
        .map(conversion -> progress.after(conversion, kind.get().usableAtOnce()))
        .orElse(progress);
  }

  /** The agent is gone or disconnected (rule 66). */
  private static void abandon(Transition tx, Progress progress, boolean there) {
    Claim claim = progress.claim();
    for (TaskInfo task : progress.remaining()) {
      PendingTasks.remove(tx, claim.frameworkId(), task.getTaskId().getValue());
      Rejections.drop(
          tx,
          tx.framework(claim.frameworkId()),
          task,
          there
              ? TaskStatus.Reason.REASON_AGENT_DISCONNECTED
              : TaskStatus.Reason.REASON_AGENT_REMOVED,
          there ? "Agent disconnected" : "Agent removed");
    }
    if (there) {
      Holdings.release(
          tx, claim.frameworkId(), claim.agentId(), progress.left().plus(progress.made()));
    }
  }

  /** Launches the tasks of an operation up to {@code end}. */
  private static Progress launch(
      Transition tx, Progress progress, Accepted.Operation operation, int end) {
    Optional<String> common =
        operation.message().hasId()
            ? Optional.of("The `id` field cannot be set on LAUNCH operations")
            : operation.formatProblem();
    Resources left = progress.left();
    for (int i = progress.task(); i < end; i++) {
      LaunchedTask task = operation.tasks().get(i);
      boolean killed =
          PendingTasks.remove(
              tx, progress.claim().frameworkId(), task.info().getTaskId().getValue());
      if (common.isPresent()) {
        Rejections.error(
            tx,
            tx.framework(progress.claim().frameworkId()),
            task.info(),
            TaskStatus.Reason.REASON_TASK_INVALID,
            common.get());
      } else {
        left = TaskLaunches.launch(tx, progress.claim(), task, progress.answer(), killed, left);
      }
    }
    return progress.at(progress.operation(), end, left);
  }
}
