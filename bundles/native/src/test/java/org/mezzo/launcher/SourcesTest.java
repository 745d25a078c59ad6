package org.mezzo.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The parts of the launcher in test programs of their own, under sanitizers. */
class SourcesTest {
  private static final long SEED =
      Long.getLong("mezzo.fuzz.seed", System.nanoTime() & 0xffff_ffffL);
  private static final long MILLIS = Long.getLong("mezzo.fuzz.millis", 10_000);

  @TempDir Path folder;

  @Test
  void theirPartsDoWhatTheySay() throws Exception {
    assertThat(C.run(C.build("unit", folder).toString())).contains("all is as it should be");
  }

  @Test
  void nothingThatIsSentBreaksTheParser() throws Exception {
    Path fuzz = C.build("fuzz", folder);
    System.out.println("Fuzzing the parser; -Dmezzo.fuzz.seed=" + SEED + " does it again");
    System.out.print(C.run(fuzz.toString(), Long.toString(SEED), Long.toString(MILLIS)));
  }
}
