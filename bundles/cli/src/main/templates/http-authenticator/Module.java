package {{package}};

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Knows principals by their tokens: those of the parameters {@code token.PRINCIPAL}. A client sends
 * {@code Authorization: Bearer TOKEN}.
 */
@Component(service = HttpAuthenticator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = HttpAuthenticator.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "knows principals by their tokens")
public final class {{class}} implements HttpAuthenticator {
  private static final String PREFIX = "token.";

  private final Map<String, byte[]> tokens = new HashMap<>();

  /** What is thrown here keeps the module from being used, and says why. */
  @Override
  public void open(DaemonContext context) {
    context.parameters().forEach(this::take);
    if (tokens.isEmpty()) {
      throw new IllegalArgumentException(
          "there is no token: give a parameter " + PREFIX + "PRINCIPAL for each principal");
    }
  }

  private void take(String parameter, String token) {
    if (!parameter.startsWith(PREFIX) || token.isBlank()) {
      throw new IllegalArgumentException(
          "the parameter '" + parameter + "' is none of " + PREFIX + "PRINCIPAL, or empty");
    }
    tokens.put(parameter.substring(PREFIX.length()), token.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public String scheme() {
    return "Bearer";
  }

  /** Called on several threads at a time; nothing changes after {@link #open}. */
  @Override
  public Result authenticate(Request request) {
    Optional<String> header = request.header("authorization");
    if (header.isEmpty() || !header.get().regionMatches(true, 0, "Bearer ", 0, 7)) {
      return Result.refused("no Authorization header of scheme Bearer");
    }
    byte[] sent = header.get().substring(7).strip().getBytes(StandardCharsets.UTF_8);
    // All are compared, each in constant time: how long it takes must not tell who is known.
    String principal = null;
    for (Map.Entry<String, byte[]> known : tokens.entrySet()) {
      if (MessageDigest.isEqual(known.getValue(), sent)) {
        principal = known.getKey();
      }
    }
    return principal == null
        ? Result.refused("unknown token")
        : Result.of(Principal.named(principal));
  }
}
