package org.mezzo.daemon.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mezzo.daemon.TestServer;
import org.mezzo.daemon.border.Authentication;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.loop.Workers;

@Timeout(60)
class DeploymentsEndpointTest {
  @Test
  void showsWhatIsDeployedWhatIsHeldAgainstAnythingAndWhatWasDone() throws Exception {
    try (Workers workers = new Workers("test", 2)) {
      Router router = new Router("master", Authentication.NONE, Authorization.none(), workers);
      router.add(new DeploymentsEndpoint("master", new RecordedDeployments()));
      try (TestServer server = new TestServer(router)) {
        assertThat(server.get("/mezzo/deployments").body())
            .isEqualTo(
                """
                {"daemon":"master","deployments":[{"name":"hooks","version":"1.0.0",\
                "digest":"cd34","shipped":true,"file":"hooks.jar","state":"active","problem":"","bundle_id":7,\
                "modules":["hook labels"]},{"name":"bad","version":"2.0.0","digest":"ab12",\
                "shipped":false,"file":"bad.jar",\
                "state":"failed","problem":"it throws","modules":[]}],\
                "verdicts":[{"digest":"ab12","name":"bad","version":"2.0.0",\
                "verdict":"rolled back","reason":"it throws","at":"2026-01-02T03:04:05Z"}],\
                "leaks":["org.gone 1.0.0: loader 7.0"],"shipped":[{"file":"hooks-1.jar","digest":"cd34"}],\
                "history":[{"id":3,"principal":"Ada","at":"2026-01-02T03:04:05Z",\
                "action":"swap","name":"hooks","from":"0.9.0","to":"1.0.0","succeeded":true,\
                "outcome":"took over","took_ms":12,"gap_ms":0,\
                "stages":[{"stage":"started","after_ms":4}]}]}\
                """);
      }
    }
  }
}
