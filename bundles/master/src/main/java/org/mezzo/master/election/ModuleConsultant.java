package org.mezzo.master.election;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.hook.Hook;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.master.transitions.Consultation;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLeases;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the leased hooks, in the order of {@code --hooks}, and the authorizer. A hook that is
 * absent, late or throws is passed over.
 */
public final class ModuleConsultant implements Consultant, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModuleConsultant.class);

  private final List<ModuleLease<Hook>> hooks = new ArrayList<>();
  private final Authorization authorization;
  private final Executor loop;

  /**
   * Leases the hooks.
   *
   * @param contexts the master as the module of that name sees it
   * @param loop the event loop, where replies arrive
   */
  public ModuleConsultant(
      List<String> names,
      ModuleLeases modules,
      Function<String, DaemonContext> contexts,
      Authorization authorization,
      Executor loop) {
    this.authorization = authorization;
    this.loop = loop;
    for (String name : names) {
      hooks.add(modules.lease(LeaseRequest.of(Kinds.HOOK, name, contexts.apply(name), loop)));
    }
  }

  /** Whether there is anybody to ask. */
  public boolean demanded() {
    return authorization.demanded() || !hooks.isEmpty();
  }

  @Override
  public CompletionStage<Consultation.Answer> ask(Consultation question) {
    Set<String> unauthorized = new HashSet<>();
    CompletionStage<Void> asked = CompletableFuture.completedFuture(null);
    Optional<Principal> principal =
        question.framework().hasPrincipal()
            ? Optional.of(Principal.named(question.framework().getPrincipal()))
            : Optional.empty();
    for (TaskInfo task : question.tasks()) {
      asked =
          asked.thenCombine(
              authorization.allowed(principal, Action.RUN_TASK, Optional.of(user(task, question))),
              (unused, allowed) -> {
                if (!allowed) {
                  synchronized (unauthorized) {
                    unauthorized.add(task.getTaskId().getValue());
                  }
                }
                return null;
              });
    }
    CompletionStage<Map<String, Labels>> labels =
        CompletableFuture.completedFuture(new HashMap<>());
    for (ModuleLease<Hook> hook : hooks) {
      labels = labels.thenCompose(before -> decorate(hook, question, before));
    }
    return asked.thenCombineAsync(
        labels, (unused, given) -> new Consultation.Answer(unauthorized, given), loop);
  }

  private static String user(TaskInfo task, Consultation question) {
    if (task.getCommand().hasUser()) {
      return task.getCommand().getUser();
    }
    return task.getExecutor().getCommand().hasUser()
        ? task.getExecutor().getCommand().getUser()
        : question.framework().getUser();
  }

  private static CompletionStage<Map<String, Labels>> decorate(
      ModuleLease<Hook> hook, Consultation question, Map<String, Labels> before) {
    return hook.ask(
            "masterLaunchTaskLabels",
            module -> {
              Map<String, Labels> after = new HashMap<>(before);
              for (TaskInfo task : question.tasks()) {
                String id = task.getTaskId().getValue();
                TaskInfo seen =
                    before.containsKey(id)
                        ? task.toBuilder().setLabels(before.get(id)).build()
                        : task;
                Labels given =
                    module.masterLaunchTaskLabels(seen, question.framework(), question.agent());
                if (!Objects.requireNonNull(given, "its labels").equals(seen.getLabels())) {
                  after.put(id, given);
                }
              }
              return after;
            })
        .exceptionally(
            failure -> {
              if (!ModuleException.isAbsence(failure)) {
                LOG.warn("A hook gave no labels for a launch; it goes on without them", failure);
              }
              return before;
            });
  }

  @Override
  public void agentLost(AgentInfo agent) {
    for (ModuleLease<Hook> hook : hooks) {
      hook.tell("masterAgentLost", module -> module.masterAgentLost(agent))
          .exceptionally(
              failure -> {
                if (!ModuleException.isAbsence(failure)) {
                  LOG.warn("A hook could not be told of a lost agent", failure);
                }
                return null;
              });
    }
  }

  @Override
  public void close() {
    hooks.forEach(ModuleLease::close);
  }
}
