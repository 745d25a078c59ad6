package {{package}};

import com.google.protobuf.ByteString;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Knows the secrets that its parameters name: a place to begin from, as parameters are shown to
 * operators. Ask the server that keeps yours instead.
 */
@Component(service = SecretResolver.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = SecretResolver.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "says what secrets are that tasks name")
public final class {{class}} implements SecretResolver {
  private final TreeMap<String, String> known = new TreeMap<>();

  @Override
  public void open(DaemonContext context) {
    known.putAll(context.parameters());
  }

  /** Several are asked for at a time. What is thrown is told to the framework: no secret in it. */
  @Override
  public Secret.Value resolve(Secret secret) {
    if (secret.hasValue()) {
      return secret.getValue();
    }
    String value = known.get(secret.getReference().getName());
    if (value == null) {
      throw new NoSuchElementException(
          "nobody knows the secret '" + secret.getReference().getName() + "'");
    }
    return Secret.Value.newBuilder().setData(ByteString.copyFromUtf8(value)).build();
  }
}
