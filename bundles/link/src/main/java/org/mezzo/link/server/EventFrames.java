package org.mezzo.link.server;

import java.util.IdentityHashMap;
import java.util.Map;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.wire.Frame;
import org.mezzo.link.wire.Frames;
import org.mezzo.protocol.v1.FrameworkInfo;

/**
 * Makes the frames of events. Each task that is sent to an agent carries the description of its
 * framework; that is encoded once for all tasks that carry the same one, as those of one ACCEPT do.
 * For one thread, the writer's.
 */
final class EventFrames {
  /** What is kept of descriptions; beyond it all are forgotten and encoded again. */
  private static final int MAX_KNOWN_BYTES = 4 << 20;

  private final Map<FrameworkInfo, byte[]> known = new IdentityHashMap<>();
  private int knownBytes;

  /** The frame of an event that has its number. */
  Frame frame(MasterEvent event) {
    if (!event.hasRunTask() || !event.getRunTask().hasFramework()) {
      return Frame.of(Frames.EVENT, event);
    }
    RunTask task = event.getRunTask();
    byte[] description = known.get(task.getFramework());
    if (description == null) {
      description = remember(task.getFramework());
    }
    return Frame.of(
        Frames.EVENT,
        description,
        event.toBuilder().setRunTask(task.toBuilder().clearFramework()).build());
  }

  private byte[] remember(FrameworkInfo framework) {
    byte[] description =
        MasterEvent.newBuilder()
            .setRunTask(RunTask.newBuilder().setFramework(framework))
            .build()
            .toByteArray();
    if (knownBytes + description.length > MAX_KNOWN_BYTES) {
      known.clear();
      knownBytes = 0;
    }
    known.put(framework, description);
    knownBytes += description.length;
    return description;
  }

  /** How many descriptions are kept. */
  int known() {
    return known.size();
  }
}
