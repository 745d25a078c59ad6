package org.mezzo.master.transitions;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.operations.ResourceOperation;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState.PendingTask;
import org.mezzo.master.state.MasterState.TaskKey;
import org.mezzo.master.state.Task;
import org.mezzo.master.state.TaskStates;
import org.mezzo.master.transitions.Accepted.LaunchedTask;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Offer.Operation;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Conversion;
import org.mezzo.resources.Resources;
import org.pcollections.PMap;

/** ACCEPT and what is launched by it (rules 59 to 68, 72 to 93). */
public final class Launches {
  /** Tasks that are launched in one turn of the loop. */
  private static final int BATCH = 50;

  private Launches() {}

  /**
   * What an accepted call holds until its operations are applied.
   *
   * @param frameworkSince tells the framework from a later one of the same id
   * @param agentSince likewise
   * @param held allocated to the framework on the agent meanwhile
   */
  private record Claim(
      String frameworkId,
      Instant frameworkSince,
      String agentId,
      Instant agentSince,
      String role,
      Resources held) {}

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
      await(tx, call);
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
                (later, answer) -> apply(later, Progress.begin(claim, call, answer)))));
  }

  /** Notes tasks that are launched in a later turn of the loop. */
  private static void await(Transition tx, Accepted call) {
    PMap<TaskKey, PendingTask> pending = tx.state().pendingTasks();
    tx.become(
        tx.state()
            .withPendingTasks(
                pending.isEmpty() ? call.pending() : pending.plusAll(call.pending())));
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
        drop(
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

  private static void drop(
      Transition tx, Framework framework, TaskInfo task, TaskStatus.Reason reason, String message) {
    fail(
        tx,
        framework,
        task,
        TaskStates.shown(TaskState.TASK_DROPPED, framework.partitionAware()),
        reason,
        message);
  }

  private static void fail(
      Transition tx,
      Framework framework,
      TaskInfo task,
      TaskState state,
      TaskStatus.Reason reason,
      String message) {
    TaskStatus status =
        Statuses.make(
                tx.now(),
                task.getTaskId().getValue(),
                task.getAgentId().getValue(),
                state,
                reason,
                message)
            .build();
    Statuses.countEnd(tx, state, status);
    Statuses.send(tx, framework, status);
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

  /** Applies operations in order, so many tasks in one go that the loop is not held for long. */
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
          int end = Math.min(count, now.task() + budget);
          budget -= end - now.task();
          now = launch(tx, now, operation, end);
          if (end < count) {
            Progress rest = now;
            tx.effect(new Effect.Next(later -> apply(later, rest)));
            return;
          }
        }
        case LAUNCH_GROUP ->
            refuseGroup(tx, tx.framework(claim.frameworkId()), operation.message());
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
      settle(tx, claim.frameworkId(), task.getTaskId().getValue());
      drop(
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

  /** Takes a task off the pending ones; tells whether it is to be killed. */
  private static boolean settle(Transition tx, String frameworkId, String taskId) {
    PMap<TaskKey, PendingTask> pending = tx.state().pendingTasks();
    if (pending.isEmpty()) {
      return false;
    }
    TaskKey key = new TaskKey(frameworkId, taskId);
    PendingTask waiting = pending.get(key);
    if (waiting == null) {
      return false;
    }
    tx.become(tx.state().withPendingTasks(pending.minus(key)));
    return waiting.killed();
  }

  private static void refuseGroup(Transition tx, Framework framework, Operation operation) {
    String message =
        operation.hasId()
            ? "The `id` field cannot be set on LAUNCH_GROUP operations"
            : "LAUNCH_GROUP is not supported by this master: launch the tasks by LAUNCH";
    for (TaskInfo task : tasksOf(operation)) {
      fail(
          tx,
          framework,
          task,
          TaskState.TASK_ERROR,
          TaskStatus.Reason.REASON_TASK_GROUP_INVALID,
          message);
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
          settle(tx, progress.claim().frameworkId(), task.info().getTaskId().getValue());
      if (common.isPresent()) {
        invalid(tx, tx.framework(progress.claim().frameworkId()), task.info(), common.get());
      } else {
        left = launch(tx, progress.claim(), task, progress.answer(), killed, left);
      }
    }
    return progress.at(progress.operation(), end, left);
  }

  /** Launches a task; returns what is left. */
  private static Resources launch(
      Transition tx,
      Claim claim,
      LaunchedTask task,
      Consultation.Answer answer,
      boolean killed,
      Resources left) {
    Framework framework = tx.framework(claim.frameworkId());
    String id = task.info().getTaskId().getValue();
    if (killed) {
      fail(
          tx,
          framework,
          task.info(),
          TaskState.TASK_KILLED,
          TaskStatus.Reason.REASON_TASK_KILLED_DURING_LAUNCH,
          "Killed before delivery to the agent");
      return left;
    }
    if (answer.unauthorized().contains(id)) {
      fail(
          tx,
          framework,
          task.info(),
          TaskState.TASK_ERROR,
          TaskStatus.Reason.REASON_TASK_UNAUTHORIZED,
          "Not authorized to launch as user '" + user(task.info(), framework) + "'");
      return left;
    }
    Resources own = allocated(task.resources(), claim.role());
    Resources executors = allocated(task.executorResources(), claim.role());
    Agent agent = tx.agent(claim.agentId());
    Executor known =
        agent.executorsOf(framework.id()).get(task.info().getExecutor().getExecutorId().getValue());
    Resources total = task.info().hasExecutor() && known == null ? own.plus(executors) : own;
    Optional<String> problem = problem(framework, agent, claim, task, known, total, left);
    if (problem.isPresent()) {
      invalid(tx, framework, task.info(), problem.get());
      return left;
    }
    boolean launchExecutor = !task.info().hasExecutor() || known == null;
    run(tx, claim, task.info(), own, executors, launchExecutor, answer.labels().get(id));
    return left.minus(total.nonShared());
  }

  private static void invalid(Transition tx, Framework framework, TaskInfo task, String message) {
    fail(tx, framework, task, TaskState.TASK_ERROR, TaskStatus.Reason.REASON_TASK_INVALID, message);
  }

  private static Resources allocated(Resources resources, String role) {
    Resources without = resources.filter(it -> it.allocationRole().isEmpty());
    if (without.size() == resources.size()) {
      return resources.allocatedTo(role);
    }
    return resources.filter(it -> it.allocationRole().isPresent()).plus(without.allocatedTo(role));
  }

  private static Optional<String> problem(
      Framework framework,
      Agent agent,
      Claim claim,
      LaunchedTask task,
      Executor known,
      Resources total,
      Resources left) {
    TaskInfo info = task.info();
    String id = info.getTaskId().getValue();
    if (task.idProblem().isPresent()) {
      return task.idProblem();
    }
    if (framework.tasks().containsKey(id) || framework.unreachableTasks().containsKey(id)) {
      return Optional.of("Task has duplicate ID: " + id);
    }
    if (!info.getAgentId().getValue().equals(claim.agentId())) {
      return Optional.of(
          "Task uses invalid agent "
              + info.getAgentId().getValue()
              + " while agent "
              + claim.agentId()
              + " is expected");
    }
    if (task.problem().isPresent()) {
      return task.problem();
    }
    if (info.getLimitsCount() > 0
        && !agent.capabilities().contains(AgentInfo.Capability.Type.TASK_RESOURCE_LIMITS)) {
      return Optional.of("Agent " + agent.id() + " does not support resource limits of tasks");
    }
    if (known != null && !same(known, task)) {
      return Optional.of(
          "ExecutorInfo is not compatible with the one that runs with the same ExecutorID '"
              + known.id()
              + "'");
    }
    if (!left.contains(total)) {
      return Optional.of(
          "Total resources "
              + total
              + " required by task and its executor is more than available "
              + left);
    }
    return Optional.empty();
  }

  /**
   * Whether a task wants an executor that is there. To whom its resources are allocated does not
   * count: agents report it, and frameworks may leave it out.
   */
  private static boolean same(Executor known, LaunchedTask task) {
    return known.resources().unallocated().equals(task.executorResources().unallocated())
        && known.info().toBuilder()
            .clearResources()
            .build()
            .equals(task.info().getExecutor().toBuilder().clearResources().build());
  }

  private static String user(TaskInfo task, Framework framework) {
    if (task.getCommand().hasUser()) {
      return task.getCommand().getUser();
    }
    if (task.getExecutor().getCommand().hasUser()) {
      return task.getExecutor().getCommand().getUser();
    }
    return framework.info().getUser();
  }

  private static void run(
      Transition tx,
      Claim claim,
      TaskInfo given,
      Resources own,
      Resources executorResources,
      boolean launchExecutor,
      Labels labels) {
    Framework framework = tx.framework(claim.frameworkId());
    Agent agent = tx.agent(claim.agentId());
    List<Resource> messages = own.toMessages(Resources.Format.POST_REFINEMENT);
    TaskInfo.Builder info = given.toBuilder().clearResources().addAllResources(messages);
    if (labels != null) {
      info.setLabels(labels);
    }
    String executorId = "";
    if (given.hasExecutor()) {
      ExecutorInfo executor =
          given.getExecutor().toBuilder()
              .clearResources()
              .addAllResources(executorResources.toMessages(Resources.Format.POST_REFINEMENT))
              .build();
      info.setExecutor(executor);
      executorId = executor.getExecutorId().getValue();
      if (launchExecutor) {
        Holdings.add(
            tx,
            new Executor(
                executorId, framework.id(), agent.id(), given.getExecutor(), executorResources));
      }
    }
    Task task =
        new Task(
            given.getTaskId().getValue(),
            framework.id(),
            agent.id(),
            executorId,
            message(framework, info.build()),
            own,
            false,
            false);
    Holdings.add(tx, task);
    tx.send(
        agent,
        MasterEvent.newBuilder()
            .setRunTask(
                RunTask.newBuilder()
                    .setFramework(framework.info())
                    .addTasks(info)
                    .setLaunchExecutor(launchExecutor)
                    .setRootRefused(!tx.settings().frameworks().rootSubmissions())
                    .setResourceVersionUuid(tx.state().account(agent.id()).version())));
    tx.happened(new Happening.TaskAdded(task));
  }

  private static org.mezzo.protocol.v1.Task message(Framework framework, TaskInfo info) {
    org.mezzo.protocol.v1.Task.Builder task =
        org.mezzo.protocol.v1.Task.newBuilder()
            .setName(info.getName())
            .setTaskId(info.getTaskId())
            .setFrameworkId(framework.info().getId())
            .setAgentId(info.getAgentId())
            .setState(TaskState.TASK_STAGING)
            .addAllResources(info.getResourcesList())
            .putAllLimits(info.getLimitsMap());
    if (info.hasExecutor()) {
      task.setExecutorId(info.getExecutor().getExecutorId());
    }
    if (info.hasLabels()) {
      task.setLabels(info.getLabels());
    }
    if (info.hasDiscovery()) {
      task.setDiscovery(info.getDiscovery());
    }
    if (info.hasContainer()) {
      task.setContainer(info.getContainer());
    }
    if (info.hasHealthCheck()) {
      task.setHealthCheck(info.getHealthCheck());
    }
    if (info.hasKillPolicy()) {
      task.setKillPolicy(info.getKillPolicy());
    }
    if (info.getCommand().hasUser()) {
      task.setUser(info.getCommand().getUser());
    } else if (info.getExecutor().getCommand().hasUser()) {
      task.setUser(info.getExecutor().getCommand().getUser());
    }
    return task.build();
  }
}
