package {{package}};

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.contender.Standing;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeSink;

class {{class}}Test {
  private static final MasterInfo SELF =
      MasterInfo.newBuilder().setId("the one").setIp(1).setPort(5050).build();

  @TempDir Path folder;

  private final {{class}} module = new {{class}}();
  private final FakeSink<Standing> standings = new FakeSink<>();

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
    return FakeDaemonContext.master().withParameters(Map.of("file", file));
  }

  @Test
  void whoHasTheLockLeadsAndSaysSo() throws Exception {
    Path file = folder.resolve("leader");
    module.open(context(file.toString()));
    module.report(standings);
    module.enter(SELF);
    await(() -> standings.reports().contains(Standing.leads()));
    assertThat(Files.readString(file)).isEqualTo("the one");
  }

  @Test
  void isIllWhereThereIsNoFolder() throws Exception {
    module.open(context(folder.resolve("nowhere/leader").toString()));
    module.report(standings);
    module.enter(SELF);
    await(() -> module.health().isPresent());
    assertThat(standings.reports()).isEmpty();
  }

  @Test
  void refusesWhatIsNoFile() {
    assertThatThrownBy(() -> module.open(context("leader"))).hasMessageContaining("'file'");
  }
}
