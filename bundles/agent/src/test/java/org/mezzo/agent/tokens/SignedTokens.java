package org.mezzo.agent.tokens;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.protocol.v1.Secret;

/** JSON Web Tokens as executors have them, put together by hand. */
public final class SignedTokens {
  private SignedTokens() {}

  /** A generator as {@code jwt} is one, with that key. */
  public static SecretGenerator generator(byte[] key) {
    return principal -> {
      Map<String, String> claims = principal.claims();
      return secret(of(key, claims.get("fid"), claims.get("eid"), claims.get("cid")));
    };
  }

  /** A secret of type VALUE. */
  public static Secret secret(String text) {
    return Secret.newBuilder()
        .setType(Secret.Type.VALUE)
        .setValue(Secret.Value.newBuilder().setData(ByteString.copyFromUtf8(text)))
        .build();
  }

  /** The token of an executor whose ids need no escapes. */
  public static String of(byte[] key, String framework, String executor, String container)
      throws GeneralSecurityException {
    return signed(
        key,
        "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
        "{\"fid\":\"%s\",\"eid\":\"%s\",\"cid\":\"%s\"}".formatted(framework, executor, container));
  }

  static String signed(byte[] key, String header, String claims) throws GeneralSecurityException {
    String signed = part(header) + "." + part(claims);
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return signed + "." + part(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
  }

  static String part(String text) {
    return part(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String part(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
