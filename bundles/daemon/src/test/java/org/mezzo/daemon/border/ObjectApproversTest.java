package org.mezzo.daemon.border;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Permission.Question;

class ObjectApproversTest {
  private static final Optional<Principal> ANN = Optional.of(Principal.named("ann"));
  private final List<Set<Action>> calls = new ArrayList<>();
  private final List<Question> asked = new ArrayList<>();

  private ObjectApprovers only(String value, Set<Action> actions) {
    return ObjectApprovers.of(
        actions,
        (action, object) -> {
          asked.add(new Question(action, object));
          return object.value().equals(Optional.of(value));
        });
  }

  private Authorization onlyAbout(String value) {
    return Authorization.by(
        (subject, actions) -> {
          assertThat(subject).isEqualTo(ANN);
          calls.add(actions);
          return CompletableFuture.completedFuture(only(value, actions));
        });
  }

  @Test
  void asksAboutEachObjectAndRefusesOtherActions() {
    ObjectApprovers approvers = only("ann", Set.of(Action.VIEW_TASK));
    assertThat(approvers.approved(Action.VIEW_TASK, "ann")).isTrue();
    assertThat(approvers.approved(Action.VIEW_TASK, "bob")).isFalse();
    assertThat(approvers.approved(Action.VIEW_EXECUTOR, "ann")).isFalse();
    assertThat(approvers.approved(Action.VIEW_TASK, Map.of("ann", 1, "bob", 2)))
        .isEqualTo(Map.of("ann", 1));
    assertThat(asked).doesNotContain(Question.about(Action.VIEW_EXECUTOR, "ann"));
    assertThat(approvers.limited()).isTrue();
  }

  @Test
  void anObjectWithoutAValueIsAnything() {
    assertThat(only("", Set.of(Action.VIEW_TASK)).approved(Action.VIEW_TASK, "")).isFalse();
    assertThat(asked).containsExactly(Question.anything(Action.VIEW_TASK));
    assertThat(AuthorizationObject.builder().value("").build()).isEqualTo(AuthorizationObject.ANY);
  }

  @Test
  void everythingIsApprovedWhereNobodyIsAsked() {
    assertThat(ObjectApprovers.ALL.approved(Action.VIEW_TASK, "ann")).isTrue();
    assertThat(ObjectApprovers.ALL.approved(Action.VIEW_FLAGS)).isTrue();
    assertThat(ObjectApprovers.ALL.limited()).isFalse();
    assertThat(ObjectApprovers.NONE.approved(Action.VIEW_FLAGS)).isFalse();
  }

  @Test
  void bothOfTwoPermissionsAreAskedInOneCall() {
    Permission<String> both =
        Permission.<String>endpoint("ann")
            .and(Permission.about(Action.VIEW_CONTAINER, Optional::of));
    assertThat(both.ask(onlyAbout("ann"), ANN, "ann").toCompletableFuture().join()).isTrue();
    assertThat(calls).containsExactly(Set.of(Action.GET_ENDPOINT_WITH_PATH, Action.VIEW_CONTAINER));
    assertThat(asked)
        .containsExactly(
            Question.about(Action.GET_ENDPOINT_WITH_PATH, "ann"),
            Question.about(Action.VIEW_CONTAINER, "ann"));
    assertThat(both.ask(onlyAbout("ann"), ANN, "bob").toCompletableFuture().join()).isFalse();
    assertThat(both.actions())
        .containsExactly(Action.GET_ENDPOINT_WITH_PATH, Action.VIEW_CONTAINER);
    assertThat(both).hasToString("GET_ENDPOINT_WITH_PATH of ann, VIEW_CONTAINER of what it names");
  }

  @Test
  void whatIsAskedAboutLaterIsNotAskedBefore() {
    Permission<String> later = Permission.perObject(Action.VIEW_TASK);
    assertThat(later.ask(onlyAbout("ann"), ANN, "bob").toCompletableFuture())
        .isCompletedWithValue(true);
    assertThat(calls).isEmpty();
  }
}
