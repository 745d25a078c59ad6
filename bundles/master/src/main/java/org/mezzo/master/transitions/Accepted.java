package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.master.operations.ResourceOperation;
import org.mezzo.master.state.Identifiers;
import org.mezzo.master.state.MasterState.PendingTask;
import org.mezzo.master.state.MasterState.TaskKey;
import org.mezzo.protocol.v1.ExecutorInfo;
import org.mezzo.protocol.v1.Filters;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.HealthCheck;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * An ACCEPT call with everything that can be judged and converted without any state. Made off the
 * event loop.
 *
 * @param pending its tasks as they are noted when they cannot be launched at once
 */
public record Accepted(
    List<OfferID> offerIds,
    List<Operation> operations,
    PMap<TaskKey, PendingTask> pending,
    Filters filters) {

  /**
   * One operation.
   *
   * @param tasks those of a LAUNCH; empty for others
   * @param formatProblem a resource that cannot be read, which fails a whole operation, all tasks
   *     of a LAUNCH included (rule 73)
   */
  record Operation(
      Offer.Operation message, List<LaunchedTask> tasks, Optional<String> formatProblem) {}

  /**
   * One task.
   *
   * @param info with framework id in its executor and the type of its health check (rule 68)
   * @param resources as given, perhaps without allocation role
   * @param executorResources likewise, those of its executor
   */
  record LaunchedTask(
      TaskInfo info,
      Resources resources,
      Resources executorResources,
      Optional<String> idProblem,
      Optional<String> problem) {}

  /** The users that the tasks of a call name themselves, instead of their framework's. */
  public static Set<String> users(Call.Accept call) {
    Set<String> users = new HashSet<>();
    for (Offer.Operation operation : call.getOperationsList()) {
      for (TaskInfo task : operation.getLaunch().getTaskInfosList()) {
        users.addAll(users(task));
      }
    }
    return users;
  }

  private static Set<String> users(TaskInfo task) {
    Set<String> users = new LinkedHashSet<>();
    users.add(task.getCommand().getUser());
    users.add(task.getExecutor().getCommand().getUser());
    users.remove("");
    return users;
  }

  /**
   * Looks at a call.
   *
   * @param refusedUsers those of {@link #users} that are root where root may not submit
   */
  public static Accepted of(String frameworkId, Call.Accept call, Set<String> refusedUsers) {
    List<Operation> operations = new ArrayList<>();
    for (Offer.Operation operation : call.getOperationsList()) {
      operations.add(
          operation.getType() == Offer.Operation.Type.LAUNCH
              ? launch(frameworkId, operation, refusedUsers)
              : other(operation));
    }
    Map<TaskKey, PendingTask> pending = new HashMap<>();
    for (Operation operation : operations) {
      for (LaunchedTask task : operation.tasks()) {
        pending.putIfAbsent(
            new TaskKey(frameworkId, task.info().getTaskId().getValue()),
            new PendingTask(task.info(), task.info().getAgentId().getValue(), false));
      }
    }
    return new Accepted(
        call.getOfferIdsList(), operations, HashTreePMap.from(pending), call.getFilters());
  }

  private static Optional<String> rootProblem(TaskInfo task, Set<String> refusedUsers) {
    return users(task).stream()
        .filter(refusedUsers::contains)
        .findFirst()
        .map(
            user ->
                "User '"
                    + user
                    + "' of the command is not allowed to run tasks without --root_submissions"
                    + " set");
  }

  private static Operation other(Offer.Operation operation) {
    Optional<ResourceOperation> kind = ResourceOperation.of(operation.getType());
    if (kind.isPresent()) {
      try {
        return new Operation(kind.get().upgraded(operation), List.of(), Optional.empty());
      } catch (ResourceFormatException e) {
        return new Operation(operation, List.of(), Optional.of(e.getMessage()));
      }
    }
    return new Operation(operation, List.of(), Optional.empty());
  }

  private static Operation launch(
      String frameworkId, Offer.Operation operation, Set<String> refusedUsers) {
    List<LaunchedTask> tasks = new ArrayList<>();
    Optional<String> formatProblem = Optional.empty();
    for (TaskInfo given : operation.getLaunch().getTaskInfosList()) {
      TaskInfo info = complete(frameworkId, given);
      Resources resources = Resources.EMPTY;
      Resources executorResources = Resources.EMPTY;
      try {
        resources = Resources.of(info.getResourcesList());
        executorResources = Resources.of(info.getExecutor().getResourcesList());
      } catch (ResourceFormatException e) {
        formatProblem = formatProblem.or(() -> Optional.of(e.getMessage()));
      }
      tasks.add(
          new LaunchedTask(
              info,
              resources,
              executorResources,
              Identifiers.problem(info.getTaskId().getValue()),
              TaskValidation.problem(info, frameworkId).or(() -> rootProblem(info, refusedUsers))));
    }
    return new Operation(operation, tasks, formatProblem);
  }

  private static TaskInfo complete(String frameworkId, TaskInfo given) {
    TaskInfo.Builder info = null;
    if (given.hasExecutor() && !given.getExecutor().hasFrameworkId()) {
      info = given.toBuilder();
      ExecutorInfo.Builder executor = info.getExecutorBuilder();
      executor.setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId));
    }
    HealthCheck check = given.getHealthCheck();
    if (given.hasHealthCheck() && !check.hasType() && check.hasCommand() != check.hasHttp()) {
      info = info == null ? given.toBuilder() : info;
      info.getHealthCheckBuilder()
          .setType(check.hasCommand() ? HealthCheck.Type.COMMAND : HealthCheck.Type.HTTP);
    }
    return info == null ? given : info.build();
  }

  /** What has to be asked before operations on resources are done. */
  List<Consultation.Question> questions() {
    List<Consultation.Question> questions = new ArrayList<>();
    for (int i = 0; i < operations.size(); i++) {
      Offer.Operation message = operations.get(i).message();
      Optional<ResourceOperation> kind = ResourceOperation.of(message.getType());
      if (kind.isPresent()) {
        for (AuthorizationObject object : kind.get().objects(message)) {
          questions.add(new Consultation.Question(i, kind.get().action(), object));
        }
      }
    }
    return questions;
  }

  /** How many tasks it wants to launch. */
  public int taskCount() {
    int count = 0;
    for (Operation operation : operations) {
      count += operation.tasks().size();
    }
    return count;
  }
}
