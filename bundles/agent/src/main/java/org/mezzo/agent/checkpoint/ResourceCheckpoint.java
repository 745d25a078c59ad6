package org.mezzo.agent.checkpoint;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.mezzo.protocol.v1.Operation;
import org.mezzo.protocol.v1.UUID;
import org.mezzo.protocol.v1.resource_provider.Call.UpdateState;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * What operations made of the agent's resources, and the operations of which somebody has still to
 * hear; kept whatever id the agent has (rules 169, 301, 305).
 */
public final class ResourceCheckpoint {

  /**
   * What is kept. Immutable.
   *
   * @param made reservations and volumes that were made at run time, allocated to nobody
   * @param operations in the order in which they were decided
   */
  public record Kept(Resources made, List<Operation> operations) {
    /** Nothing was ever made. */
    public static final Kept NOTHING = new Kept(Resources.EMPTY, List.of());

    public Kept {
      operations = List.copyOf(operations);
    }
  }

  private final CheckpointFile file;

  public ResourceCheckpoint(Path workDir) {
    file =
        new CheckpointFile(
            workDir.resolve("meta").resolve("resources").resolve("resources_and_operations.state"));
  }

  /** Where it is kept. */
  public Path file() {
    return file.path();
  }

  /** What was stored last. */
  public Kept load() throws IOException {
    Optional<byte[]> bytes = file.read();
    if (bytes.isEmpty()) {
      return Kept.NOTHING;
    }
    try {
      UpdateState state = UpdateState.parseFrom(bytes.get());
      return new Kept(Resources.of(state.getResourcesList()), state.getOperationsList());
    } catch (InvalidProtocolBufferException | ResourceFormatException e) {
      throw new IOException(
          file.path()
              + " is damaged, or another program's; it says which resources are reserved and made"
              + " volumes of. Bring a copy of it back, or remove it to start without dynamic"
              + " reservations and volumes, whose data stays where it is",
          e);
    }
  }

  /**
   * Stores all that is to be kept; it is on disk when this returns.
   *
   * @param version the name of the agent's total at this time
   */
  public void store(Kept kept, String version) throws IOException {
    file.write(
        UpdateState.newBuilder()
            .addAllResources(kept.made().toMessages(Resources.Format.POST_REFINEMENT))
            .addAllOperations(kept.operations())
            .setResourceVersionUuid(UUID.newBuilder().setValue(ByteString.copyFromUtf8(version)))
            .build()
            .toByteArray());
  }
}
