package org.mezzo.protocol.recordio;

import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** RecordIO framing (rule 17): decimal length, line feed, bytes. */
public final class RecordIo {
  private RecordIo() {}

  /** The record with its frame. */
  public static byte[] frame(byte[] record) {
    throw new UnsupportedOperationException();
  }

  /** An incremental decoder for one stream; for one thread at a time. */
  public static Decoder decoder(int maxRecordBytes, Consumer<byte[]> records) {
    throw new UnsupportedOperationException();
  }

  /** Cuts a stream into records. */
  public interface Decoder {
    /** Takes some bytes and delivers the records they complete. */
    void feed(ByteBuffer bytes) throws RecordFormatException;

    /** Whether the stream may end here. */
    boolean atBoundary();
  }
}
