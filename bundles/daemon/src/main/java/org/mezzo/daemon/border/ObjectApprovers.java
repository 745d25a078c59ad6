package org.mezzo.daemon.border;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission.Question;

/**
 * What one principal may see of many objects, for endpoints whose permission is {@link
 * Permission#perObject}: asked once per request and distinct question, so that writing the answer
 * never waits. What was not asked is refused. Immutable.
 */
public final class ObjectApprovers {
  /** Approves everything: nobody demands authorization. */
  public static final ObjectApprovers ALL = new ObjectApprovers(Optional.empty());

  /** Absent when everything is approved. */
  private final Optional<Map<Question, Boolean>> answers;

  private ObjectApprovers(Optional<Map<Question, Boolean>> answers) {
    this.answers = answers;
  }

  /**
   * Asks.
   *
   * @param questions each is asked once, however often it comes
   * @return complete already when nobody is to be asked; never completes exceptionally
   */
  public static CompletionStage<ObjectApprovers> ask(
      Authorization authorization, Optional<Principal> principal, Collection<Question> questions) {
    if (!authorization.demanded()) {
      return CompletableFuture.completedFuture(ALL);
    }
    Map<Question, Boolean> answers = new ConcurrentHashMap<>();
    List<CompletableFuture<?>> asked = new ArrayList<>();
    for (Question question : new LinkedHashSet<>(questions)) {
      asked.add(
          authorization
              .allowed(principal, question.action(), question.object())
              .thenAccept(allowed -> answers.put(question, allowed))
              .toCompletableFuture());
    }
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(done -> new ObjectApprovers(Optional.of(answers)));
  }

  /** Whether the action is approved about an object, which was among the questions. */
  public boolean approved(Action action, String object) {
    return approved(Question.about(action, object));
  }

  /** Whether the action is approved about anything, which was among the questions. */
  public boolean approved(Action action) {
    return approved(Question.anything(action));
  }

  /** What of a map the action is approved about; its keys are objects that were asked about. */
  public <T> Map<String, T> approved(Action action, Map<String, T> byObject) {
    if (!limited()) {
      return byObject;
    }
    Map<String, T> approved = new LinkedHashMap<>(byObject);
    approved.keySet().removeIf(object -> !approved(action, object));
    return approved;
  }

  /** Whether anybody was asked, so that there may be something that is not approved. */
  public boolean limited() {
    return answers.isPresent();
  }

  private boolean approved(Question question) {
    return answers.map(all -> all.getOrDefault(question, false)).orElse(true);
  }
}
