package org.mezzo.agent.tokens;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.BearerTokens;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokens by which executors are known to their agent (rule 187): JSON Web Tokens, signed with
 * HMAC-SHA256 (RFC 7515, RFC 7518), whose claims say of which framework, executor and container
 * they are. The generator {@code jwt} signs them; here they are recognized. They do not expire: a
 * container is never there twice, and one that has ended has nothing that its token could be used
 * for. So nothing is kept of them, and an agent that was started again with the same key knows
 * those of before. Safe for any thread.
 */
public final class ExecutorTokens implements BearerTokens {
  private static final Logger LOG = LoggerFactory.getLogger(ExecutorTokens.class);
  private static final String ALGORITHM = "HmacSHA256";

  /** Shorter ones are weaker than the signature (RFC 7518, 3.2). */
  private static final int BYTES = 32;

  /** No token of this agent is longer. */
  private static final int LONGEST = 16_384;

  private static final JsonFactory JSON = new JsonFactory();

  /** The claims of a token (rule 187). */
  public static final String FRAMEWORK = "fid";

  public static final String EXECUTOR = "eid";
  public static final String CONTAINER = "cid";

  private final SecretKeySpec key;

  /**
   * Tokens signed with this key.
   *
   * @throws IllegalArgumentException for one without bytes
   */
  public ExecutorTokens(byte[] key) {
    this.key = new SecretKeySpec(key, ALGORITHM);
  }

  /**
   * Reads the file of {@code --jwt_secret_key}, all of whose bytes are the key.
   *
   * @throws IllegalArgumentException when there is no key in it; never with its content
   */
  public static ExecutorTokens read(Path file) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
      Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
      if (permissions.contains(PosixFilePermission.OTHERS_READ)
          || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
        LOG.warn(
            "Every user of this machine may read or change {}, the key of executors' tokens; take"
                + " that away (chmod 600)",
            file);
      }
    } catch (NoSuchFileException e) {
      throw new IllegalArgumentException(file + " does not exist", e);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          file + " cannot be read (" + e.getClass().getSimpleName() + ")", e);
    }
    if (bytes.length == 0) {
      throw new IllegalArgumentException(
          file + " is empty; write a key of " + BYTES + " random bytes or more into it");
    }
    if (bytes.length < BYTES) {
      LOG.warn(
          "The key in {} has {} bytes; {} random ones are as strong as the signature",
          file,
          bytes.length,
          BYTES);
    }
    return new ExecutorTokens(bytes);
  }

  private byte[] signature(String signed) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This JVM cannot sign: " + e, e);
    }
  }

  /**
   * Who has a token of this agent; nobody where it was not signed with its key. Whatever algorithm
   * a token names, it is looked at as HS256.
   */
  @Override
  public Optional<Principal> principal(String token) {
    int end = token.lastIndexOf('.');
    int middle = token.indexOf('.');
    if (token.length() > LONGEST || middle < 0 || middle == end) {
      return Optional.empty();
    }
    try {
      byte[] given = Base64.getUrlDecoder().decode(token.substring(end + 1));
      if (!MessageDigest.isEqual(signature(token.substring(0, end)), given)) {
        return Optional.empty();
      }
      Map<String, String> claims =
          claims(Base64.getUrlDecoder().decode(token.substring(middle + 1, end)));
      return claims.keySet().containsAll(Set.of(FRAMEWORK, EXECUTOR, CONTAINER))
          ? Optional.of(new Principal(Optional.empty(), claims))
          : Optional.empty();
    } catch (IllegalArgumentException | IOException e) {
      return Optional.empty();
    }
  }

  private static Map<String, String> claims(byte[] text) throws IOException {
    Map<String, String> claims = new HashMap<>();
    try (JsonParser json = JSON.createParser(text)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("no object");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        if (json.nextToken() != JsonToken.VALUE_STRING) {
          throw new IOException("no text");
        }
        claims.put(name, json.getText());
      }
    }
    return claims;
  }
}
