package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.logger.LogPlan.Rotation;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private final {{class}} logger = new {{class}}();

  private void open(Map<String, String> parameters) {
    logger.open(FakeDaemonContext.agent().withParameters(parameters));
  }

  private Rotation output(Map<String, String> environment) {
    Container container = Container.builder("container", Path.of("/sandbox")).build();
    return logger.prepare(container, environment).output().orElseThrow();
  }

  @Test
  void keepsMoreOfThoseThatAskForIt() {
    open(Map.of("bytes", "8192"));
    assertThat(output(Map.of())).isEqualTo(new Rotation(8192, 1));
    assertThat(output(Map.of("KEEP_LOGS", "true"))).isEqualTo(new Rotation(8192, 9));
  }

  @Test
  void refusesWhatIsNoSize() {
    assertThatThrownBy(() -> open(Map.of("bytes", "much")))
        .hasMessageContaining("'much' is no number of bytes");
    assertThatThrownBy(() -> open(Map.of("bytes", "1"))).hasMessageContaining("too small");
  }
}
