package {{package}};

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.SecretGeneratorContract;

class {{class}}ContractTest extends SecretGeneratorContract {
  @Override
  protected SecretGenerator module() {
    return new {{class}}();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("key", "s3cret"));
  }

  /** What an authenticator makes of it that has looked at the signature. */
  @Override
  protected Optional<Principal> owner(String secret) {
    String[] parts = secret.split("\\.", -1);
    return parts.length != 4
        ? Optional.empty()
        : Optional.of(
            new Principal(
                Optional.empty(),
                Map.of("fid", text(parts[0]), "eid", text(parts[1]), "cid", text(parts[2]))));
  }

  private static String text(String part) {
    return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
  }
}
