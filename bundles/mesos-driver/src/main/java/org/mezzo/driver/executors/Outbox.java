package org.mezzo.driver.executors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.mezzo.driver.wire.MessageReader;
import org.mezzo.driver.wire.MessageWriter;

/**
 * Makes the calls of an executor, and keeps updates until the agent has acknowledged them and tasks
 * until one update of theirs is, to tell of them when it subscribes again (rules 188 and 189).
 * Holds no more than the executor has tasks, and updates of them that the agent has not taken.
 * Thread-safe.
 */
public final class Outbox {
  private static final int SUBSCRIBE = 1;
  private static final int UPDATE = 2;
  private static final int MESSAGE = 3;
  private static final int SOURCE_EXECUTOR = 2;

  private final Surroundings surroundings;
  private final Map<ByteBuffer, byte[]> tasks = new LinkedHashMap<>();
  private final Map<ByteBuffer, byte[]> updates = new LinkedHashMap<>();

  public Outbox(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  private MessageWriter call(int type) {
    return new MessageWriter()
        .bytes(1, surroundings.encodedExecutorId())
        .bytes(2, surroundings.encodedFrameworkId())
        .number(3, type);
  }

  /** The call that subscribes, with what the agent may not know. */
  public synchronized byte[] subscribe() {
    MessageWriter subscribe = new MessageWriter();
    tasks.values().forEach(task -> subscribe.bytes(1, task));
    updates.values().forEach(update -> subscribe.bytes(2, update));
    return call(SUBSCRIBE).message(4, subscribe).toBytes();
  }

  /**
   * Keeps a task that came.
   *
   * @param task an encoded {@code TaskInfo}
   */
  public synchronized void launched(byte[] task) throws IOException {
    tasks.put(ByteBuffer.wrap(new MessageReader(task).required(2)), task);
  }

  /**
   * Keeps an update and completes it: its uuid, its time and who says so.
   *
   * @param status an encoded {@code TaskStatus}
   * @return what {@link #update} sends
   */
  public synchronized byte[] keep(byte[] status) throws IOException {
    new MessageReader(status).required(1);
    // Fields of that name that it has already count less than those that follow.
    MessageWriter completed = new MessageWriter();
    UUID id = UUID.randomUUID();
    byte[] uuid =
        ByteBuffer.allocate(16)
            .putLong(id.getMostSignificantBits())
            .putLong(id.getLeastSignificantBits())
            .array();
    completed
        .real(6, System.currentTimeMillis() / 1000.0)
        .bytes(7, surroundings.encodedExecutorId())
        .number(9, SOURCE_EXECUTOR)
        .bytes(11, uuid);
    byte[] more = completed.toBytes();
    byte[] all = ByteBuffer.allocate(status.length + more.length).put(status).put(more).array();
    byte[] update = new MessageWriter().bytes(1, all).toBytes();
    updates.put(ByteBuffer.wrap(uuid), update);
    return update;
  }

  /** The call that tells of an update. */
  public byte[] update(byte[] kept) {
    return call(UPDATE).bytes(5, kept).toBytes();
  }

  /** What is kept, the oldest first. */
  public synchronized List<byte[]> kept() {
    return new ArrayList<>(updates.values());
  }

  /** The agent has an update, and so the task that it is of. */
  public synchronized void acknowledged(byte[] taskId, byte[] uuid) {
    tasks.remove(ByteBuffer.wrap(taskId));
    updates.remove(ByteBuffer.wrap(uuid));
  }

  public byte[] message(byte[] data) {
    return call(MESSAGE).message(6, new MessageWriter().bytes(2, data)).toBytes();
  }

  /** The state in an encoded {@code TaskStatus}. */
  public static Optional<Integer> state(byte[] status) throws IOException {
    long state = new MessageReader(status).number(2, -1);
    return state < 0 ? Optional.empty() : Optional.of((int) state);
  }
}
