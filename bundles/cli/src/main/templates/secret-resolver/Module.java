package {{package}};

import com.google.protobuf.ByteString;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Knows the secrets that the parameters {@code secret.NAME} have; those that come with their value
 * are taken as they are.
 */
@Component(service = SecretResolver.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = SecretResolver.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "knows secrets from its parameters")
public final class {{class}} implements SecretResolver {
  private Map<String, String> known = Map.of();

  @Override
  public void open(DaemonContext context) {
    known = context.parameters();
  }

  /** Called on several threads at a time; what is thrown fails the task, with its message. */
  @Override
  public Secret.Value resolve(Secret secret) throws Exception {
    if (secret.getType() == Secret.Type.VALUE) {
      return secret.getValue();
    }
    String name = secret.getReference().getName();
    String value = known.get("secret." + name);
    if (value == null) {
      throw new NoSuchFileException("there is no secret '" + name + "' here");
    }
    return Secret.Value.newBuilder().setData(ByteString.copyFromUtf8(value)).build();
  }
}
