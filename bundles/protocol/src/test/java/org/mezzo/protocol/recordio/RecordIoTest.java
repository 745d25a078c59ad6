package org.mezzo.protocol.recordio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordIoTest {
  private final List<byte[]> records = new ArrayList<>();

  @Test
  void framesWithDecimalLengthAndLineFeed() {
    assertThat(text(RecordIo.frame(bytes("hello world!")))).isEqualTo("12\nhello world!");
    assertThat(text(RecordIo.frame(new byte[0]))).isEqualTo("0\n");
    assertThat(text(RecordIo.header(1_000_000))).isEqualTo("1000000\n");
  }

  @Test
  void deliversRecordsAsTheyComplete() throws Exception {
    RecordIo.Decoder decoder = RecordIo.decoder(100, records::add);
    assertThat(decoder.atBoundary()).isTrue();
    decoder.feed(buffer("5\nhel"));
    assertThat(records).isEmpty();
    assertThat(decoder.atBoundary()).isFalse();
    decoder.feed(buffer("lo0\n3"));
    assertThat(records).map(RecordIoTest::text).containsExactly("hello", "");
    assertThat(decoder.atBoundary()).isFalse();
    decoder.feed(buffer("\nabc"));
    assertThat(records).map(RecordIoTest::text).containsExactly("hello", "", "abc");
    assertThat(decoder.atBoundary()).isTrue();
  }

  @Test
  void chunkBoundariesDoNotMatter() throws Exception {
    long seed = System.nanoTime();
    System.out.println("RecordIoTest.chunkBoundariesDoNotMatter seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      List<byte[]> sent = new ArrayList<>();
      ByteBuffer stream = ByteBuffer.allocate(2_000_000);
      for (int i = random.nextInt(8); i >= 0; i--) {
        byte[] record = new byte[random.nextInt(random.nextBoolean() ? 20 : 200_000)];
        random.nextBytes(record);
        sent.add(record);
        stream.put(RecordIo.frame(record));
      }
      stream.flip();
      records.clear();
      RecordIo.Decoder decoder = RecordIo.decoder(200_000, records::add);
      int largest = 1 + random.nextInt(random.nextBoolean() ? 5 : 100_000);
      while (stream.hasRemaining()) {
        int size = Math.min(stream.remaining(), 1 + random.nextInt(largest));
        decoder.feed(stream.slice(stream.position(), size));
        stream.position(stream.position() + size);
      }
      assertThat(records).containsExactlyElementsOf(sent);
      assertThat(decoder.atBoundary()).isTrue();
    }
  }

  @Test
  void theLargestRecordPassesAndTheNextLargerDoesNot() throws Exception {
    RecordIo.decoder(5, records::add).feed(buffer("5\nhello"));
    assertThat(records).hasSize(1);
    RecordIo.Decoder decoder = RecordIo.decoder(5, records::add);
    assertThatThrownBy(() -> decoder.feed(buffer("6\n")))
        .isInstanceOf(RecordFormatException.class)
        .hasMessage("a record of 6 bytes, but at most 5 are accepted");
    assertThat(decoder.atBoundary()).isFalse();
    assertThatThrownBy(() -> decoder.feed(buffer("1\na")))
        .isInstanceOf(RecordFormatException.class);
    assertThat(records).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "-1\n", "+1\n", " 1\n", "1 \n", "1\r\n", "a\n", "0x1\n"})
  void anythingButALengthIsFatal(String stream) {
    RecordIo.Decoder decoder = RecordIo.decoder(100, records::add);
    assertThatThrownBy(() -> decoder.feed(buffer(stream)))
        .isInstanceOf(RecordFormatException.class)
        .hasMessageStartingWith("expecting the decimal length");
    assertThat(records).isEmpty();
  }

  @Test
  void aLengthHasABoundedNumberOfDigits() {
    RecordIo.Decoder decoder = RecordIo.decoder(Integer.MAX_VALUE, records::add);
    assertThatThrownBy(() -> decoder.feed(buffer("00000000000")))
        .isInstanceOf(RecordFormatException.class)
        .hasMessageContaining("more than 10 digits");
  }

  @Test
  void leavesTheRestWhenTheConsumerThrows() throws Exception {
    RecordIo.Decoder decoder =
        RecordIo.decoder(
            100,
            record -> {
              if (records.isEmpty()) {
                records.add(record);
                throw new IllegalStateException("consumer");
              }
              records.add(record);
            });
    ByteBuffer stream = buffer("1\na1\nb");
    assertThatThrownBy(() -> decoder.feed(stream)).isInstanceOf(IllegalStateException.class);
    decoder.feed(stream);
    assertThat(records).map(RecordIoTest::text).containsExactly("a", "b");
  }

  private static ByteBuffer buffer(String text) {
    return ByteBuffer.wrap(bytes(text));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
