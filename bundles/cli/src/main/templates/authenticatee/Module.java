package {{package}};

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Shows masters the token in the file that the parameter {@code token_file} names, as it is then.
 */
@Component(service = Authenticatee.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Authenticatee.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "shows masters a token from a file")
public final class {{class}} implements Authenticatee {
  private Path file;

  @Override
  public void open(DaemonContext context) {
    String text = context.parameters().getOrDefault("token_file", "");
    if (text.isEmpty()) {
      throw new IllegalArgumentException("the parameter 'token_file' is missing: name a file");
    }
    file = Path.of(text);
  }

  /** Asked before each link; what is thrown is logged, with its message, and it is asked again. */
  @Override
  public Credentials authenticate(MasterInfo master) throws IOException {
    String token = Files.readString(file).strip();
    if (token.isEmpty()) {
      throw new IOException("there is no token in " + file);
    }
    return Credentials.authorization("Bearer " + token);
  }
}
