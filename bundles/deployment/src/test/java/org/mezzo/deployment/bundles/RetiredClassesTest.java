package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.deployment.modules.LeakyGreeter;

/** What stays of a bundle that was removed. */
@Timeout(60)
final class RetiredClassesTest extends DeploymentsInFramework {
  private static void collect() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
  }

  private void remove() throws Exception {
    assertThat(deployments.uninstall("greeter").toCompletableFuture().get().succeeded()).isTrue();
    assertThat(installed()).isEmpty();
  }

  @Test
  void ofAGoodModuleNothingStays() throws Exception {
    good("1.0.0", "greeter.jar");
    deploy();
    await(() -> holder().equals("1.0.0"));
    remove();
    await(
        () -> {
          collect();
          return deployments.leaks().isEmpty();
        });
  }

  @Test
  void whatAModuleLeavesBehindIsNamedWithItsThread() throws Exception {
    greeter("1.0.0", LeakyGreeter.class).build(modules.resolve("greeter.jar"));
    deploy();
    await(() -> holder().equals("1.0.0"));
    remove();
    assertThat(deployments.leaks()).as("before the collector has looked").isEmpty();
    await(
        () -> {
          collect();
          return deployments.leaks().size() == 1;
        });
    assertThat(deployments.leaks().get(0))
        .startsWith("greeter 1.0.0: loader ")
        .contains("perhaps held by the threads 'left-behind'");
  }
}
