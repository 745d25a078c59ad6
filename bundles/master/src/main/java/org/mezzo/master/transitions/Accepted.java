package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
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
import org.mezzo.protocol.v1.Resource;
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
 * @param frameworkId whose call it is
 * @param refusedUsers as of {@link #of}
 */
public record Accepted(
    List<OfferID> offerIds,
    List<Operation> operations,
    PMap<TaskKey, PendingTask> pending,
    Filters filters,
    String frameworkId,
    Set<String> refusedUsers) {

  /**
   * One operation.
   *
   * @param tasks those of a LAUNCH or LAUNCH_GROUP; empty for others
   * @param formatProblem a resource that cannot be read, which fails a whole operation, all its
   *     tasks included (rule 73)
   * @param group of a LAUNCH_GROUP
   */
  record Operation(
      Offer.Operation message,
      List<LaunchedTask> tasks,
      Optional<String> formatProblem,
      Optional<LaunchedGroup> group) {

    static Operation of(Offer.Operation message, Optional<String> formatProblem) {
      return new Operation(message, List.of(), formatProblem, Optional.empty());
    }
  }

  /**
   * One task.
   *
   * @param info with framework id in its executor and the type of its health check (rule 68); in a
   *     group with the group's executor
   * @param resources as given, perhaps without allocation role
   * @param executorResources likewise, those of its executor
   */
  record LaunchedTask(
      TaskInfo info,
      Resources resources,
      Resources executorResources,
      Optional<String> idProblem,
      Optional<String> problem) {}

  /**
   * What a group is beside its tasks.
   *
   * @param executor as given
   * @param resources of the executor as given, perhaps without allocation role
   * @param executorProblem what is wrong with the executor alone
   * @param problem what is wrong with all together
   * @param shareCgroups whether its tasks have the executor's control groups; empty with no task
   * @param sharingProblem what is wrong with that within the group
   */
  record LaunchedGroup(
      ExecutorInfo executor,
      Resources resources,
      Optional<String> executorProblem,
      Optional<String> problem,
      Optional<Boolean> shareCgroups,
      Optional<String> sharingProblem) {}

  /** The users that the tasks of a call name themselves, instead of their framework's. */
  public static Set<String> users(Call.Accept call) {
    Set<String> users = new HashSet<>();
    for (Offer.Operation operation : call.getOperationsList()) {
      for (TaskInfo task : operation.getLaunch().getTaskInfosList()) {
        users.addAll(users(task));
      }
      Offer.Operation.LaunchGroup group = operation.getLaunchGroup();
      for (TaskInfo task : group.getTaskGroup().getTasksList()) {
        users.addAll(users(task.toBuilder().setExecutor(group.getExecutor()).build()));
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
          switch (operation.getType()) {
            case LAUNCH -> launch(frameworkId, operation, refusedUsers);
            case LAUNCH_GROUP -> group(frameworkId, operation, refusedUsers);
            default -> other(operation);
          });
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
        call.getOfferIdsList(),
        operations,
        HashTreePMap.from(pending),
        call.getFilters(),
        frameworkId,
        refusedUsers);
  }

  /**
   * The call as if its framework had asked for other resources for some tasks, by their ids. What
   * launches none of them is not judged a second time.
   */
  Accepted with(Map<String, List<Resource>> resources) {
    if (resources.isEmpty()) {
      return this;
    }
    List<Operation> changed = new ArrayList<>();
    for (Operation operation : operations) {
      changed.add(
          operation.tasks().stream()
                  .anyMatch(it -> resources.containsKey(it.info().getTaskId().getValue()))
              ? with(operation, resources)
              : operation);
    }
    return new Accepted(offerIds, changed, pending, filters, frameworkId, refusedUsers);
  }

  private Operation with(Operation operation, Map<String, List<Resource>> resources) {
    Offer.Operation.Builder message = operation.message().toBuilder();
    if (message.getType() == Offer.Operation.Type.LAUNCH) {
      message.getLaunchBuilder().getTaskInfosBuilderList().forEach(it -> give(it, resources));
      return launch(frameworkId, message.build(), refusedUsers);
    }
    message
        .getLaunchGroupBuilder()
        .getTaskGroupBuilder()
        .getTasksBuilderList()
        .forEach(it -> give(it, resources));
    return group(frameworkId, message.build(), refusedUsers);
  }

  private static void give(TaskInfo.Builder task, Map<String, List<Resource>> resources) {
    List<Resource> given = resources.get(task.getTaskId().getValue());
    if (given != null) {
      task.clearResources().addAllResources(given);
    }
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
        return Operation.of(kind.get().upgraded(operation), Optional.empty());
      } catch (ResourceFormatException e) {
        return Operation.of(operation, Optional.of(e.getMessage()));
      }
    }
    return Operation.of(operation, Optional.empty());
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
              TaskValidation.problem(info, frameworkId)
                  .or(combined(info, resources, executorResources))
                  .or(() -> rootProblem(info, refusedUsers))));
    }
    return new Operation(operation, tasks, formatProblem, Optional.empty());
  }

  private static Supplier<Optional<String>> combined(
      TaskInfo info, Resources resources, Resources executorResources) {
    return () -> {
      if (!info.hasExecutor()) {
        return Optional.empty();
      }
      List<Resource> all = new ArrayList<>(info.getResourcesList());
      all.addAll(info.getExecutor().getResourcesList());
      return CombinedResources.problem(
          "Task and its executor", all, List.of(resources, executorResources));
    };
  }

  private static Operation group(
      String frameworkId, Offer.Operation operation, Set<String> refusedUsers) {
    ExecutorInfo executor = operation.getLaunchGroup().getExecutor();
    List<TaskInfo> given = operation.getLaunchGroup().getTaskGroup().getTasksList();
    List<LaunchedTask> tasks = new ArrayList<>();
    List<Resources> parts = new ArrayList<>();
    Resources executorResources = Resources.EMPTY;
    try {
      executorResources = Resources.of(executor.getResourcesList());
      for (TaskInfo task : given) {
        parts.add(Resources.of(task.getResourcesList()));
      }
    } catch (ResourceFormatException e) {
      given.forEach(task -> tasks.add(unread(task)));
      return new Operation(operation, tasks, Optional.of(e.getMessage()), Optional.empty());
    }
    for (int i = 0; i < given.size(); i++) {
      TaskInfo info = withCheckType(given.get(i)).toBuilder().setExecutor(executor).build();
      tasks.add(
          new LaunchedTask(
              info,
              parts.get(i),
              executorResources,
              Identifiers.problem(info.getTaskId().getValue()),
              GroupValidation.ofTask(info).or(() -> rootProblem(info, refusedUsers))));
    }
    parts.add(executorResources);
    LaunchedGroup group =
        new LaunchedGroup(
            executor,
            executorResources,
            ExecutorValidation.general(executor, frameworkId),
            GroupValidation.problem(executor, given, parts),
            given.stream()
                .map(task -> GroupValidation.sharesCgroups(task.getContainer()))
                .findFirst(),
            GroupValidation.shareCgroups(executor, given));
    return new Operation(operation, tasks, Optional.empty(), Optional.of(group));
  }

  private static LaunchedTask unread(TaskInfo task) {
    return new LaunchedTask(
        task, Resources.EMPTY, Resources.EMPTY, Optional.empty(), Optional.empty());
  }

  private static TaskInfo complete(String frameworkId, TaskInfo given) {
    TaskInfo info = withCheckType(given);
    if (!info.hasExecutor() || info.getExecutor().hasFrameworkId()) {
      return info;
    }
    TaskInfo.Builder complete = info.toBuilder();
    complete.getExecutorBuilder().setFrameworkId(FrameworkID.newBuilder().setValue(frameworkId));
    return complete.build();
  }

  private static TaskInfo withCheckType(TaskInfo given) {
    HealthCheck check = given.getHealthCheck();
    if (!given.hasHealthCheck() || check.hasType() || check.hasCommand() == check.hasHttp()) {
      return given;
    }
    TaskInfo.Builder info = given.toBuilder();
    info.getHealthCheckBuilder()
        .setType(check.hasCommand() ? HealthCheck.Type.COMMAND : HealthCheck.Type.HTTP);
    return info.build();
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
