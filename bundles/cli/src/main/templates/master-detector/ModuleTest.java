package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeSink;

class {{class}}Test {
  @TempDir Path folder;

  private final {{class}} module = new {{class}}();
  private final FakeSink<Optional<MasterInfo>> leaders = new FakeSink<>();

  @AfterEach
  void close() throws Exception {
    module.close();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(5);
    }
  }

  private static FakeDaemonContext context(String file) {
    return FakeDaemonContext.agent().withParameters(Map.of("file", file));
  }

  @Test
  void saysNothingBeforeThereIsALeader() throws Exception {
    Path file = folder.resolve("leader");
    module.open(context(file.toString()));
    module.detect(leaders);
    await(() -> module.health().isPresent());
    Files.writeString(file, "no master");
    await(() -> module.health().get().contains("'no master'"));
    assertThat(leaders.reports()).isEmpty();

    Files.writeString(file, "here:5050\n");
    await(() -> !leaders.reports().isEmpty());
    assertThat(leaders.reports().get(0).get().getHostname()).isEqualTo("here");
    await(() -> module.health().isEmpty());
  }

  @Test
  void refusesWhatIsNoFile() {
    assertThatThrownBy(() -> module.open(context("leader"))).hasMessageContaining("'file'");
  }
}
