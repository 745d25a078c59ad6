package org.mezzo.master.election;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.api.hook.Hook;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.master.transitions.Consultation;
import org.mezzo.modules.DaemonModules;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleChain;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;
import org.mezzo.resources.Resources;

/**
 * Asks the leased hooks, in the order of {@code --hooks}, and the authorizer. A hook that is
 * absent, late or throws is passed over.
 */
public final class ModuleConsultant implements Consultant, AutoCloseable {

  /** About so many tasks of a launch hooks are asked at a time: none takes all that may wait. */
  private static final int AT_ONCE = 16;

  private final ModuleChain<Hook> hooks;
  private final Authorization authorization;
  private final Executor loop;

  /**
   * Leases the hooks.
   *
   * @param loop the event loop, where replies arrive
   */
  public ModuleConsultant(
      List<String> names, DaemonModules modules, Authorization authorization, Executor loop) {
    this.authorization = authorization;
    this.loop = loop;
    hooks = modules.chain(Kinds.HOOK, names, loop);
  }

  /** Whether there is anybody to ask. */
  public boolean demanded() {
    return authorization.demanded() || !hooks.isEmpty();
  }

  /** Selects other hooks; what is under way still ends with those of before. */
  public void select(List<String> names) {
    hooks.select(names);
  }

  @Override
  public CompletionStage<Consultation.Answer> ask(Consultation question) {
    return unauthorized(question)
        .thenCombine(refused(question), Refusals::new)
        .thenCombineAsync(
            decorations(question),
            (refusals, given) ->
                new Consultation.Answer(
                    refusals.tasks(), refusals.operations(), given.labels(), given.resources()),
            loop);
  }

  private record Refusals(Set<String> tasks, Set<Integer> operations) {}

  /** The places of operations that may not be done. */
  private CompletionStage<Set<Integer>> refused(Consultation question) {
    if (!authorization.demanded() || question.questions().isEmpty()) {
      return CompletableFuture.completedFuture(Set.of());
    }
    CompletionStage<Set<Integer>> decided =
        authorization.decide(
            principal(question),
            question.questions().stream().map(Consultation.Question::action).distinct().toList(),
            approvers ->
                places(
                    question.questions().stream()
                        .filter(it -> !approvers.approved(it.action(), it.object()))));
    return decided.exceptionally(failure -> places(question.questions().stream()));
  }

  private static Set<Integer> places(Stream<Consultation.Question> questions) {
    return questions.map(Consultation.Question::operation).collect(Collectors.toSet());
  }

  private static Optional<Principal> principal(Consultation question) {
    return question.framework().hasPrincipal()
        ? Optional.of(Principal.named(question.framework().getPrincipal()))
        : Optional.empty();
  }

  /** The ids of tasks that may not run. */
  private CompletionStage<Set<String>> unauthorized(Consultation question) {
    if (!authorization.demanded()) {
      return CompletableFuture.completedFuture(Set.of());
    }
    CompletionStage<Set<String>> decided =
        authorization.decide(
            principal(question),
            List.of(Action.RUN_TASK),
            approvers ->
                ids(
                    question.tasks().stream()
                        .filter(
                            task -> !approvers.approved(Action.RUN_TASK, object(task, question)))));
    return decided.exceptionally(failure -> ids(question.tasks().stream()));
  }

  private static Set<String> ids(Stream<TaskInfo> tasks) {
    return tasks.map(task -> task.getTaskId().getValue()).collect(Collectors.toSet());
  }

  private static AuthorizationObject object(TaskInfo task, Consultation question) {
    return AuthorizationObject.builder()
        .value(user(task, question))
        .frameworkInfo(question.framework())
        .taskInfo(task)
        .build();
  }

  /** What hooks changed, by task id. */
  private record Decorations(Map<String, Labels> labels, Map<String, List<Resource>> resources) {}

  /**
   * What hooks make of each task. Each is asked about by itself: a launch of many has as much time
   * as they need, and a hook that fails with one decorates the others.
   */
  private CompletionStage<Decorations> decorations(Consultation question) {
    Decorations given = new Decorations(new ConcurrentHashMap<>(), new ConcurrentHashMap<>());
    CompletionStage<Void> asked = CompletableFuture.completedFuture(null);
    if (hooks.isEmpty()) {
      return asked.thenApply(unused -> given);
    }
    List<TaskInfo> tasks = question.tasks();
    for (int first = 0; first < Math.min(AT_ONCE, tasks.size()); first++) {
      CompletionStage<Void> row = CompletableFuture.completedFuture(null);
      for (int i = first; i < tasks.size(); i += AT_ONCE) {
        TaskInfo task = tasks.get(i);
        row =
            row.thenCompose(
                unused ->
                    labelled(task, question)
                        .thenCompose(labelled -> resourced(labelled, question))
                        .thenAccept(decorated -> note(given, task, decorated)));
      }
      asked = asked.thenCombine(row, (unused, also) -> null);
    }
    return asked.thenApply(unused -> given);
  }

  private static void note(Decorations given, TaskInfo task, TaskInfo decorated) {
    String id = task.getTaskId().getValue();
    if (!decorated.getLabels().equals(task.getLabels())) {
      given.labels().put(id, decorated.getLabels());
    }
    if (!decorated.getResourcesList().equals(task.getResourcesList())) {
      given.resources().put(id, decorated.getResourcesList());
    }
  }

  private CompletionStage<TaskInfo> labelled(TaskInfo task, Consultation question) {
    return hooks.fold(
        "masterLaunchTaskLabels",
        task,
        (hook, now) -> {
          Labels labels =
              Objects.requireNonNull(
                  hook.masterLaunchTaskLabels(now, question.framework(), question.agent()),
                  "its labels");
          return labels.equals(now.getLabels()) ? now : now.toBuilder().setLabels(labels).build();
        });
  }

  private CompletionStage<TaskInfo> resourced(TaskInfo task, Consultation question) {
    return hooks.fold(
        "masterLaunchTaskResources",
        task,
        (hook, now) -> {
          List<Resource> resources =
              Objects.requireNonNull(
                  hook.masterLaunchTaskResources(now, question.framework(), question.agent()),
                  "its resources");
          if (resources.equals(now.getResourcesList())) {
            return now;
          }
          Resources.of(resources);
          return now.toBuilder().clearResources().addAllResources(resources).build();
        });
  }

  private static String user(TaskInfo task, Consultation question) {
    if (task.getCommand().hasUser()) {
      return task.getCommand().getUser();
    }
    return task.getExecutor().getCommand().hasUser()
        ? task.getExecutor().getCommand().getUser()
        : question.framework().getUser();
  }

  @Override
  public void agentLost(AgentInfo agent) {
    hooks.tell("masterAgentLost", hook -> hook.masterAgentLost(agent));
  }

  @Override
  public void close() {
    hooks.close();
  }
}
