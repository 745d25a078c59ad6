package org.mezzo.agent.checkpoint;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.mezzo.protocol.v1.AgentInfo;

/** Who the agent was registered as, kept below the work directory so that it stays the same. */
public final class AgentCheckpoint {
  private final Path file;

  public AgentCheckpoint(Path workDir) {
    this.file = workDir.resolve("meta").resolve("agent").resolve("agent.info");
  }

  /** Where it is kept. */
  public Path file() {
    return file;
  }

  /** The agent as it was registered last, with its id. */
  public Optional<AgentInfo> load() throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    try {
      return Optional.of(AgentInfo.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw new IOException(
          file + " is damaged; remove it to start as a new agent, whose tasks of before are lost",
          e);
    }
  }

  /** Stores the agent; it is on disk when this returns. */
  public void store(AgentInfo agent) throws IOException {
    Files.createDirectories(file.getParent());
    Path next = file.resolveSibling("agent.info.new");
    try (FileChannel channel =
        FileChannel.open(
            next,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.wrap(agent.toByteArray());
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel folder = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
      folder.force(true);
    }
  }
}
