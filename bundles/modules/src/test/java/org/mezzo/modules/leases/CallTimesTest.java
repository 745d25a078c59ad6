package org.mezzo.modules.leases;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeMetrics;

class CallTimesTest {
  @Test
  void tellTheLastTimesAndForgetOlderOnes() {
    FakeMetrics metrics = new FakeMetrics();
    CallTimes times = new CallTimes();
    times.measure(metrics);
    assertThat(metrics.value("call_ms")).isNaN();
    times.add(1_000_000_000);
    for (int i = 1; i <= 500; i++) {
      times.add(i * 1_000_000L);
    }
    assertThat(metrics.value("call_ms")).isEqualTo(500);
    assertThat(metrics.value("call_ms/p50")).isEqualTo(250);
    assertThat(metrics.value("call_ms/p99")).isEqualTo(495);
    assertThat(metrics.value("call_ms/max")).isEqualTo(500);
  }

  @Test
  void eachCallOfALeaseIsMeasured() throws Exception {
    FakeDaemonContext daemon = FakeDaemonContext.master();
    try (LocalModules modules = new LocalModules()) {
      ModuleLease<HttpAuthenticator> lease =
          modules.of(daemon).lease(Kinds.HTTP_AUTHENTICATOR, "test", Runnable::run);
      modules.register(
          HttpAuthenticator.class,
          HttpAuthenticator.KIND,
          "test",
          () ->
              new HttpAuthenticator() {
                @Override
                public String scheme() {
                  return "Basic";
                }

                @Override
                public Result authenticate(Request request) {
                  return Result.refused("test");
                }
              });
      modules.awaitHolders();
      assertThat(daemon.metrics().value("call_ms")).isNaN();
      lease.ask("scheme", HttpAuthenticator::scheme).toCompletableFuture().join();
      assertThat(daemon.metrics().value("call_ms/max")).isPositive();
    }
  }
}
