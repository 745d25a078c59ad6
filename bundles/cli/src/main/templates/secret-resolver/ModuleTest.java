package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.protocol.v1.Secret;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private final {{class}} resolver = new {{class}}();

  @BeforeEach
  void open() {
    resolver.open(FakeDaemonContext.agent().withParameters(Map.of("secret.password", "s3cret")));
  }

  private String resolved(Secret.Builder secret) throws Exception {
    return resolver.resolve(secret.build()).getData().toStringUtf8();
  }

  private static Secret.Builder reference(String name) {
    return Secret.newBuilder()
        .setType(Secret.Type.REFERENCE)
        .setReference(Secret.Reference.newBuilder().setName(name));
  }

  @Test
  void knowsWhatItsParametersSayAndTakesValues() throws Exception {
    assertThat(resolved(reference("password"))).isEqualTo("s3cret");
    Secret.Value given = Secret.Value.newBuilder().setData(ByteString.copyFromUtf8("own")).build();
    assertThat(resolved(Secret.newBuilder().setType(Secret.Type.VALUE).setValue(given)))
        .isEqualTo("own");
  }

  @Test
  void namesWhatItDoesNotKnow() {
    assertThatThrownBy(() -> resolved(reference("other"))).hasMessageContaining("'other'");
  }
}
