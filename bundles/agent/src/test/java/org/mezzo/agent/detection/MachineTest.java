package org.mezzo.agent.detection;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.resources.Resources;

class MachineTest {
  @TempDir Path folder;

  @Test
  void keepsSomethingForTheMachineItself() throws Exception {
    Resources large = new Machine(4, 8192, 100_000).resources("", "*");
    assertThat(large.toText())
        .isEqualTo(Resources.parse("cpus:4;mem:7168;disk:94880;ports:[31000-32000]", "*").toText());
    Resources small = new Machine(1, 1024, 4000).resources("", "*");
    assertThat(small.scalar("mem")).isEqualTo(512_000);
    assertThat(small.scalar("disk")).isEqualTo(2_000_000);
  }

  @Test
  void whatIsGivenIsNotDetected() throws Exception {
    Resources some = new Machine(4, 8192, 100_000).resources("cpus:2;mem(ops):10;disk:0", "*");
    assertThat(some.scalar("cpus")).isEqualTo(2000);
    assertThat(some.scalar("mem")).isEqualTo(10_000);
    assertThat(some.names()).doesNotContain("disk").contains("ports");
    assertThat(some.reserved().get("ops").scalar("mem")).isEqualTo(10_000);
  }

  @Test
  void looksAtThisMachine() {
    Machine machine = Machine.detect(folder);
    assertThat(machine.cpus()).isPositive();
    assertThat(machine.memoryMegabytes()).isPositive();
    assertThat(machine.diskMegabytes()).isPositive();
  }
}
