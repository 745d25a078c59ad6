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
    resolver.open(FakeDaemonContext.agent().withParameters(Map.of("db", "hush")));
  }

  private static Secret reference(String name) {
    return Secret.newBuilder()
        .setType(Secret.Type.REFERENCE)
        .setReference(Secret.Reference.newBuilder().setName(name))
        .build();
  }

  @Test
  void aSecretIsKnownByItsName() {
    assertThat(resolver.resolve(reference("db")).getData().toStringUtf8()).isEqualTo("hush");
  }

  @Test
  void aValueIsItself() {
    Secret.Value value =
        Secret.Value.newBuilder().setData(ByteString.copyFromUtf8("given")).build();
    assertThat(resolver.resolve(Secret.newBuilder().setValue(value).build())).isEqualTo(value);
  }

  @Test
  void whatNobodyKnowsIsNamed() {
    assertThatThrownBy(() -> resolver.resolve(reference("other"))).hasMessageContaining("'other'");
  }
}
