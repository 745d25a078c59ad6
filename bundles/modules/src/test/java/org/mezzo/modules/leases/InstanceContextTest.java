package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.Metrics;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.fixtures.Await;
import org.mezzo.modules.DeclaredFlags;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.testing.FakeDaemonContext;

/** What an instance sees of its daemon, and leaves behind in it. */
class InstanceContextTest {
  private static final Map<String, String> FLAGS =
      Map.of("credentials", "/secret", "zk", "zk://user:password@host/mesos");

  private final List<DaemonContext> opened = new CopyOnWriteArrayList<>();
  private final FakeDaemonContext daemon = FakeDaemonContext.master().withFlags(FLAGS);

  private final class Counting implements HttpAuthenticator {
    @Override
    public void open(DaemonContext context) {
      opened.add(context);
      context.metrics().counter("kept").increment();
      context.metrics().gauge("of-" + opened.size(), () -> 1);
    }

    @Override
    public String scheme() {
      return "Basic";
    }

    @Override
    public Result authenticate(Request request) {
      return Result.refused("test");
    }
  }

  @Test
  void seesTheFlagsItDeclares() {
    assertThat(DeclaredFlags.of(new String[] {"credentials", "ip"}))
        .isEqualTo(Set.of("credentials", "ip"))
        .isEqualTo(DeclaredFlags.of(List.of("ip", "credentials")));
    assertThat(DeclaredFlags.of("ip")).isEqualTo(Set.of("ip"));
    assertThat(DeclaredFlags.of(null)).isEmpty();
    InstanceContext context =
        InstanceContext.of(
            daemon,
            new Registration.Announcement(
                "isolator", "cgroups/cpu", "", "", "", Set.of("credentials", "ip"), 1, "b", "1", 2),
            Map.of(),
            daemon.metrics());
    assertThat(context.loggerName()).isEqualTo("modules.isolator.cgroups.cpu");
    assertThat(context.flags()).isEqualTo(Map.of("credentials", "/secret"));
    assertThat(context.workDir()).isEqualTo(Path.of("/nowhere"));
  }

  @Test
  void itsNumbersGoWithItAndThoseOfItsSuccessorStay() throws Exception {
    try (LocalModules modules = new LocalModules()) {
      modules.of(daemon).lease(Kinds.HTTP_AUTHENTICATOR, "test", Runnable::run);
      LocalModules.Registered first =
          modules.register(HttpAuthenticator.class, HttpAuthenticator.KIND, "test", Counting::new);
      modules.awaitHolders();
      LocalModules.Registered second =
          modules.register(HttpAuthenticator.class, HttpAuthenticator.KIND, "test", Counting::new);
      modules.awaitHolders();
      first.close();

      Await.until("the first has left", () -> daemon.metrics().value("of-1") == 0);
      assertThat(daemon.metrics().value("of-2")).isEqualTo(1);
      assertThat(daemon.metrics().value("kept")).isEqualTo(2);
      assertThat(opened.get(0).flags()).isEmpty();

      Metrics late = opened.get(0).metrics();
      late.gauge("afterwards", () -> 1);
      late.gauge("of-2", () -> 7);
      late.counter("kept").increment();
      late.remove("kept");
      assertThat(daemon.metrics().value("afterwards")).isZero();
      assertThat(daemon.metrics().value("of-2")).isEqualTo(1);
      assertThat(daemon.metrics().value("kept")).isEqualTo(2);

      second.close();
      Await.until("the second has left", () -> daemon.metrics().value("of-2") == 0);
      assertThat(daemon.metrics().value("kept")).isZero();
    }
  }

  @Test
  void theNumbersOfTheLeaseAreNotItsOwn() {
    Metrics metrics = new ModuleMetrics(daemon.metrics()).instance();
    assertThatThrownBy(() -> metrics.counter("calls"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("take another name");
    metrics.remove("calls");
  }
}
