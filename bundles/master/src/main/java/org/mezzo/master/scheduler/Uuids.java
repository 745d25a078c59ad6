package org.mezzo.master.scheduler;

import com.google.protobuf.ByteString;
import java.util.Optional;

/** Ids of status updates as calls carry them. */
final class Uuids {
  private static final int BYTES = 16;

  private Uuids() {}

  /** What is wrong with one, for a client (rule 101). */
  static Optional<String> problem(ByteString uuid) {
    return uuid.size() == BYTES ? Optional.empty() : Optional.of("Not a valid UUID");
  }
}
