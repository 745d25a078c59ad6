package org.mezzo.daemon.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.Verdict;

@Timeout(60)
class DeploymentsEndpointTest {
  private static final Instant AT = Instant.parse("2026-01-02T03:04:05Z");

  private static final class Recorded implements Deployments {
    @Override
    public List<Deployment> list() {
      return List.of(
          new Deployment("hooks", "1.0.0", "hooks.jar", "active", "", 7, List.of("hook labels")),
          new Deployment("bad", "2.0.0", "bad.jar", "failed", "it throws", -1, List.of()));
    }

    @Override
    public List<Action> history() {
      return List.of(
          new Action(
              3,
              "Ada",
              AT,
              Action.Kind.SWAP,
              "hooks",
              "0.9.0",
              "1.0.0",
              true,
              "took over",
              Duration.ofMillis(12),
              Duration.ZERO,
              List.of(new Action.Stage("started", Duration.ofMillis(4)))));
    }

    @Override
    public List<String> leaks() {
      return List.of("org.gone 1.0.0: loader 7.0");
    }

    @Override
    public List<Verdict> verdicts() {
      return List.of(
          new Verdict("ab12", "bad", "2.0.0", Verdict.Kind.ROLLED_BACK, "it throws", AT));
    }

    @Override
    public Optional<Path> folder() {
      return Optional.empty();
    }

    @Override
    public CompletionStage<Action> install(Path jar, String principal) {
      throw new UnsupportedOperationException("nothing is changed over HTTP");
    }

    @Override
    public CompletionStage<Action> install(String fileName, InputStream jar, String principal) {
      throw new UnsupportedOperationException("nothing is changed over HTTP");
    }

    @Override
    public CompletionStage<Action> swap(Path jar, String principal) {
      throw new UnsupportedOperationException("nothing is changed over HTTP");
    }

    @Override
    public CompletionStage<Action> uninstall(String symbolicName, String principal) {
      throw new UnsupportedOperationException("nothing is changed over HTTP");
    }
  }

  @Test
  void showsWhatIsDeployedWhatIsHeldAgainstAnythingAndWhatWasDone() throws Exception {
    try (Workers workers = new Workers("test", 2)) {
      Router router = new Router("master", Authentication.NONE, Authorization.none(), workers);
      router.add(new DeploymentsEndpoint("master", new Recorded()));
      try (TestServer server = new TestServer(router)) {
        assertThat(server.get("/mezzo/deployments").body())
            .isEqualTo(
                """
                {"daemon":"master","deployments":[{"name":"hooks","version":"1.0.0",\
                "file":"hooks.jar","state":"active","problem":"","bundle_id":7,\
                "modules":["hook labels"]},{"name":"bad","version":"2.0.0","file":"bad.jar",\
                "state":"failed","problem":"it throws","modules":[]}],\
                "verdicts":[{"digest":"ab12","name":"bad","version":"2.0.0",\
                "verdict":"rolled back","reason":"it throws","at":"2026-01-02T03:04:05Z"}],\
                "leaks":["org.gone 1.0.0: loader 7.0"],\
                "history":[{"id":3,"principal":"Ada","at":"2026-01-02T03:04:05Z",\
                "action":"swap","name":"hooks","from":"0.9.0","to":"1.0.0","succeeded":true,\
                "outcome":"took over","took_ms":12,"gap_ms":0,\
                "stages":[{"stage":"started","after_ms":4}]}]}\
                """);
      }
    }
  }
}
