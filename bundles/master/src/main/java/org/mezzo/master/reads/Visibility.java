package org.mezzo.master.reads;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
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
  public static final Visibility ALL = new Visibility(Optional.empty());

  /** Absent when everything is visible. */
  private final Optional<Map<Question, Boolean>> answers;

  private Visibility(Optional<Map<Question, Boolean>> answers) {
    this.answers = answers;
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
    Map<Question, Boolean> answers = new ConcurrentHashMap<>();
    List<CompletableFuture<?>> asked = new ArrayList<>();
    for (Question question : questions(state, actions)) {
      asked.add(
          authorization
              .allowed(principal, question.action(), question.object())
              .thenAccept(allowed -> answers.put(question, allowed))
              .toCompletableFuture());
    }
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(done -> new Visibility(Optional.of(answers)));
  }

  private static List<Question> questions(MasterState state, Collection<Action> actions) {
    List<Question> questions = new ArrayList<>();
    for (Action action : actions) {
      switch (action) {
        case VIEW_FRAMEWORK, VIEW_TASK, VIEW_EXECUTOR ->
            users(state).forEach(user -> questions.add(about(action, user)));
        case VIEW_ROLE -> Roles.names(state).forEach(role -> questions.add(about(action, role)));
        default -> questions.add(new Question(action, Optional.empty()));
      }
    }
    return questions;
  }

  private static Question about(Action action, String object) {
    return new Question(action, object.isEmpty() ? Optional.empty() : Optional.of(object));
  }

  private static Set<String> users(MasterState state) {
    Set<String> users = new TreeSet<>();
    state.frameworks().values().forEach(framework -> users.add(framework.info().getUser()));
    state.completedFrameworks().forEach(framework -> users.add(framework.info().getUser()));
    return users;
  }

  private boolean may(Action action, String object) {
    return answers.map(all -> all.getOrDefault(about(action, object), false)).orElse(true);
  }

  /** Whether there is anything that is not to be seen. */
  private boolean limited() {
    return answers.isPresent();
  }

  /** Whether a framework is to be seen. */
  public boolean framework(Framework framework) {
    return may(Action.VIEW_FRAMEWORK, framework.info().getUser());
  }

  /** Whether the tasks of a framework are to be seen. */
  public boolean tasks(Framework framework) {
    return framework(framework) && may(Action.VIEW_TASK, framework.info().getUser());
  }

  /** Whether the executors of a framework are to be seen. */
  public boolean executors(Framework framework) {
    return framework(framework) && may(Action.VIEW_EXECUTOR, framework.info().getUser());
  }

  /** Whether a role is to be seen. */
  public boolean role(String role) {
    return may(Action.VIEW_ROLE, role);
  }

  /**
   * Without those that are reserved for, or allocated to, a role that is not to be seen; of refined
   * reservations every role counts.
   */
  public Resources resources(Resources all) {
    return limited()
        ? all.filter(
            resource ->
                resource.allocationRole().map(this::role).orElse(true)
                    && resource.kind().reservations().stream()
                        .allMatch(reservation -> role(reservation.role())))
        : all;
  }

  /** As {@link #resources(Resources)}, of a message in any format. */
  public boolean resource(Resource resource) {
    return !limited()
        || ((!resource.hasRole() || resource.getRole().equals("*") || role(resource.getRole()))
            && (!resource.hasAllocationInfo() || role(resource.getAllocationInfo().getRole()))
            && resource.getReservationsList().stream()
                .allMatch(reservation -> role(reservation.getRole())));
  }

  /** The roles that are to be seen, with what belongs to them. */
  public <T> Map<String, T> roles(Map<String, T> all) {
    if (!limited()) {
      return all;
    }
    Map<String, T> visible = new TreeMap<>(all);
    visible.keySet().removeIf(role -> !role(role));
    return visible;
  }

  /** Whether the flags of the daemon are to be seen. */
  public boolean flags() {
    return may(Action.VIEW_FLAGS, "");
  }
}
