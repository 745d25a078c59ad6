package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.protocol.v1.FrameworkInfo;

/**
 * The rules of {@link Authorizer} and {@link Approver}: there is an approver for whoever asks for
 * whatever, it decides every object at once, always the same within a request, and never throws.
 * {@link ModuleContract} says how to extend it.
 */
public abstract class AuthorizerContract extends ParallelContract<Authorizer> {
  private static final int MANY = 100_000;
  private static final Set<Action> ALL = EnumSet.allOf(Action.class);

  /**
   * What somebody may do, or may not.
   *
   * @param subject empty for a request without principal
   */
  public record Question(Optional<String> subject, Action action, AuthorizationObject object) {}

  /** For subclasses. */
  protected AuthorizerContract() {}

  /** What is allowed; not empty. */
  protected abstract List<Question> allowed();

  /** What is refused; not empty. */
  protected abstract List<Question> refused();

  @Override
  Role role() {
    return Role.MASTER;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(5);
  }

  @Override
  int callers() {
    return 16;
  }

  @Override
  void use(Instance<Authorizer> authorizer, Random random) {
    for (Question each : allowed()) {
      check(approved(authorizer, each, ALL), each + " is refused");
      check(approved(authorizer, each, Set.of(each.action)), each + " is refused when alone");
    }
    for (Question each : refused()) {
      check(!approved(authorizer, each, ALL), each + " is allowed");
    }
  }

  private static boolean approved(
      Instance<Authorizer> authorizer, Question question, Set<Action> actions) {
    Approver approver =
        authorizer.ask(
            "approver", it -> it.approver(question.subject.map(Principal::named), actions));
    return authorizer.ask("approved", it -> approver.approved(question.action, question.object));
  }

  /** Whoever asks for whatever gets an approver, which answers about every kind of object. */
  @Test
  public void answersWhoeverAsks() throws Exception {
    Random random = random();
    Instance<Authorizer> authorizer = opened();
    List<Optional<Principal>> subjects =
        List.of(
            Optional.empty(),
            Optional.of(Principal.named("")),
            Optional.of(Principal.named(Samples.text(random))),
            Optional.of(new Principal(Optional.empty(), Map.of())),
            Optional.of(new Principal(Optional.empty(), Map.of("cid", "c", "odd", ""))));
    for (Optional<Principal> subject : subjects) {
      for (Action action : Action.values()) {
        Approver approver = authorizer.ask("approver", it -> it.approver(subject, Set.of(action)));
        for (AuthorizationObject object : objects(random)) {
          authorizer.ask("approved", it -> approver.approved(action, object));
        }
      }
    }
    authorizer.close();
  }

  private static List<AuthorizationObject> objects(Random random) {
    FrameworkInfo framework = Samples.framework(random);
    AuthorizationObject.Builder task =
        AuthorizationObject.builder().taskInfo(Samples.task(random)).frameworkInfo(framework);
    return List.of(
        AuthorizationObject.ANY,
        AuthorizationObject.of(Samples.text(random)),
        AuthorizationObject.builder().frameworkInfo(framework).build(),
        task.value("root").parentUser("nobody").containerId("c").build());
  }

  /**
   * An approver knows already: it decides a hundred thousand objects within two seconds times
   * {@link #patience}, on a thread that is interrupted as well, and the same object always alike,
   * also when a successor has opened meanwhile.
   */
  @Test
  public void decidesManyObjectsAtOnceAndAlike() throws Exception {
    Instance<Authorizer> authorizer = opened();
    for (boolean expected : new boolean[] {true, false}) {
      Question question = (expected ? allowed() : refused()).get(0);
      Approver approver =
          authorizer.ask(
              "approver", it -> it.approver(question.subject.map(Principal::named), ALL));
      long begin = System.nanoTime();
      boolean alike =
          authorizer.ask(
              "approved",
              it -> {
                Thread.currentThread().interrupt();
                for (int i = 0; i < MANY; i++) {
                  if (approver.approved(question.action, question.object) != expected) {
                    return false;
                  }
                }
                return true;
              });
      check(alike, question + " is not always decided alike");
      long took = System.nanoTime() - begin;
      check(
          took < Duration.ofSeconds(2L * patience()).toNanos(),
          MANY + " objects took " + took / 1_000_000 + " ms; an approver does no I/O");
      Instance<Authorizer> next = opened();
      boolean later =
          authorizer.ask("approved", it -> approver.approved(question.action, question.object));
      check(later == expected, question + " is decided otherwise beside a successor");
      next.close();
    }
    authorizer.close();
  }
}
