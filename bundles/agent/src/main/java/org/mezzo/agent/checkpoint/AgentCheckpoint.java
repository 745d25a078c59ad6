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

  /** The agent as it was registered last, with its id. */
  public Optional<AgentInfo> load() throws IOException {
    Optional<byte[]> bytes = file.read();
    if (bytes.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(AgentInfo.parseFrom(bytes.get()));
    } catch (InvalidProtocolBufferException e) {
      throw new IOException(
          file.path()
              + " is damaged; remove it to start as a new agent, whose tasks of before are lost",
          e);
    }
  }

  /** Stores the agent; it is on disk when this returns. */
  public void store(AgentInfo agent) throws IOException {
    file.write(agent.toByteArray());
  }
}
