package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  @TempDir Path folder;

  private final {{class}} module = new {{class}}();

  private FakeDaemonContext context(String interval) {
    return FakeDaemonContext.agent()
        .withFolders(folder, folder)
        .withParameters(Map.of("interval_ms", interval));
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(5);
    }
  }

  @Test
  void writesAgainAndAgainUntilItIsClosed() throws Exception {
    Path file = folder.resolve("{{name}}");
    module.open(context("1"));
    await(() -> Files.exists(file));
    Files.delete(file);
    await(() -> Files.exists(file));
    module.close();
    Files.delete(file);
    assertThat(module.health()).isEmpty();
    assertThat(file).doesNotExist();
  }

  @Test
  void isIllWhenItCannotWrite() throws Exception {
    Files.createDirectory(folder.resolve("{{name}}"));
    module.open(context("1"));
    await(() -> module.health().isPresent());
    assertThat(module.health().get()).contains("cannot write");
    module.close();
  }

  @Test
  void refusesWhatIsNoInterval() {
    assertThatThrownBy(() -> module.open(context("soon"))).hasMessageContaining("'soon'");
  }
}
