package {{package}};

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.protocol.v1.Secret;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** Signs the ids of executors with the key that the parameter {@code key} has. */
@Component(service = SecretGenerator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = SecretGenerator.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "signs the ids of executors")
public final class {{class}} implements SecretGenerator {
  private static final String ALGORITHM = "HmacSHA256";

  private SecretKeySpec key;

  @Override
  public void open(DaemonContext context) {
    String text = context.parameters().getOrDefault("key", "");
    if (text.isEmpty()) {
      throw new IllegalArgumentException("the parameter 'key' is missing: give a random text");
    }
    key = new SecretKeySpec(text.getBytes(StandardCharsets.UTF_8), ALGORITHM);
  }

  /** Called on several threads at a time; what is thrown fails the launch, with its message. */
  @Override
  public Secret generate(Principal principal) throws GeneralSecurityException {
    Map<String, String> claims = principal.claims();
    String ids =
        part(claims.get("fid")) + "." + part(claims.get("eid")) + "." + part(claims.get("cid"));
    Mac mac = Mac.getInstance(ALGORITHM);
    mac.init(key);
    byte[] signature = mac.doFinal(ids.getBytes(StandardCharsets.US_ASCII));
    return Secret.newBuilder()
        .setType(Secret.Type.VALUE)
        .setValue(
            Secret.Value.newBuilder()
                .setData(ByteString.copyFromUtf8(ids + "." + encode(signature))))
        .build();
  }

  private static String part(String id) {
    return encode(id.getBytes(StandardCharsets.UTF_8));
  }

  private static String encode(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
