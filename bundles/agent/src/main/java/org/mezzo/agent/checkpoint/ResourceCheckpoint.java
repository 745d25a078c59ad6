package org.mezzo.agent.checkpoint;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;
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
   * @param whole whether this is all there was, and nothing of it was damaged
   */
  public record Kept(Resources made, List<Operation> operations, boolean whole) {
    /** Nothing was ever made. */
    public static final Kept NOTHING = new Kept(Resources.EMPTY, List.of(), true);

    /** All there is. */
    public Kept(Resources made, List<Operation> operations) {
      this(made, operations, true);
    }

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
  public Kept load(Damage damage) throws IOException {
    Optional<byte[]> bytes = file.read();
    if (bytes.isEmpty()) {
      return Kept.NOTHING;
    }
    try {
      UpdateState state = UpdateState.parseFrom(bytes.get());
      return new Kept(Resources.of(state.getResourcesList()), state.getOperationsList());
    } catch (InvalidProtocolBufferException | ResourceFormatException e) {
      damage.found(
          file.path(),
          e,
          "the agent then has no dynamic reservations and volumes, whose data stays where it is");
      return new Kept(Resources.EMPTY, List.of(), false);
    }
  }

  /**
   * Keeps a copy of the file as it is, beside it, before what is in it is given up.
   *
   * @return where it is; the same as long as the file does not change
   */
  public Path copyAside() throws IOException {
    byte[] content = file.read().orElseThrow();
    CRC32C sum = new CRC32C();
    sum.update(content, 0, content.length);
    Path copy =
        file.path()
            .resolveSibling(
                file.path().getFileName() + ".before-" + String.format("%08x", sum.getValue()));
    new CheckpointFile(copy).write(content);
    return copy;
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
