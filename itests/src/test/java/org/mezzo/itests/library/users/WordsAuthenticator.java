package org.mezzo.itests.library.users;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.Principal;
import org.mezzo.itests.library.Words;

/** Goes into a test bundle that needs the library: believes whoever says a word that it knows. */
public final class WordsAuthenticator implements HttpAuthenticator {
  @Override
  public void open(DaemonContext context) {
    if (Words.own().isEmpty()) {
      throw new IllegalStateException("there are no words");
    }
  }

  @Override
  public String scheme() {
    return "Basic";
  }

  @Override
  public Result authenticate(Request request) {
    String header = request.header("authorization").orElse("Basic ");
    String[] credentials =
        new String(
                Base64.getDecoder().decode(header.substring("Basic ".length())),
                StandardCharsets.UTF_8)
            .split(":", 2);
    return credentials.length == 2 && Words.knows(credentials[1])
        ? Result.of(Principal.named(credentials[0]))
        : Result.refused("an unknown word");
  }
}
