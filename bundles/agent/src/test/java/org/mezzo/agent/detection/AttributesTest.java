package org.mezzo.agent.detection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.Value;

class AttributesTest {
  @Test
  void readsTextsNumbersAndRanges() {
    List<Attribute> all =
        Attributes.parse("rack:r1;level:10;range:[1-5, 7-9];url:http://a:1/;rack:r2\nx:1.5.2");
    assertThat(all)
        .extracting(Attribute::getName)
        .containsExactly("rack", "level", "range", "url", "rack", "x");
    assertThat(all.get(0).getText().getValue()).isEqualTo("r1");
    assertThat(all.get(1).getScalar().getValue()).isEqualTo(10.0);
    assertThat(all.get(2).getRanges().getRangeCount()).isEqualTo(2);
    assertThat(all.get(3).getText().getValue()).isEqualTo("http://a:1/");
    assertThat(all.get(5).getType()).isEqualTo(Value.Type.TEXT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rack", ":r1", "rack:", "a:{b,c}", "a:[1-", "a:[x-y]"})
  void refusesOthersByName(String text) {
    assertThatThrownBy(() -> Attributes.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("--attributes: ");
  }
}
