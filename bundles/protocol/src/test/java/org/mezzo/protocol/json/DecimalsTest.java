package org.mezzo.protocol.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecimalsTest {
  @ParameterizedTest
  @CsvSource({
    "0,0.0",
    "-0.0,-0.0",
    "4,4.0",
    "-4,-4.0",
    "0.1,0.1",
    "0.12,0.12",
    "0.123,0.123",
    "0.01,0.01",
    "0.001,0.001",
    "10.05,10.05",
    "10.005,10.005",
    "1724439540,1724439540.0",
    "1795312953.5501518,1795312953.5501518",
    "0.0001,0.0001",
    "0.000001,0.000001",
    "0.0000001,1e-7",
    "0.00000012,1.2e-7",
    "123456789012345,123456789012345.0",
    "1e15,1000000000000000.0",
    "1e20,100000000000000000000.0",
    "1e21,1e21",
    "1.5e22,1.5e22",
    "2e-3,0.002",
    "4.9e-324,4.9e-324",
    "1.7976931348623157e308,1.7976931348623157e308",
    "9007199254740993,9007199254740992.0",
    "0.30000000000000004,0.30000000000000004",
    "2.2,2.2",
    "2e23,2e23",
    "999.9995,999.9995",
    "1e23,1e23"
  })
  void isTheShortestFormInPlainNotation(double value, String text) {
    assertThat(format(value)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"0.1,0.1", "16777216,16777216.0", "1e21,1e21", "1.4e-45,1.4e-45", "-2.5,-2.5"})
  void soForFloats(float value, String text) {
    char[] out = new char[Decimals.MAX_LENGTH];
    assertThat(new String(out, 0, Decimals.format(value, out))).isEqualTo(text);
  }

  @Test
  void readsBackAsTheSameNumber() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("DecimalsTest seed " + seed);
    Random random = new Random(seed);
    for (int i = 0; i < 500_000; i++) {
      double value =
          switch (i % 4) {
            case 0 -> Double.longBitsToDouble(random.nextLong());
            case 1 -> random.nextInt() / 1000.0;
            case 2 -> (random.nextLong() >> 14) / 1000.0;
            default -> random.nextInt(1 << 20) / (double) (1 << random.nextInt(20));
          };
      if (!Double.isFinite(value)) {
        continue;
      }
      String text = format(value);
      assertThat(Double.doubleToRawLongBits(Double.parseDouble(text)))
          .as("seed %d: %s", seed, text)
          .isEqualTo(Double.doubleToRawLongBits(value));
      assertThat(new BigDecimal(text).stripTrailingZeros().precision())
          .as("seed %d: %s", seed, text)
          .isLessThanOrEqualTo(
              new BigDecimal(Double.toString(value)).stripTrailingZeros().precision());
    }
  }

  private static String format(double value) {
    char[] out = new char[Decimals.MAX_LENGTH];
    return new String(out, 0, Decimals.format(value, out));
  }
}
