package org.mezzo.http;

import org.osgi.annotation.versioning.ProviderType;

/** A streamed answer. Safe for any thread; no method blocks. */
@ProviderType
public interface ResponseStream {

  /**
   * Queues bytes; they are flushed as soon as the client takes them.
   *
   * @return false when the stream is closed or was cut because of this write
   */
  boolean write(byte[] bytes);

  /** Ends the answer in order, after what is queued. */
  void end();

  /** Drops the connection (HTTP/2: the stream) at once. */
  void abort();

  /** As above, for a reason that the listeners of {@link #onClosed} are told. */
  void abort(Throwable reason);

  /**
   * Called once, on any thread, when the stream has ended for whatever reason; at once when it has
   * already. The cause is null after {@link #end}.
   */
  void onClosed(java.util.function.Consumer<Throwable> listener);

  /**
   * Runs something once when nothing that was written before waits to be sent, or the stream has
   * ended: for writers that make the next piece only when the last one is taken. At once, or on the
   * thread on which a write ends, which it must not hold.
   */
  void whenTaken(Runnable listener);

  /** Bytes that wait for the client behind the message that is being sent. */
  long queuedBytes();
}
