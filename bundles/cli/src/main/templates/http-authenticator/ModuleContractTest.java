package {{package}};

import java.util.List;
import java.util.Map;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.HttpAuthenticatorContract;

class {{class}}ContractTest extends HttpAuthenticatorContract {
  @Override
  protected HttpAuthenticator module() {
    return new {{class}}();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("token.ann", "s3cret"));
  }

  @Override
  protected Map<String, String> accepted() {
    return Map.of("ann", "Bearer s3cret");
  }

  @Override
  protected List<String> refused() {
    return List.of("Bearer other", "Bearer ", "Basic s3cret");
  }
}
