package {{package}};

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.checker.CheckResult;
import org.mezzo.testing.FakeCheckRequest;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private final {{class}} checker = new {{class}}();

  @BeforeEach
  void open() {
    checker.open(FakeDaemonContext.agent());
  }

  @AfterEach
  void close() {
    checker.close();
  }

  private CheckResult check(FakeCheckRequest request) throws Exception {
    return checker.check(request).toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  @Test
  void connects() throws Exception {
    int port;
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      port = server.getLocalPort();
      assertThat(check(FakeCheckRequest.tcp(port))).isEqualTo(CheckResult.connected());
    }
    assertThat(check(FakeCheckRequest.tcp(port)).kind()).isEqualTo(CheckResult.Kind.REFUSED);
  }

  @Test
  void saysThatTheTimeIsOver() throws Exception {
    FakeCheckRequest request =
        FakeCheckRequest.tcp(80).unreachable().within(Duration.ofMillis(50));
    assertThat(check(request)).isEqualTo(CheckResult.failed("there was no connection in time"));
  }
}
