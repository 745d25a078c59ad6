package org.mezzo.secrets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.protocol.v1.Secret;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Makes JSON Web Tokens, signed with HMAC-SHA256 (RFC 7515, RFC 7518) by the key in the file of
 * {@code --jwt_secret_key}, which say what the claims of a principal are, and its value as {@code
 * sub}. They do not expire. The agent itself knows who has one.
 */
@Component(service = SecretGenerator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = SecretGenerator.KIND,
    name = "jwt",
    version = "0.1.0",
    author = "Mezzo",
    description = "signs tokens of executors with the key of --jwt_secret_key",
    flags = JwtGenerator.FLAG)
public final class JwtGenerator implements SecretGenerator {
  static final String FLAG = "jwt_secret_key";

  private static final String ALGORITHM = "HmacSHA256";
  private static final String HEADER = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
  private static final JsonFactory JSON = new JsonFactory();
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  private SecretKeySpec key = new SecretKeySpec(new byte[1], ALGORITHM);

  /**
   * Reads the key, all bytes of its file; never tells them.
   *
   * @throws IllegalArgumentException when the flag is missing or the file has no key
   */
  @Override
  public void open(DaemonContext context) {
    for (String parameter : context.parameters().keySet()) {
      throw new IllegalArgumentException("there is no parameter '" + parameter + "'");
    }
    String file = context.flags().get(FLAG);
    if (file == null) {
      throw new IllegalArgumentException(
          "--" + FLAG + " is missing: give a file with 32 random bytes or more");
    }
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(Path.of(file));
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "--" + FLAG + ": " + file + " cannot be read (" + e.getClass().getSimpleName() + ")", e);
    }
    if (bytes.length == 0) {
      throw new IllegalArgumentException("--" + FLAG + ": " + file + " is empty");
    }
    key = new SecretKeySpec(bytes, ALGORITHM);
  }

  @Override
  public Secret generate(Principal principal) throws IOException, GeneralSecurityException {
    String signed = part(HEADER.getBytes(StandardCharsets.UTF_8)) + "." + part(claims(principal));
    Mac mac = Mac.getInstance(ALGORITHM);
    mac.init(key);
    String token = signed + "." + part(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
    return Secret.newBuilder()
        .setType(Secret.Type.VALUE)
        .setValue(Secret.Value.newBuilder().setData(ByteString.copyFromUtf8(token)))
        .build();
  }

  /** In the order of their names, so that a principal has one token. */
  private static byte[] claims(Principal principal) throws IOException {
    Map<String, String> claims = new TreeMap<>(principal.claims());
    principal.value().ifPresent(value -> claims.put("sub", value));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.writeStartObject();
      for (Map.Entry<String, String> claim : claims.entrySet()) {
        json.writeStringField(claim.getKey(), claim.getValue());
      }
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private static String part(byte[] bytes) {
    return ENCODER.encodeToString(bytes);
  }
}
