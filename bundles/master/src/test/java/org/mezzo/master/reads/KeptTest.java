package org.mezzo.master.reads;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.mezzo.http.HttpResponse;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MasterInfo;

/** What is kept of answers, and for how long. */
class KeptTest {
  private static final MasterState STATE =
      MasterState.begin(
          MasterInfo.newBuilder().setId("m").setIp(1).setPort(5050).build(),
          Instant.EPOCH,
          MasterState.Limits.DEFAULT,
          MasterState.Counters.ZERO);
  private static final Root FIRST = new Root(1, STATE, Optional.empty());
  private static final Root SECOND = new Root(2, STATE, Optional.empty());

  private final Kept kept = new Kept(400);

  private static Question question(String path) {
    return new Question(path, Map.of(), Visibility.ALL);
  }

  private static Rendered answer(int length) {
    return new Rendered(HttpResponse.json(new byte[length]));
  }

  private boolean has(Root root, String path) {
    return kept.find(root, question(path), 0).isPresent();
  }

  @Test
  void thoseThatWereAskedForLastAreKeptWithinTheBound() {
    for (String path : new String[] {"a", "b", "c", "d"}) {
      kept.keep(FIRST, question(path), answer(50), 0);
    }
    assertThat(kept.bytes()).isEqualTo(400);
    assertThat(has(FIRST, "a")).isTrue();
    kept.keep(FIRST, question("e"), answer(50), 0);
    assertThat(has(FIRST, "b")).isFalse();
    assertThat(has(FIRST, "a")).isTrue();
    assertThat(has(FIRST, "e")).isTrue();
    kept.keep(FIRST, question("large"), answer(201), 0);
    assertThat(has(FIRST, "large")).isFalse();
    assertThat(kept.bytes()).isEqualTo(400);
  }

  @Test
  void nothingIsKeptOfThePast() {
    kept.keep(FIRST, question("a"), answer(50), 0);
    assertThat(has(SECOND, "a")).isFalse();
    assertThat(kept.bytes()).isZero();
    kept.keep(FIRST, question("a"), answer(50), 0);
    assertThat(kept.bytes()).isZero();
    kept.keep(SECOND, question("a"), answer(50), 0);
    assertThat(has(FIRST, "a")).isFalse();
    assertThat(has(SECOND, "a")).isTrue();
  }

  @Test
  void whatNobodyAsksForIsForgotten() {
    kept.keep(FIRST, question("a"), answer(50), 0);
    kept.keep(FIRST, question("b"), answer(50), 0);
    kept.find(FIRST, question("b"), 10);
    kept.forget(Duration.ofNanos(5), 12);
    assertThat(has(FIRST, "a")).isFalse();
    assertThat(has(FIRST, "b")).isTrue();
    assertThat(kept.bytes()).isEqualTo(100);
  }

  @Test
  void errorsAreNotKept() {
    kept.keep(FIRST, question("a"), new Rendered(HttpResponse.text(500, "no")), 0);
    assertThat(has(FIRST, "a")).isFalse();
  }
}
