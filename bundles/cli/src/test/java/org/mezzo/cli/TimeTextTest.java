package org.mezzo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimeTextTest {
  @ParameterizedTest
  @CsvSource({
    "30s, PT30S",
    "5m, PT5M",
    "1h30m, PT1H30M",
    "1d2h3m4s5ms, PT26H3M4.005S",
    "1.5h, PT1H30M",
    "250ms, PT0.25S",
    "90M, PT90M",
    "30secs, PT30S",
    "5mins, PT5M",
    "2hrs, PT2H",
    "1weeks, PT168H"
  })
  void readsWhatPeopleWrite(String text, Duration time) {
    assertThat(TimeText.parse(text)).isEqualTo(time);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "30",
        "s",
        "m5",
        "30m1h",
        "1h 30m",
        "-5s",
        "-5secs",
        "0s",
        "1y",
        "999999999999d"
      })
  void refusesTheRest(String text) {
    assertThatThrownBy(() -> TimeText.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + text + "'");
  }
}
