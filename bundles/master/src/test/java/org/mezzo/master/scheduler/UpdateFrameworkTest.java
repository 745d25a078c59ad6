package org.mezzo.master.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.AttributeConstraint;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/** UPDATE_FRAMEWORK (rule 36). */
class UpdateFrameworkTest {
  @TempDir Path workDir;

  private static Call.Builder update(TestScheduler scheduler, FrameworkInfo.Builder info) {
    Call.Builder call = Call.newBuilder().setType(Call.Type.UPDATE_FRAMEWORK);
    call.getUpdateFrameworkBuilder()
        .setFrameworkInfo(info.setId(FrameworkID.newBuilder().setValue(scheduler.id)));
    return call;
  }

  @Test
  void whatIsWrongIsToldBeforeWhatIsNotAllowed() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Authorizer onlyRoleA =
          (subject, actions) -> (action, object) -> object.value().equals(Optional.of("a"));
      cluster.modules.register(Kinds.AUTHORIZER, "local", onlyRoleA);
      cluster.modules.awaitHolders();
      try (TestScheduler scheduler =
          TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
        HttpResponse<String> both =
            scheduler.send(update(scheduler, TestScheduler.info("b").setUser("nobody")));
        assertThat(both.statusCode()).isEqualTo(400);
        assertThat(both.body()).contains("Updating 'FrameworkInfo.user' is unsupported");

        Call.Builder strange = update(scheduler, TestScheduler.info("b"));
        strange.getUpdateFrameworkBuilder().addSuppressedRoles("c");
        assertThat(scheduler.send(strange).statusCode()).isEqualTo(400);

        HttpResponse<String> refused = scheduler.send(update(scheduler, TestScheduler.info("b")));
        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(refused.body()).isEqualTo("Not authorized to use role 'b'");
        assertThat(cluster.state().frameworks().get(scheduler.id).subscription().roles())
            .containsExactly("a");

        HttpResponse<String> done =
            scheduler.send(update(scheduler, TestScheduler.info("a").setName("renamed")));
        assertThat(done.statusCode()).isEqualTo(200);
        assertThat(cluster.state().frameworks().get(scheduler.id).info().getName())
            .isEqualTo("renamed");
      }
    }
  }

  @Test
  void theAnswerComesAfterTheChangeIsPublished() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
      CountDownLatch publishing = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      CountDownLatch following = new CountDownLatch(1);
      try (AutoCloseable follower =
          cluster
              .master
              .cluster()
              .follow(
                  state -> following.countDown(),
                  (before, after, happenings) -> {
                    if (after.frameworks().get(scheduler.id).info().getName().equals("renamed")) {
                      publishing.countDown();
                      await(goOn);
                    }
                  },
                  () -> {})) {
        await(following);
        CompletableFuture<HttpResponse<String>> answer =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return scheduler.send(
                        update(scheduler, TestScheduler.info("a").setName("renamed")));
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                });
        await(publishing);
        assertThatThrownBy(() -> answer.get(300, TimeUnit.MILLISECONDS))
            .isInstanceOf(TimeoutException.class);
        goOn.countDown();
        assertThat(answer.get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
      }
    }
  }

  private static OfferConstraints matching(String regex) {
    AttributeConstraint.Builder constraint = AttributeConstraint.newBuilder();
    constraint.getSelectorBuilder().setAttributeName("rack");
    constraint.getPredicateBuilder().getTextMatchesBuilder().setRegex(regex);
    return OfferConstraints.newBuilder()
        .putRoleConstraints(
            "a",
            OfferConstraints.RoleConstraints.newBuilder()
                .addGroups(
                    OfferConstraints.RoleConstraints.Group.newBuilder()
                        .addAttributeConstraints(constraint))
                .build())
        .build();
  }

  @Test
  void constraintsAreJudgedByWhatAppliesThem() throws Exception {
    try (TestCluster cluster =
            new TestCluster(workDir, "offer_constraints_re2_max_program_size=20");
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
      Call.Builder named = update(scheduler, TestScheduler.info("a"));
      named.getUpdateFrameworkBuilder().setOfferConstraints(matching("(?P<n>a+)"));
      assertThat(scheduler.send(named).statusCode()).isEqualTo(200);
      assertThat(cluster.state().frameworks().get(scheduler.id).subscription().constraints())
          .satisfies(it -> assertThat(it.isAgentExcluded("a", rack("aaa"))).isFalse())
          .satisfies(it -> assertThat(it.isAgentExcluded("a", rack("aab"))).isTrue())
          .satisfies(it -> assertThat(it.message()).isEqualTo(matching("(?P<n>a+)")));

      Call.Builder lookahead = update(scheduler, TestScheduler.info("a"));
      lookahead.getUpdateFrameworkBuilder().setOfferConstraints(matching("(?!bad).*"));
      HttpResponse<String> refused = scheduler.send(lookahead);
      assertThat(refused.statusCode()).isEqualTo(400);
      assertThat(refused.body())
          .isEqualTo(
              "'UpdateFramework' call is not valid: Offer constraints are not valid: A role a has"
                  + " an invalid 'AttributeConstraint': Failed to construct regex from pattern"
                  + " '(?!bad).*': error parsing regexp: invalid or unsupported Perl syntax:"
                  + " `(?!`");

      Call.Builder complex = update(scheduler, TestScheduler.info("a"));
      complex.getUpdateFrameworkBuilder().setOfferConstraints(matching("a{30}"));
      assertThat(scheduler.send(complex).body())
          .contains("program size of 32 is larger than maximum of 20 allowed");
      assertThat(
              cluster.state().frameworks().get(scheduler.id).subscription().constraints().message())
          .isEqualTo(matching("(?P<n>a+)"));

      try (TestScheduler other = TestScheduler.json(cluster.address())) {
        other.subscribe(TestScheduler.info("a").build(), matching("(?!bad).*"));
        assertThat(other.next(Event.Type.ERROR).getError().getMessage())
            .startsWith("Offer constraints are not valid: A role a has an invalid");
      }
    }
  }

  private static AgentInfo rack(String name) {
    AgentInfo.Builder info = AgentInfo.newBuilder().setHostname("h");
    info.addAttributesBuilder()
        .setName("rack")
        .setType(Value.Type.TEXT)
        .setText(Value.Text.newBuilder().setValue(name));
    return info.build();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
