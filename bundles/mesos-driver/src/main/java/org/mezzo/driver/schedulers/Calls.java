package org.mezzo.driver.schedulers;

import java.util.Collection;
import java.util.Optional;
import org.mezzo.driver.wire.MessageWriter;

/**
 * Calls of the v1 scheduler API. The messages in them are the framework's own, of v0, which are the
 * same on the wire. No argument is null.
 */
public final class Calls {
  private static final int SUBSCRIBE = 1;
  private static final int TEARDOWN = 2;
  private static final int ACCEPT = 3;
  private static final int DECLINE = 4;
  private static final int REVIVE = 5;
  private static final int KILL = 6;
  private static final int ACKNOWLEDGE = 8;
  private static final int RECONCILE = 9;
  private static final int MESSAGE = 10;
  private static final int REQUEST = 11;
  private static final int SUPPRESS = 12;
  private static final int UPDATE_FRAMEWORK = 17;

  private static final int LAUNCH_OPERATION = 1;

  private Calls() {}

  private static MessageWriter call(Optional<byte[]> frameworkId, int type) {
    MessageWriter call = new MessageWriter();
    frameworkId.ifPresent(it -> call.bytes(1, it));
    return call.number(2, type);
  }

  private static MessageWriter call(byte[] frameworkId, int type) {
    return call(Optional.of(frameworkId), type);
  }

  private static MessageWriter roles(int field, Collection<String> roles) {
    MessageWriter message = new MessageWriter();
    roles.forEach(role -> message.text(field, role));
    return message;
  }

  private static MessageWriter repeated(int field, Collection<byte[]> values) {
    MessageWriter message = new MessageWriter();
    values.forEach(value -> message.bytes(field, value));
    return message;
  }

  /**
   * @param frameworkId as in the framework's info; none when the master shall make one
   */
  public static byte[] subscribe(
      Optional<byte[]> frameworkId, byte[] framework, Collection<String> suppressedRoles) {
    MessageWriter subscribe = new MessageWriter().bytes(1, framework);
    suppressedRoles.forEach(role -> subscribe.text(2, role));
    return call(frameworkId, SUBSCRIBE).message(3, subscribe).toBytes();
  }

  public static byte[] teardown(byte[] frameworkId) {
    return call(frameworkId, TEARDOWN).toBytes();
  }

  public static byte[] accept(
      byte[] frameworkId,
      Collection<byte[]> offerIds,
      Collection<byte[]> operations,
      byte[] filters) {
    MessageWriter accept = repeated(1, offerIds);
    operations.forEach(operation -> accept.bytes(2, operation));
    return call(frameworkId, ACCEPT).message(4, accept.bytes(3, filters)).toBytes();
  }

  /** An operation for {@link #accept}. */
  public static byte[] launch(Collection<byte[]> tasks) {
    return new MessageWriter().number(1, LAUNCH_OPERATION).message(2, repeated(1, tasks)).toBytes();
  }

  public static byte[] decline(byte[] frameworkId, Collection<byte[]> offerIds, byte[] filters) {
    return call(frameworkId, DECLINE).message(5, repeated(1, offerIds).bytes(2, filters)).toBytes();
  }

  /**
   * @param roles all of the framework when there are none
   */
  public static byte[] revive(byte[] frameworkId, Collection<String> roles) {
    return call(frameworkId, REVIVE).message(15, roles(1, roles)).toBytes();
  }

  /**
   * @param roles all of the framework when there are none
   */
  public static byte[] suppress(byte[] frameworkId, Collection<String> roles) {
    return call(frameworkId, SUPPRESS).message(16, roles(1, roles)).toBytes();
  }

  public static byte[] kill(byte[] frameworkId, byte[] taskId) {
    return call(frameworkId, KILL).message(6, new MessageWriter().bytes(1, taskId)).toBytes();
  }

  public static byte[] acknowledge(byte[] frameworkId, byte[] agentId, byte[] taskId, byte[] uuid) {
    return call(frameworkId, ACKNOWLEDGE)
        .message(8, new MessageWriter().bytes(1, agentId).bytes(2, taskId).bytes(3, uuid))
        .toBytes();
  }

  /**
   * @param tasks from {@link #task}; the master tells all that it knows when there are none
   */
  public static byte[] reconcile(byte[] frameworkId, Collection<byte[]> tasks) {
    return call(frameworkId, RECONCILE).message(9, repeated(1, tasks)).toBytes();
  }

  /** A task for {@link #reconcile}. */
  public static byte[] task(byte[] taskId, Optional<byte[]> agentId) {
    MessageWriter task = new MessageWriter().bytes(1, taskId);
    agentId.ifPresent(it -> task.bytes(2, it));
    return task.toBytes();
  }

  public static byte[] message(byte[] frameworkId, byte[] agentId, byte[] executorId, byte[] data) {
    return call(frameworkId, MESSAGE)
        .message(10, new MessageWriter().bytes(1, agentId).bytes(2, executorId).bytes(3, data))
        .toBytes();
  }

  public static byte[] request(byte[] frameworkId, Collection<byte[]> requests) {
    return call(frameworkId, REQUEST).message(11, repeated(1, requests)).toBytes();
  }

  /**
   * @param constraints of offers, when there are any
   */
  public static byte[] updateFramework(
      byte[] frameworkId,
      byte[] framework,
      Collection<String> suppressedRoles,
      Optional<byte[]> constraints) {
    MessageWriter update = new MessageWriter().bytes(1, framework);
    suppressedRoles.forEach(role -> update.text(2, role));
    constraints.ifPresent(it -> update.bytes(3, it));
    return call(frameworkId, UPDATE_FRAMEWORK).message(19, update).toBytes();
  }
}
