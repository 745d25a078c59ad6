package org.mezzo.itests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.hook.Hook;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.hooks.TalkingHook;
import org.mezzo.testing.bundles.ModuleBundle;

/** An operator listens to one module of a running cluster for a while. */
class LogLevelIT {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String SAID = "I am well, thank you";

  @TempDir Path folder;

  private String run(LocalCluster cluster, Distribution distribution, int status, String... words)
      throws Exception {
    List<String> all = new ArrayList<>(List.of("log-level"));
    all.addAll(List.of(words));
    all.add("--master=" + cluster.master().getAuthority());
    MezzoProcess process =
        MezzoProcess.start(distribution, folder.resolve("logs"), all.toArray(String[]::new));
    int ended = process.await(PATIENCE);
    String said = process.stdout() + process.stderr();
    assertThat(ended).as(said).isEqualTo(status);
    return said;
  }

  private static JsonNode module(LocalCluster cluster, String name) throws IOException {
    for (JsonNode module :
        Http.get(cluster.master().resolve("/mezzo/modules")).json().path("modules")) {
      if (module.path("name").asText().equals(name)) {
        return module;
      }
    }
    throw new IllegalStateException("There is no module " + name);
  }

  @Test
  void aModuleSpeaksWhileItIsListenedTo() throws Exception {
    Distribution distribution = Distribution.built().copyTo(folder.resolve("mezzo"));
    ModuleBundle.of("org.mezzo.itests.talking", "1.0.0")
        .header(
            "Import-Package", "org.mezzo.api,org.mezzo.api.hook,org.mezzo.protocol.v1,org.slf4j")
        .module(TalkingHook.class, Hook.class, Hook.KIND, "talking")
        .build(Files.createDirectories(distribution.modules()).resolve("talking.jar"));
    try (LocalCluster cluster = LocalCluster.start(distribution, 1, "--hooks=talking")) {
      assertThat(module(cluster, "talking").path("loggers").toString())
          .contains("\"modules.hook.talking\"");
      assertThat(module(cluster, "audit").path("loggers").toString())
          .isEqualTo("[\"modules.hook.audit\",\"org.mezzo.hooks.audit\"]");
      assertThat(run(cluster, distribution, 1, "hook/talking", "LOUD"))
          .contains("'LOUD' is no level");
      assertThat(run(cluster, distribution, 1, "hook/mute", "DEBUG"))
          .contains("No module is called 'hook/mute'", "hook/talking");
      assertThat(cluster.process().stderr()).doesNotContain(SAID);

      assertThat(run(cluster, distribution, 0, "hook/talking", "DEBUG", "--for=40secs"))
          .contains("modules.hook.talking", "DEBUG");
      Await.until("it speaks", PATIENCE, () -> cluster.process().stderr().contains(SAID));
      JsonNode last =
          Http.get(cluster.master().resolve("/mezzo/deployments")).json().at("/history/0");
      assertThat(last.path("action").asText()).isEqualTo("log_level");
      assertThat(last.path("name").asText()).isEqualTo("hook/talking");
      assertThat(last.path("from").asText()).isEqualTo("INFO");
      assertThat(last.path("to").asText()).isEqualTo("DEBUG");
      assertThat(last.path("principal").asText()).startsWith("somebody at ");

      Await.until(
          "the level goes back by itself",
          PATIENCE,
          () ->
              Http.get(cluster.master().resolve("/mezzo/loggers?logger=hook/talking"))
                  .json()
                  .at("/loggers/0/level")
                  .asText()
                  .equals("INFO"));
    }
  }
}
