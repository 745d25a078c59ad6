package org.mezzo.benchmarks.codec;

import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.mezzo.daemon.calls.ContentType;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.recordio.RecordIo;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Writing and reading the largest messages, in milliseconds each. {@code printer} is the JSON
 * printer of protobuf-java-util with its output kept as a string, which spares it the step to bytes
 * that {@code jsonEncode} includes; ours has to be at least twice as fast.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgs = {"-Xms1g", "-Xmx1g", "-XX:+UseParallelGC"})
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class CodecBenchmark {
  /** The message that is written and read. */
  @Param({"OFFERS_100", "GET_STATE_10K"})
  public Payload payload;

  private final JsonFormat.Printer printer =
      JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();

  private Message message;
  private byte[] json;
  private byte[] protobuf;

  /** Prepares both forms and makes sure that they say the same. */
  @Setup(Level.Trial)
  public void prepare() throws IOException {
    message = payload.make();
    json = Json.encode(message);
    protobuf = message.toByteArray();
    if (!Json.decode(json, message.getDefaultInstanceForType()).equals(message)) {
      throw new IllegalStateException(payload + " does not survive JSON");
    }
    System.out.printf("%s: %d bytes JSON, %d protobuf%n", payload, json.length, protobuf.length);
  }

  /** Our encoder. */
  @Benchmark
  public byte[] jsonEncode() {
    return Json.encode(message);
  }

  /** As an event goes out: a record of RecordIO, framed as it is joined. */
  @Benchmark
  public byte[] jsonRecord() {
    return Encoded.of(message).record(ContentType.JSON);
  }

  /** To compare with: framed by a copy of the whole. */
  @Benchmark
  public byte[] jsonRecordCopied() {
    return RecordIo.frame(Json.encode(message));
  }

  /** Our decoder. */
  @Benchmark
  public Message jsonDecode() throws IOException {
    return Json.decode(json, message.getDefaultInstanceForType());
  }

  /** The printer to compare with. */
  @Benchmark
  public String printer() throws IOException {
    return printer.print(message);
  }

  /** The binary form, written. */
  @Benchmark
  public byte[] protobufEncode() {
    return message.toByteArray();
  }

  /** As an event goes out: sized, then written behind its header. */
  @Benchmark
  public byte[] protobufRecord() {
    return Encoded.of(message).record(ContentType.PROTOBUF);
  }

  /** To compare with: framed by a copy of the whole. */
  @Benchmark
  public byte[] protobufRecordCopied() {
    return RecordIo.frame(message.toByteArray());
  }

  /** The binary form, read. */
  @Benchmark
  public Message protobufDecode() throws IOException {
    return message.getParserForType().parseFrom(protobuf);
  }
}
