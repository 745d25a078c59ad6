package org.mezzo.protocol.recordio;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/** RecordIO framing (rule 17): decimal length, line feed, bytes. */
public final class RecordIo {
  /** An int has no more digits. */
  private static final int MAX_DIGITS = 10;

  private RecordIo() {}

  /** The frame that goes before a record of that many bytes. */
  public static byte[] header(int recordBytes) {
    if (recordBytes < 0) {
      throw new IllegalArgumentException("a record cannot have " + recordBytes + " bytes");
    }
    return (recordBytes + "\n").getBytes(StandardCharsets.US_ASCII);
  }

  /** The record with its frame. */
  public static byte[] frame(byte[] record) {
    byte[] header = header(record.length);
    byte[] framed = new byte[Math.addExact(header.length, record.length)];
    System.arraycopy(header, 0, framed, 0, header.length);
    System.arraycopy(record, 0, framed, header.length, record.length);
    return framed;
  }

  /**
   * An incremental decoder for one stream; for one thread at a time.
   *
   * @param maxRecordBytes the largest record that is accepted; no memory is taken for a larger one
   * @param records gets each record, in order, in an array of its own, on the feeding thread
   */
  public static Decoder decoder(int maxRecordBytes, Consumer<byte[]> records) {
    if (maxRecordBytes < 0) {
      throw new IllegalArgumentException("maxRecordBytes is negative: " + maxRecordBytes);
    }
    return new StreamDecoder(maxRecordBytes, records);
  }

  /** Cuts a stream into records. */
  public interface Decoder {
    /**
     * Takes all remaining bytes and delivers the records they complete.
     *
     * @throws RecordFormatException when the stream is no RecordIO or a record is too large; every
     *     later call throws the same
     */
    void feed(ByteBuffer bytes) throws RecordFormatException;

    /** Whether the stream may end here. */
    boolean atBoundary();
  }

  private static final class StreamDecoder implements Decoder {
    /** Memory grows with what has arrived, not with what a header claims. */
    private static final int FIRST_ALLOCATION = 64 * 1024;

    private final int maxRecordBytes;
    private final Consumer<byte[]> records;

    private boolean inRecord;
    private int digits;
    private long length;
    private byte[] record;
    private int filled;
    private String broken;

    StreamDecoder(int maxRecordBytes, Consumer<byte[]> records) {
      this.maxRecordBytes = maxRecordBytes;
      this.records = records;
    }

    @Override
    public void feed(ByteBuffer bytes) throws RecordFormatException {
      if (broken != null) {
        throw new RecordFormatException(broken);
      }
      while (bytes.hasRemaining()) {
        if (inRecord) {
          readRecord(bytes);
        } else {
          readLength(bytes);
        }
      }
    }

    @Override
    public boolean atBoundary() {
      return broken == null && !inRecord && digits == 0;
    }

    private void readLength(ByteBuffer bytes) throws RecordFormatException {
      while (bytes.hasRemaining()) {
        byte b = bytes.get();
        if (b >= '0' && b <= '9') {
          digits++;
          length = length * 10 + (b - '0');
          if (digits > MAX_DIGITS) {
            throw broken("a record's length has more than " + MAX_DIGITS + " digits");
          }
        } else if (b == '\n' && digits > 0) {
          if (length > maxRecordBytes) {
            throw broken(
                "a record of "
                    + length
                    + " bytes, but at most "
                    + maxRecordBytes
                    + " are accepted");
          }
          inRecord = true;
          record = new byte[(int) Math.min(length, FIRST_ALLOCATION)];
          filled = 0;
          deliverIfComplete();
          return;
        } else {
          throw broken(
              "expecting the decimal length of a record and a line feed, not byte " + (b & 0xff));
        }
      }
    }

    private void readRecord(ByteBuffer bytes) {
      int part = (int) Math.min(bytes.remaining(), length - filled);
      if (filled + part > record.length) {
        long doubled = Math.max(filled + (long) part, record.length * 2L);
        record = Arrays.copyOf(record, (int) Math.min(length, doubled));
      }
      bytes.get(record, filled, part);
      filled += part;
      deliverIfComplete();
    }

    private void deliverIfComplete() {
      if (filled == length) {
        byte[] complete = record;
        record = null;
        inRecord = false;
        digits = 0;
        length = 0;
        records.accept(complete);
      }
    }

    private RecordFormatException broken(String why) {
      broken = why;
      record = null;
      return new RecordFormatException(why);
    }
  }
}
