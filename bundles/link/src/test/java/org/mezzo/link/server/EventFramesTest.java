package org.mezzo.link.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Ping;
import org.mezzo.link.messages.RunTask;
import org.mezzo.link.wire.Frame;
import org.mezzo.link.wire.Frames;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskID;
import org.mezzo.protocol.v1.TaskInfo;

class EventFramesTest {
  private final EventFrames frames = new EventFrames();

  private static FrameworkInfo framework(String name) {
    return FrameworkInfo.newBuilder().setUser("u").setName(name).addRoles("r").build();
  }

  private static MasterEvent run(int number, FrameworkInfo framework) {
    return MasterEvent.newBuilder()
        .setNumber(number)
        .setRunTask(
            RunTask.newBuilder()
                .setFramework(framework)
                .addTasks(
                    TaskInfo.newBuilder()
                        .setName("t")
                        .setTaskId(TaskID.newBuilder().setValue("t" + number))
                        .setAgentId(AgentID.newBuilder().setValue("a")))
                .setLaunchExecutor(false)
                .setResourceVersionUuid("v"))
        .build();
  }

  private static List<MasterEvent> read(byte[] bytes) throws IOException {
    List<MasterEvent> events = new ArrayList<>();
    new Frames.Decoder(
            (kind, content) -> {
              assertThat(kind).isEqualTo(Frames.EVENT);
              events.add(MasterEvent.parseFrom(content));
            })
        .feed(ByteBuffer.wrap(bytes));
    return events;
  }

  @Test
  void theAgentReadsEachEventWholeThoughTheDescriptionIsEncodedOnce() throws Exception {
    FrameworkInfo one = framework("one");
    FrameworkInfo two = framework("two");
    List<MasterEvent> events =
        List.of(
            run(1, one),
            run(2, one),
            run(3, two),
            MasterEvent.newBuilder().setNumber(4).setPing(Ping.newBuilder().setSequence(1)).build(),
            run(5, one));
    List<Frame> made = new ArrayList<>();
    events.forEach(event -> made.add(frames.frame(event)));
    assertThat(read(Frame.join(made))).isEqualTo(events);
    assertThat(frames.known()).isEqualTo(2);
  }

  @Test
  void anUpdatedFrameworkIsDescribedAnew() throws Exception {
    FrameworkInfo before = framework("name");
    FrameworkInfo after = before.toBuilder().addRoles("more").build();
    List<MasterEvent> events = List.of(run(1, before), run(2, after));
    List<Frame> made = new ArrayList<>();
    events.forEach(event -> made.add(frames.frame(event)));
    assertThat(read(Frame.join(made))).isEqualTo(events);
  }

  @Test
  void doesNotKeepMoreThanItMay() throws Exception {
    for (int i = 0; i < 20; i++) {
      MasterEvent event = run(i, framework("x".repeat(1 << 20)));
      assertThat(read(Frame.join(List.of(frames.frame(event))))).containsExactly(event);
    }
    assertThat(frames.known()).isLessThan(4);
  }
}
