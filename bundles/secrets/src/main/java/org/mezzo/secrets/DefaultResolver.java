package org.mezzo.secrets;

import java.io.IOException;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** Takes secrets that come with their value as they are, and knows no others. */
@Component(service = SecretResolver.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = SecretResolver.KIND,
    name = "default",
    version = "0.1.0",
    author = "Mezzo",
    description = "takes secrets with a value as they are")
public final class DefaultResolver implements SecretResolver {

  @Override
  public void open(DaemonContext context) {
    for (String parameter : context.parameters().keySet()) {
      throw new IllegalArgumentException("there is no parameter '" + parameter + "'");
    }
  }

  // What is wrong with a task's secret is an answer, not a fault of the module: it is checked.

  @Override
  public Secret.Value resolve(Secret secret) throws IOException {
    if (secret.hasReference()) {
      throw new IOException(
          "secret '"
              + secret.getReference().getName()
              + "' is a reference; give --secret_resolver a module that knows such");
    }
    return value(secret);
  }

  /** The value that a secret comes with. */
  static Secret.Value value(Secret secret) throws IOException {
    if (!secret.hasValue()) {
      throw new IOException(
          "a secret of type " + secret.getType() + " has neither a `value` nor a `reference`");
    }
    return secret.getValue();
  }
}
