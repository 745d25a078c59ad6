package org.mezzo.master.election;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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
import org.mezzo.protocol.v1.TaskInfo;

/**
 * Asks the leased hooks, in the order of {@code --hooks}, and the authorizer. A hook that is
 * absent, late or throws is passed over.
 */
public final class ModuleConsultant implements Consultant, AutoCloseable {
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

  @Override
  public CompletionStage<Consultation.Answer> ask(Consultation question) {
    CompletionStage<Map<String, Labels>> labels =
        hooks.fold(
            "masterLaunchTaskLabels",
            Map.of(),
            (hook, before) -> decorated(hook, question, before));
    return unauthorized(question).thenCombineAsync(labels, Consultation.Answer::new, loop);
  }

  /** The ids of tasks that may not run. */
  private CompletionStage<Set<String>> unauthorized(Consultation question) {
    if (!authorization.demanded()) {
      return CompletableFuture.completedFuture(Set.of());
    }
    Optional<Principal> principal =
        question.framework().hasPrincipal()
            ? Optional.of(Principal.named(question.framework().getPrincipal()))
            : Optional.empty();
    CompletionStage<Set<String>> decided =
        authorization.decide(
            principal,
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

  private static String user(TaskInfo task, Consultation question) {
    if (task.getCommand().hasUser()) {
      return task.getCommand().getUser();
    }
    return task.getExecutor().getCommand().hasUser()
        ? task.getExecutor().getCommand().getUser()
        : question.framework().getUser();
  }

  private static Map<String, Labels> decorated(
      Hook hook, Consultation question, Map<String, Labels> before) throws Exception {
    Map<String, Labels> after = new HashMap<>(before);
    for (TaskInfo task : question.tasks()) {
      String id = task.getTaskId().getValue();
      TaskInfo seen =
          before.containsKey(id) ? task.toBuilder().setLabels(before.get(id)).build() : task;
      Labels given = hook.masterLaunchTaskLabels(seen, question.framework(), question.agent());
      if (!Objects.requireNonNull(given, "its labels").equals(seen.getLabels())) {
        after.put(id, given);
      }
    }
    return after;
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
