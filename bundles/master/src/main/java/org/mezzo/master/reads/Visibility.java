package org.mezzo.master.reads;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;

/**
 * What one principal may see: frameworks, tasks and executors by the user they run as, flags. Asked
 * once per request, for each user of the state, so that writing the answer never waits. Immutable.
 */
final class Visibility {
  /** Sees everything: nobody demands authorization. */
  static final Visibility ALL = new Visibility(null);

  private record Question(Action action, String object) {}

  /** Null when everything is visible. */
  private final Map<Question, Boolean> answers;

  private Visibility(Map<Question, Boolean> answers) {
    this.answers = answers;
  }

  /** Asks about everything in the state; completes at once when nobody is to be asked. */
  static CompletionStage<Visibility> of(
      Authorization authorization, Optional<Principal> principal, MasterState state) {
    if (!authorization.demanded()) {
      return CompletableFuture.completedFuture(ALL);
    }
    Map<Question, Boolean> answers = new ConcurrentHashMap<>();
    List<CompletableFuture<?>> asked = new ArrayList<>();
    Map<String, Boolean> users = new HashMap<>();
    for (Framework framework : state.frameworks().values()) {
      users.put(framework.info().getUser(), true);
    }
    for (Framework framework : state.completedFrameworks()) {
      users.put(framework.info().getUser(), true);
    }
    for (String user : users.keySet()) {
      for (Action action : List.of(Action.VIEW_FRAMEWORK, Action.VIEW_TASK, Action.VIEW_EXECUTOR)) {
        asked.add(ask(authorization, principal, action, user, answers));
      }
    }
    asked.add(ask(authorization, principal, Action.VIEW_FLAGS, "", answers));
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(done -> new Visibility(answers));
  }

  private static CompletableFuture<?> ask(
      Authorization authorization,
      Optional<Principal> principal,
      Action action,
      String object,
      Map<Question, Boolean> answers) {
    return authorization
        .allowed(principal, action, object.isEmpty() ? Optional.empty() : Optional.of(object))
        .thenAccept(allowed -> answers.put(new Question(action, object), allowed))
        .toCompletableFuture();
  }

  private boolean may(Action action, String object) {
    return answers == null || answers.getOrDefault(new Question(action, object), false);
  }

  boolean framework(Framework framework) {
    return may(Action.VIEW_FRAMEWORK, framework.info().getUser());
  }

  boolean tasks(Framework framework) {
    return framework(framework) && may(Action.VIEW_TASK, framework.info().getUser());
  }

  boolean executors(Framework framework) {
    return framework(framework) && may(Action.VIEW_EXECUTOR, framework.info().getUser());
  }

  boolean flags() {
    return may(Action.VIEW_FLAGS, "");
  }
}
