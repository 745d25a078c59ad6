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
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.scheduler.Call;

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
      Authorizer onlyRoleA = request -> request.object().equals(Optional.of("a"));
      cluster.leases.register(Authorizer.KIND, "local", onlyRoleA);
      try (TestScheduler scheduler =
          TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
        HttpResponse<String> both =
            scheduler.send(update(scheduler, TestScheduler.info("b").setUser("nobody")));
        assertThat(both.statusCode()).isEqualTo(400);
        assertThat(both.body()).contains("Updating 'FrameworkInfo.user' is unsupported");

        Call.Builder strange = update(scheduler, TestScheduler.info("b"));
        strange.getUpdateFrameworkBuilder().addSuppressedRoles("c");
        assertThat(scheduler.send(strange).statusCode()).isEqualTo(400);

        HttpResponse<String> refused =
            scheduler.send(update(scheduler, TestScheduler.info("b")));
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
        assertThat(answer.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
