package org.mezzo.agent.checkpoint;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.mezzo.protocol.v1.AgentInfo;

/** Who the agent was registered as, kept below the work directory so that it stays the same. */
public final class AgentCheckpoint {
  private final CheckpointFile file;

  public AgentCheckpoint(Path workDir) {
    this.file = new CheckpointFile(workDir.resolve("meta").resolve("agent").resolve("agent.info"));
  }

  /** Where it is kept. */
  public Path file() {
    return file.path();
  }

  /**
   * What was kept. Immutable.
   *
   * @param agent as it was registered last, with its id
   * @param damaged whether there was something that could not be read, and is set aside
   */
  public record Kept(Optional<AgentInfo> agent, boolean damaged) {}

  /** The agent as it was registered last. */
  public Kept load(Damage damage) throws IOException {
    Optional<byte[]> bytes = file.read();
    if (bytes.isEmpty()) {
      return new Kept(Optional.empty(), false);
    }
    try {
      AgentInfo agent = AgentInfo.parseFrom(bytes.get());
      if (agent.getId().getValue().isEmpty()) {
        throw new InvalidProtocolBufferException("it names no agent");
      }
      return new Kept(Optional.of(agent), false);
    } catch (InvalidProtocolBufferException e) {
      damage.found(
          file.path(),
          e,
          "the agent is then known by the tasks that it has, and without any is a new one");
      return new Kept(Optional.empty(), true);
    }
  }

  /** Stores the agent; it is on disk when this returns. */
  public void store(AgentInfo agent) throws IOException {
    file.write(agent.toByteArray());
  }
}
