package org.mezzo.acls.authorizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.acls.AclRule;
import org.mezzo.acls.AclsException;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.testing.FakeDaemonContext;

class LocalAuthorizerTest {
  private static final String ANNA_ONLY =
      "{\"permissive\": false, \"teardown_frameworks\": [{\"principals\": {\"values\": [\"anna\"]},"
          + " \"framework_principals\": {\"values\": [\"web\"]}}]}";
  private static final String BERT_ONLY = ANNA_ONLY.replace("anna", "bert");

  @TempDir Path folder;
  private final LocalAuthorizer authorizer = new LocalAuthorizer();
  private final FakeDaemonContext context = FakeDaemonContext.master();

  @Test
  void rulesInTheFlagItself() throws Exception {
    open(ANNA_ONLY);
    assertThat(mayTearDown("anna")).isTrue();
    assertThat(mayTearDown("bert")).isFalse();
    assertThat(value("entries")).isEqualTo(1);
  }

  @Test
  void everyActionIsAnsweredByARule() throws Exception {
    open("{}");
    for (Action action : Action.values()) {
      assertThat(AclRule.ofAction(action.name())).as(action.name()).isNotEmpty();
      assertThat(approver("anna", EnumSet.of(action)).approved(action, AuthorizationObject.ANY))
          .isTrue();
    }
  }

  @Test
  void whatIsNestedNeedsLeaveOfBothItsUserAndThatOfItsParent() throws Exception {
    open(
        """
        {"permissive": false,
         "launch_nested_containers_as_user": [
           {"principals": {"values": ["anna"]}, "users": {"values": ["inner"]}}],
         "launch_nested_containers_under_parent_with_user": [
           {"principals": {"values": ["anna"]}, "users": {"values": ["outer"]}}]}
        """);
    Approver anna = approver("anna", Set.of(Action.LAUNCH_NESTED_CONTAINER));
    AuthorizationObject.Builder object = AuthorizationObject.builder().value("inner");
    assertThat(anna.approved(Action.LAUNCH_NESTED_CONTAINER, object.parentUser("outer").build()))
        .isTrue();
    assertThat(anna.approved(Action.LAUNCH_NESTED_CONTAINER, object.parentUser("inner").build()))
        .isFalse();
    assertThat(
            anna.approved(
                Action.LAUNCH_NESTED_CONTAINER, object.value("outer").parentUser("outer").build()))
        .isFalse();
  }

  @Test
  void whoHasNoNameMayDoNothingAndWhoIsNotKnownWhatAnybodyMay() throws Exception {
    open("{}");
    Set<Action> flags = Set.of(Action.VIEW_FLAGS);
    Principal claims = new Principal(Optional.empty(), Map.of("cid", "c1"));
    assertThat(
            authorizer
                .approver(Optional.of(claims), flags)
                .approved(Action.VIEW_FLAGS, AuthorizationObject.ANY))
        .isFalse();
    assertThat(
            authorizer
                .approver(Optional.empty(), flags)
                .approved(Action.VIEW_FLAGS, AuthorizationObject.ANY))
        .isTrue();
  }

  /** Whatever the lists say: they are about names, and executors have none. */
  @Test
  void anExecutorMayDoWhatIsInItsOwnContainerAndNothingElse() throws Exception {
    open("{\"permissive\": false}");
    Principal executor =
        new Principal(Optional.empty(), Map.of("fid", "f", "eid", "e", "cid", "c1"));
    Set<Action> actions = Set.of(Action.LAUNCH_NESTED_CONTAINER, Action.VIEW_CONTAINER);
    Approver approver = authorizer.approver(Optional.of(executor), actions);
    AuthorizationObject.Builder object = AuthorizationObject.builder().value("ann");
    assertThat(approver.approved(Action.LAUNCH_NESTED_CONTAINER, object.containerId("c1").build()))
        .isTrue();
    assertThat(approver.approved(Action.VIEW_CONTAINER, object.containerId("c1").build()))
        .isFalse();
    assertThat(approver.approved(Action.LAUNCH_NESTED_CONTAINER, object.containerId("c2").build()))
        .isFalse();
    assertThat(approver.approved(Action.LAUNCH_NESTED_CONTAINER, AuthorizationObject.ANY))
        .isFalse();
  }

  @Test
  void aChangedFileHoldsFromTheNextRequestOn() throws Exception {
    Path file = write(ANNA_ONLY);
    open("file://" + file);
    Approver before = approver("anna", Set.of(Action.TEARDOWN_FRAMEWORK));
    write(BERT_ONLY);
    assertThat(mayTearDown("anna")).isFalse();
    assertThat(mayTearDown("bert")).isTrue();
    // A request is decided by one version from its begin to its end.
    assertThat(before.approved(Action.TEARDOWN_FRAMEWORK, AuthorizationObject.of("web"))).isTrue();
    assertThat(value("reloads")).isEqualTo(1);
    assertThat(value("failed_reloads")).isZero();
  }

  @Test
  void aFileThatWasReadLongAgoIsReadAgainOnlyWhenItChanges() throws Exception {
    Path file = write(ANNA_ONLY);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(60)));
    open(file.toString());
    assertThat(mayTearDown("anna")).isTrue();
    FileTime read = Files.getLastModifiedTime(file);
    // The same size at the same time in the same file is the same, as far as one can see.
    Files.writeString(file, BERT_ONLY);
    Files.setLastModifiedTime(file, read);
    assertThat(mayTearDown("anna")).isTrue();
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(30)));
    assertThat(mayTearDown("anna")).isFalse();
  }

  @Test
  void aFileThatMakesNoSenseLeavesTheRulesOfBefore() throws Exception {
    Path file = write(ANNA_ONLY);
    open(file.toString());
    write("{\"run_tasks\": [{}]}");
    assertThat(mayTearDown("anna")).isTrue();
    assertThat(mayTearDown("bert")).isFalse();
    assertThat(value("failed_reloads")).isEqualTo(1);
    assertThat(value("outdated")).isEqualTo(1);
    Files.delete(file);
    assertThat(mayTearDown("anna")).isTrue();
    assertThat(mayTearDown("anna")).isTrue();
    assertThat(value("failed_reloads")).isEqualTo(2);
    write(BERT_ONLY);
    assertThat(mayTearDown("bert")).isTrue();
    assertThat(value("outdated")).isZero();
    assertThat(value("reloads")).isEqualTo(1);
  }

  @Test
  void whatCannotBeUsedIsNotOpened() throws Exception {
    assertThatThrownBy(() -> open(""))
        .isInstanceOf(AclsException.class)
        .hasMessageContaining("JSON");
    assertThatThrownBy(() -> open(folder.resolve("none").toString()))
        .isInstanceOf(AclsException.class)
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> open(folder.toString()))
        .isInstanceOf(AclsException.class)
        .hasMessageContaining("is not a file");
    Path file = write("{\"view_roles\": 1}");
    assertThatThrownBy(() -> open(file.toString()))
        .isInstanceOf(AclsException.class)
        .hasMessageContaining(file + ": view_roles[0] (line 1)");
  }

  private void open(String acls) throws Exception {
    authorizer.open(context.withFlags(Map.of("acls", acls)));
  }

  /** Exchanges the file as editors do. */
  private Path write(String json) throws IOException {
    Path next = Files.writeString(folder.resolve("acls.next"), json);
    return Files.move(next, folder.resolve("acls.json"), StandardCopyOption.REPLACE_EXISTING);
  }

  private Approver approver(String principal, Set<Action> actions) {
    return authorizer.approver(Optional.of(Principal.named(principal)), actions);
  }

  private boolean mayTearDown(String principal) {
    return approver(principal, Set.of(Action.TEARDOWN_FRAMEWORK))
        .approved(Action.TEARDOWN_FRAMEWORK, AuthorizationObject.of("web"));
  }

  private double value(String metric) {
    return context.metrics().value(metric);
  }
}
