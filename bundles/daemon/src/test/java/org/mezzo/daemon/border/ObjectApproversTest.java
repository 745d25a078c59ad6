package org.mezzo.daemon.border;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission.Question;

class ObjectApproversTest {
  private static final Optional<Principal> ANN = Optional.of(Principal.named("ann"));
  private final List<Question> asked = new ArrayList<>();

  private ObjectApprovers ask(Authorization authorization, Question... questions) {
    return ObjectApprovers.ask(authorization, ANN, List.of(questions)).toCompletableFuture().join();
  }

  private Authorization only(String object) {
    return Authorization.by(
        (subject, action, about) -> {
          assertThat(subject).isEqualTo(ANN);
          asked.add(new Question(action, about));
          return CompletableFuture.completedFuture(about.equals(Optional.of(object)));
        });
  }

  @Test
  void asksEachQuestionOnceAndRefusesWhatWasNotAsked() {
    Question ann = Question.about(Action.VIEW_TASK, "ann");
    Question bob = Question.about(Action.VIEW_TASK, "bob");
    ObjectApprovers approvers = ask(only("ann"), ann, bob, ann, bob, ann);
    assertThat(asked).containsExactly(ann, bob);
    assertThat(approvers.approved(Action.VIEW_TASK, "ann")).isTrue();
    assertThat(approvers.approved(Action.VIEW_TASK, "bob")).isFalse();
    assertThat(approvers.approved(Action.VIEW_EXECUTOR, "ann")).isFalse();
    assertThat(approvers.approved(Action.VIEW_TASK)).isFalse();
  }

  @Test
  void anObjectWithoutANameIsAnything() {
    ask(only("ann"), Question.about(Action.VIEW_TASK, ""));
    assertThat(asked).containsExactly(Question.anything(Action.VIEW_TASK));
  }

  @Test
  void everythingIsApprovedWhereNobodyIsAsked() {
    ObjectApprovers approvers = ask(Authorization.none());
    assertThat(approvers.approved(Action.VIEW_TASK, "ann")).isTrue();
    assertThat(approvers.approved(Action.VIEW_FLAGS)).isTrue();
  }

  @Test
  void bothOfTwoPermissionsAreAsked() {
    Permission<String> both =
        Permission.<String>endpoint("/containers")
            .and(Permission.about(Action.VIEW_CONTAINER, Optional::of));
    assertThat(both.ask(only("ann"), ANN, "ann").toCompletableFuture().join()).isFalse();
    assertThat(asked)
        .containsExactly(
            Question.about(Action.GET_ENDPOINT_WITH_PATH, "/containers"),
            Question.about(Action.VIEW_CONTAINER, "ann"));
    assertThat(both.actions())
        .containsExactly(Action.GET_ENDPOINT_WITH_PATH, Action.VIEW_CONTAINER);
    assertThat(both)
        .hasToString("GET_ENDPOINT_WITH_PATH of /containers, VIEW_CONTAINER of what it names");
  }
}
