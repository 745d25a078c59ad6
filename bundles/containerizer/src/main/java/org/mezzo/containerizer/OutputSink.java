package org.mezzo.containerizer;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Gets what a container writes. Called on one thread that serves all who are attached to containers
 * of an agent: it must not block. One that throws is detached.
 */
@ConsumerType
public interface OutputSink {

  /**
   * Some bytes of its output, in the order in which they were written to that stream.
   *
   * @param bytes 1 to 65,536 of them; the sink's to keep
   * @return completes when the next ones may come, on any thread. Until then they wait with the
   *     container's shim. Of a container whose output is not kept it stands still then, as behind a
   *     full pipe, unless somebody else reads it; where it goes on, who is 1 MiB behind is ended
   */
  CompletionStage<?> data(ContainerIo.Stream stream, ByteBuffer bytes);

  /**
   * No more comes, and nothing else is called any more.
   *
   * @param problem empty when all output was delivered, to the last byte, and when the sink was
   *     {@linkplain Attachment#close detached}; else what has cut it off
   */
  void ended(Optional<String> problem);
}
