package org.apache.mesos;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The replicated log of libmesos, which is not there: none can be made, read or written. */
public class Log {
  /** A place in a log. Immutable. */
  public static class Position implements Comparable<Position> {
    private final long value;

    public Position(long value) {
      this.value = value;
    }

    @Override
    public int compareTo(Position other) {
      return Long.compare(value, other.value);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Position && value == ((Position) other).value;
    }

    @Override
    public int hashCode() {
      return Long.hashCode(value);
    }

    @Override
    public String toString() {
      return "Position " + value;
    }

    /** Eight bytes, the highest first. */
    public byte[] identity() {
      return ByteBuffer.allocate(8).putLong(value).array();
    }
  }

  /** What is in a log at a place. */
  public static class Entry {
    public final Position position;
    public final byte[] data;

    public Entry(Position position, byte[] data) {
      this.position = position;
      this.data = data;
    }
  }

  /** Why a log was not read. */
  public static class OperationFailedException extends Exception {
    private static final long serialVersionUID = 1;

    public OperationFailedException(String message) {
      super(message);
    }

    public OperationFailedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** Why a log cannot be written any more. */
  public static class WriterFailedException extends Exception {
    private static final long serialVersionUID = 1;

    public WriterFailedException(String message) {
      super(message);
    }

    public WriterFailedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** None can be made. */
  public static class Reader {
    /**
     * @throws UnsupportedOperationException always, as all methods do
     */
    public Reader(Log log) {
      throw unsupported();
    }

    public List<Entry> read(Position from, Position to, long timeout, TimeUnit unit)
        throws TimeoutException, OperationFailedException {
      throw unsupported();
    }

    public Position beginning() {
      throw unsupported();
    }

    public Position ending() {
      throw unsupported();
    }

    public Position catchup(long timeout, TimeUnit unit)
        throws TimeoutException, OperationFailedException {
      throw unsupported();
    }
  }

  /** None can be made. */
  public static class Writer {
    /**
     * @throws UnsupportedOperationException always, as all methods do
     */
    public Writer(Log log, long timeout, TimeUnit unit, int retries) {
      throw unsupported();
    }

    public Position append(byte[] data, long timeout, TimeUnit unit)
        throws TimeoutException, WriterFailedException {
      throw unsupported();
    }

    public Position truncate(Position to, long timeout, TimeUnit unit)
        throws TimeoutException, WriterFailedException {
      throw unsupported();
    }
  }

  /**
   * @throws UnsupportedOperationException always; the message names the remedy
   */
  public Log(int quorum, String path, Set<String> pids) {
    throw unsupported();
  }

  /**
   * @throws UnsupportedOperationException always; the message names the remedy
   */
  public Log(int quorum, String path, String servers, long timeout, TimeUnit unit, String znode) {
    throw unsupported();
  }

  /**
   * @throws UnsupportedOperationException always; the message names the remedy
   */
  public Log(
      int quorum,
      String path,
      String servers,
      long timeout,
      TimeUnit unit,
      String znode,
      String scheme,
      byte[] credentials) {
    throw unsupported();
  }

  public Position position(byte[] identity) {
    return new Position(ByteBuffer.wrap(identity).getLong());
  }

  private static UnsupportedOperationException unsupported() {
    return new UnsupportedOperationException(
        "org.apache.mesos.Log needs the replicated log of libmesos, which this driver does"
            + " without; have the framework keep its state in ZooKeeper"
            + " (org.apache.mesos.state.ZooKeeperState), or run it with libmesos against Mesos");
  }
}
