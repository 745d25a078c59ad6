package org.mezzo.htpasswd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.Credential;
import org.mezzo.protocol.v1.MasterInfo;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Shows masters, by HTTP basic authentication, the principal and the secret in the file of {@code
 * --credential} (rule 356), and nothing where there is no such file. It is read once, when the
 * instance is opened.
 */
@Component(service = Authenticatee.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Authenticatee.KIND,
    name = "basic",
    version = "0.1.0",
    author = "Mezzo",
    description = "HTTP basic authentication with what --credential has",
    flags = BasicAuthenticatee.FLAG)
public final class BasicAuthenticatee implements Authenticatee {
  static final String FLAG = "credential";

  private Credentials credentials = Credentials.NONE;

  /**
   * Reads the file; never tells what is in it.
   *
   * @throws IllegalArgumentException when there is no credential in it
   */
  @Override
  public void open(DaemonContext context) {
    for (String parameter : context.parameters().keySet()) {
      throw new IllegalArgumentException("there is no parameter '" + parameter + "'");
    }
    String file = context.flags().getOrDefault(FLAG, "");
    if (!file.isEmpty()) {
      Credential read = read(file);
      credentials = Credentials.basic(read.getPrincipal(), read.getSecret());
    }
  }

  private static Credential read(String file) {
    String text;
    try {
      text = Files.readString(Path.of(file)).strip();
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "--" + FLAG + ": " + file + " cannot be read (" + e.getClass().getSimpleName() + ")", e);
    }
    Credential read = text.startsWith("{") ? json(text) : line(text);
    if (read.getPrincipal().isEmpty() || read.getSecret().isEmpty()) {
      throw new IllegalArgumentException(
          "--"
              + FLAG
              + ": "
              + file
              + " must have a principal, a blank and a secret, or {\"principal\": \"...\","
              + " \"secret\": \"...\"}");
    }
    return read;
  }

  private static Credential json(String text) {
    try {
      return Json.decode(text.getBytes(StandardCharsets.UTF_8), Credential.getDefaultInstance());
    } catch (JsonFormatException e) {
      // Its message may quote the content.
      return Credential.getDefaultInstance();
    }
  }

  private static Credential line(String text) {
    String[] words = text.split("\\s+");
    return words.length == 2
        ? Credential.newBuilder().setPrincipal(words[0]).setSecret(words[1]).build()
        : Credential.getDefaultInstance();
  }

  @Override
  public Credentials authenticate(MasterInfo master) {
    return credentials;
  }
}
