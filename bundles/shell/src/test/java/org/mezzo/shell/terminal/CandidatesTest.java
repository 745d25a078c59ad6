package org.mezzo.shell.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.util.List;
import java.util.stream.IntStream;
import org.jline.reader.Candidate;
import org.junit.jupiter.api.Test;

final class CandidatesTest {
  @Test
  void ofTooManyTheTerminalCompletesNoMoreThanAllHaveInCommon() {
    List<String> ids = IntStream.range(0, 50_000).mapToObj("cluster-S%05d"::formatted).toList();
    List<Candidate> shown = Candidates.of(ids, "clu");
    assertThat(shown).hasSize(100);
    assertThat(shown.get(0).value()).isEqualTo("cluster-S00000");
    assertThat(shown.get(99).value()).isEqualTo("cluster-S49999");
    assertThat(Candidates.of(ids, "cluster-S4999")).hasSize(10);
    assertThat(Candidates.of(ids, "other")).isEmpty();
  }

  @Test
  void whatEndsInASlashGoesOn() {
    assertThat(Candidates.of(List.of("a/", "a.jar"), "a"))
        .extracting(Candidate::value, Candidate::complete)
        .containsExactly(tuple("a.jar", true), tuple("a/", false));
  }
}
