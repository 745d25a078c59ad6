package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.api.authentication.Principal;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private static String secret(String key, String executor) throws Exception {
    {{class}} generator = new {{class}}();
    generator.open(FakeDaemonContext.agent().withParameters(Map.of("key", key)));
    return generator
        .generate(
            new Principal(Optional.empty(), Map.of("fid", "f", "eid", executor, "cid", "c")))
        .getValue()
        .getData()
        .toStringUtf8();
  }

  @Test
  void signsWhoAnExecutorIs() throws Exception {
    String secret = secret("s3cret", "e");
    assertThat(secret).startsWith("Zg.ZQ.Yw.").isEqualTo(secret("s3cret", "e"));
    assertThat(secret).isNotEqualTo(secret("another", "e")).isNotEqualTo(secret("s3cret", "e2"));
  }

  @Test
  void wantsAKey() {
    assertThatThrownBy(() -> secret("", "e")).hasMessageContaining("'key'");
  }
}
