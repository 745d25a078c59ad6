package org.mezzo.itests.swap.modules;

import com.google.protobuf.ByteString;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.generator.SecretGenerator;
import org.mezzo.protocol.v1.Secret;

/** Makes secrets that say whose they are. Goes into test bundles. */
public final class SwappedGenerator implements SecretGenerator {
  /** What each secret begins with, before the id of the executor. */
  public static final String PREFIX = "swap-of-";

  private final Witness witness = new Witness(KIND);

  @Override
  public void open(DaemonContext context) {
    witness.opening(context);
  }

  @Override
  public Secret generate(Principal principal) throws Exception {
    return witness.call(
        "generate",
        () ->
            Secret.newBuilder()
                .setType(Secret.Type.VALUE)
                .setValue(
                    Secret.Value.newBuilder()
                        .setData(ByteString.copyFromUtf8(PREFIX + principal.claims().get("eid"))))
                .build());
  }
}
