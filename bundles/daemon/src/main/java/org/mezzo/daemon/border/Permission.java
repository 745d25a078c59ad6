package org.mezzo.daemon.border;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;

/**
 * Whose leave a call or an endpoint needs. Part of every declaration, so that nothing is served
 * about which nobody thought; what needs no leave says why. Immutable.
 *
 * @param <R> the request, from which the object of an action is taken
 */
public final class Permission<R> {

  /** What an approver is asked: an action, and what it is about. */
  public record Question(Action action, AuthorizationObject object) {

    /** About an object of which only the value is known; without a text it is anything. */
    public static Question about(Action action, String value) {
      return new Question(action, AuthorizationObject.of(value));
    }

    /** About anything. */
    public static Question anything(Action action) {
      return new Question(action, AuthorizationObject.ANY);
    }
  }

  private final List<Action> actions;
  private final Function<R, List<Question>> before;
  private final String meaning;

  private Permission(List<Action> actions, Function<R, List<Question>> before, String meaning) {
    this.actions = actions;
    this.before = before;
    this.meaning = meaning;
  }

  /**
   * Nobody is asked.
   *
   * @param why it needs no leave; shown in the help
   */
  public static <R> Permission<R> none(String why) {
    if (why.isBlank()) {
      throw new IllegalArgumentException("What needs no leave has to say why");
    }
    return new Permission<>(List.of(), request -> List.of(), "nothing: " + why);
  }

  /** Asked before it is served, about anything; a no is answered with 403. */
  public static <R> Permission<R> of(Action action) {
    return new Permission<>(
        List.of(action), request -> List.of(Question.anything(action)), action.name());
  }

  /** Asked before it is served, about what the request names; a no is answered with 403. */
  public static <R> Permission<R> about(Action action, Function<R, Optional<String>> object) {
    return new Permission<>(
        List.of(action),
        request -> List.of(Question.about(action, object.apply(request).orElse(""))),
        action.name() + " of what it names");
  }

  /**
   * Asked while it is served, about each object that it meets: what may not be seen is left out of
   * the answer, what may not be done is refused by itself. The asking is the handler's.
   */
  public static <R> Permission<R> perObject(Action... actions) {
    if (actions.length == 0) {
      throw new IllegalArgumentException("Name the actions that are asked about");
    }
    List<Action> all = List.of(actions);
    return new Permission<>(
        all,
        request -> List.of(),
        all.stream().map(Action::name).collect(Collectors.joining(", ")) + " of each object");
  }

  /**
   * Asked before an endpoint is served, about its path; a no is answered with 403.
   *
   * @param path as ACLs name it, for example {@code /containers}, however a request writes it
   */
  public static <R> Permission<R> endpoint(String path) {
    Question question = Question.about(Action.GET_ENDPOINT_WITH_PATH, path);
    return new Permission<>(
        List.of(question.action),
        request -> List.of(question),
        question.action.name() + " of " + path);
  }

  /** Asks for both. */
  public Permission<R> and(Permission<R> other) {
    return new Permission<>(
        Stream.concat(actions.stream(), other.actions.stream()).distinct().toList(),
        request ->
            Stream.concat(questions(request).stream(), other.questions(request).stream()).toList(),
        meaning + ", " + other.meaning);
  }

  /** Every action that is asked about, here or by the handler; empty when nobody is asked. */
  public List<Action> actions() {
    return actions;
  }

  /** What is asked before a request is served. */
  public List<Question> questions(R request) {
    return before.apply(request);
  }

  /**
   * Asks what is to be asked before.
   *
   * @return complete already when nobody has to be asked
   */
  public CompletionStage<Boolean> ask(
      Authorization authorization, Optional<Principal> principal, R request) {
    if (!authorization.demanded()) {
      return CompletableFuture.completedFuture(true);
    }
    List<Question> questions = before.apply(request);
    return questions.isEmpty()
        ? CompletableFuture.completedFuture(true)
        : authorization.decide(
            principal,
            questions.stream().map(Question::action).toList(),
            approvers -> questions.stream().allMatch(approvers::approved));
  }

  /** For the help: what is asked. */
  @Override
  public String toString() {
    return meaning;
  }
}
