package org.mezzo.protocol.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.google.protobuf.Message;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Whatever arrives, the answer is a message or a {@link JsonFormatException}; and what was read can
 * be written and read again. Replay: {@code -Dseed=...}.
 */
class FuzzTest {
  private static final int ROUNDS = 30_000;

  private static final String[] FRAGMENTS = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "\"true\"",
    "0",
    "-1",
    "1e9",
    "1e999",
    "18446744073709551616",
    "\"Infinity\"",
    "\"\"",
    "\"=\"",
    "\\ud800",
    "\\u0000",
    "{\"value\":1}",
    "[[]]",
    "[null]",
    "\"UNKNOWN\"",
    "\"NONE\"",
    "0.1",
    "\u00e9",
    "/*",
    "\n"
  };

  @Test
  void badInputIsRefusedAndNothingElse() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.out.println("FuzzTest seed " + seed);
    Random random = new Random(seed);
    List<RecordingsTest.Body> bodies = new ArrayList<>(RecordingsTest.saidByClients());
    RecordingsTest.saidByMesos().stream()
        .filter(body -> body.json().length() < 3000)
        .forEach(bodies::add);
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
      RecordingsTest.Body body = bodies.get(random.nextInt(bodies.size()));
      byte[] json = mutated(body.json(), random);
      try {
        Message message = Json.decode(json, body.prototype());
        read++;
        Message again = Json.decode(Json.encode(message), body.prototype());
        assertThat(again).isEqualTo(RandomRoundTripTest.withDefaults(message));
      } catch (JsonFormatException refused) {
        assertThat(refused.getMessage()).isNotEmpty().hasSizeLessThan(2000);
      } catch (Throwable e) {
        fail(
            "seed %d round %d: %s".formatted(seed, round, new String(json, StandardCharsets.UTF_8)),
            e);
      }
    }
    assertThat(read).isBetween(ROUNDS / 50, ROUNDS - ROUNDS / 50);
  }

  private static byte[] mutated(String json, Random random) {
    StringBuilder text = new StringBuilder(json);
    for (int i = random.nextInt(3); i >= 0; i--) {
      int at = random.nextInt(text.length());
      int to = Math.min(text.length(), at + 1 + random.nextInt(8));
      String fragment = FRAGMENTS[random.nextInt(FRAGMENTS.length)];
      switch (random.nextInt(6)) {
        case 0 -> text.delete(at, to);
        case 1 -> text.insert(at, fragment);
        case 2 -> text.replace(at, to, fragment);
        case 3 -> {
          // Where a value may stand.
          int colon = text.indexOf(":", at);
          int comma = colon < 0 ? -1 : text.indexOf(",", colon);
          if (comma > 0) {
            text.replace(colon + 1, comma, fragment);
          }
        }
        case 4 -> text.insert(at, text.substring(at, to));
        default -> text.setLength(Math.max(1, at));
      }
      if (text.isEmpty()) {
        text.append(' ');
      }
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(10) == 0) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return bytes;
  }
}
