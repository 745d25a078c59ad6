package org.mezzo.secrets;

import com.google.protobuf.ByteString;
import java.util.Map;
import org.mezzo.api.secret.SecretResolver;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.testing.contract.SecretResolverContract;

class DefaultResolverContractTest extends SecretResolverContract {
  @Override
  protected SecretResolver module() {
    return new DefaultResolver();
  }

  @Override
  protected Map<Secret, String> known() {
    return Map.of(
        Secret.newBuilder()
            .setType(Secret.Type.VALUE)
            .setValue(Secret.Value.newBuilder().setData(ByteString.copyFromUtf8("hush")))
            .build(),
        "hush");
  }
}
