package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authentication.HttpAuthenticator.Request;
import org.mezzo.api.authentication.HttpAuthenticator.Result;
import org.mezzo.api.authentication.Principal;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private final {{class}} authenticator = new {{class}}();

  private void open(Map<String, String> parameters) {
    authenticator.open(FakeDaemonContext.master().withParameters(parameters));
  }

  private Result with(Map<String, List<String>> headers) {
    return authenticator.authenticate(Request.of("GET", "/state", headers, "realm"));
  }

  @Test
  void knowsPrincipalsByTheirTokens() {
    open(Map.of("token.ops", "secret", "token.dev", "other"));
    assertThat(with(Map.of("authorization", List.of("Bearer secret"))).principal())
        .contains(Principal.named("ops"));
    assertThat(with(Map.of("authorization", List.of("Bearer wrong"))).principal()).isEmpty();
    assertThat(with(Map.of("authorization", List.of("Basic c2VjcmV0"))).principal()).isEmpty();
    assertThat(with(Map.of()).principal()).isEmpty();
  }

  @Test
  void refusesToWorkWithoutTokens() {
    assertThatThrownBy(() -> open(Map.of())).hasMessageContaining("token.PRINCIPAL");
    assertThatThrownBy(() -> open(Map.of("token.ops", ""))).hasMessageContaining("token.ops");
  }
}
