package org.mezzo.http;

import java.nio.ByteBuffer;

/** Receives a request body as it arrives, one call at a time, on connector threads. */
public interface BodyListener {

  /** Some bytes, valid during the call only. Blocking here holds the sender back. */
  void bytes(ByteBuffer bytes);

  /** The body is complete. */
  void complete();

  /** The body will not be complete. */
  void failed(Throwable cause);
}
