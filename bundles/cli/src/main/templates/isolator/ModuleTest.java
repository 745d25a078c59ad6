package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.mezzo.api.isolator.Container;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private final {{class}} isolator = new {{class}}();

  private void open(Map<String, String> parameters) {
    isolator.open(FakeDaemonContext.agent().withParameters(parameters));
  }

  @Test
  void setsTheTimeZone() {
    open(Map.of("zone", "Europe/Berlin"));
    isolator.recover(List.of());
    Container container = Container.builder("container", Path.of("/sandbox")).build();
    assertThat(isolator.prepare(container).environment()).containsEntry("TZ", "Europe/Berlin");
    isolator.isolate(container, 1);
    isolator.cleanup(container);
  }

  @Test
  void refusesWhatIsNoTimeZone() {
    assertThatThrownBy(() -> open(Map.of("zone", "Middle/Earth")))
        .hasMessageContaining("'Middle/Earth' is no time zone");
  }
}
