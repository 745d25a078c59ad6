package {{package}};

import java.util.Map;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.SecretResolverContract;

class {{class}}ContractTest extends SecretResolverContract {
  @Override
  protected SecretResolver module() {
    return new {{class}}();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("secret.password", "s3cret"));
  }

  @Override
  protected Map<Secret, String> known() {
    return Map.of(
        Secret.newBuilder()
            .setType(Secret.Type.REFERENCE)
            .setReference(Secret.Reference.newBuilder().setName("password"))
            .build(),
        "s3cret");
  }
}
