package org.mezzo.http;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Receives a request body as it arrives, one call at a time, on connector threads. */
public interface BodyListener {

  /** Some bytes, valid during the call only. Blocking here holds the sender back. */
  void bytes(ByteBuffer bytes);

  /**
   * Asked after each of {@link #bytes}: completes when more may come, on any thread. Until then the
   * sender is held back without a thread that waits.
   */
  default CompletionStage<?> room() {
    return CompletableFuture.completedStage(null);
  }

  /** The body is complete. */
  void complete();

  /** The body will not be complete. */
  void failed(Throwable cause);
}
