package org.mezzo.master.reads;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Permission.Question;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.Resources;

/**
 * What one principal may see: frameworks, tasks and executors by the user they run as, roles by
 * name, flags. Asked once per request, for each object of the state, so that writing the answer
 * never waits; what was not asked about is not seen. Immutable.
 */
public final class Visibility {
  /** Sees everything: nobody demands authorization. */
  public static final Visibility ALL = new Visibility(ObjectApprovers.ALL);

  private final ObjectApprovers approvers;

  private Visibility(ObjectApprovers approvers) {
    this.approvers = approvers;
  }

  /**
   * Asks about everything in a state that these actions are about; completes at once when nobody is
   * to be asked.
   */
  static CompletionStage<Visibility> of(
      Authorization authorization,
      Optional<Principal> principal,
      MasterState state,
      Collection<Action> actions) {
    if (!authorization.demanded()) {
      return CompletableFuture.completedFuture(ALL);
    }
    return ObjectApprovers.ask(authorization, principal, questions(state, actions))
        .thenApply(Visibility::new);
  }

  private static List<Question> questions(MasterState state, Collection<Action> actions) {
    List<Question> questions = new ArrayList<>();
    for (Action action : actions) {
      switch (action) {
        case VIEW_FRAMEWORK, VIEW_TASK, VIEW_EXECUTOR ->
            users(state).forEach(user -> questions.add(Question.about(action, user)));
        case VIEW_ROLE ->
            Roles.names(state).forEach(role -> questions.add(Question.about(action, role)));
        default -> questions.add(Question.anything(action));
      }
    }
    return questions;
  }

  private static Set<String> users(MasterState state) {
    Set<String> users = new TreeSet<>();
    state.frameworks().values().forEach(framework -> users.add(framework.info().getUser()));
    state.completedFrameworks().forEach(framework -> users.add(framework.info().getUser()));
    return users;
  }

  /** Whether a framework is to be seen. */
  public boolean framework(Framework framework) {
    return approvers.approved(Action.VIEW_FRAMEWORK, framework.info().getUser());
  }

  /** Whether the tasks of a framework are to be seen. */
  public boolean tasks(Framework framework) {
    return framework(framework) && approvers.approved(Action.VIEW_TASK, framework.info().getUser());
  }

  /** Whether the executors of a framework are to be seen. */
  public boolean executors(Framework framework) {
    return framework(framework)
        && approvers.approved(Action.VIEW_EXECUTOR, framework.info().getUser());
  }

  /** Whether a role is to be seen. */
  public boolean role(String role) {
    return approvers.approved(Action.VIEW_ROLE, role);
  }

  /**
   * Without those that are reserved for, or allocated to, a role that is not to be seen; of refined
   * reservations every role counts.
   */
  public Resources resources(Resources all) {
    return approvers.limited()
        ? all.filter(
            resource ->
                resource.allocationRole().map(this::role).orElse(true)
                    && resource.kind().reservations().stream()
                        .allMatch(reservation -> role(reservation.role())))
        : all;
  }

  /** As {@link #resources(Resources)}, of a message in any format. */
  public boolean resource(Resource resource) {
    return !approvers.limited()
        || ((!resource.hasRole() || resource.getRole().equals("*") || role(resource.getRole()))
            && (!resource.hasAllocationInfo() || role(resource.getAllocationInfo().getRole()))
            && resource.getReservationsList().stream()
                .allMatch(reservation -> role(reservation.getRole())));
  }

  /** The roles that are to be seen, with what belongs to them. */
  public <T> Map<String, T> roles(Map<String, T> all) {
    return approvers.approved(Action.VIEW_ROLE, all);
  }

  /** Whether the flags of the daemon are to be seen. */
  public boolean flags() {
    return approvers.approved(Action.VIEW_FLAGS);
  }
}
