package org.mezzo.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.Hello;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.Welcome;
import org.mezzo.link.wire.Frames;

/**
 * Reads stored streams of a later minor version, with fields, calls and frames that nobody knows
 * here.
 */
class NextMinorVersionTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4096})
  void streamOfANewerAgentIsUnderstood(int step) throws Exception {
    List<Object> seen = read("/agent-later.hex", step);

    assertThat(((Hello) seen.get(0)).getMinor()).isEqualTo(1);
    assertThat(((Hello) seen.get(0)).getConnectionEpoch()).isEqualTo(42);
    assertThat(seen.get(1)).isEqualTo("unknown frame 77");
    assertThat(((AgentCall) seen.get(2)).getPong().getSequence()).isEqualTo(5);
    assertThat(((AgentCall) seen.get(3)).getCallCase()).isEqualTo(AgentCall.CallCase.CALL_NOT_SET);
    assertThat(((AgentCall) seen.get(4)).getExecutorExited().getStatus()).isEqualTo(256);
    assertThat(seen).hasSize(5);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4096})
  void streamOfANewerMasterIsUnderstood(int step) throws Exception {
    List<Object> seen = read("/master-later.hex", step);

    assertThat(((Welcome) seen.get(0)).getMasterId()).isEqualTo("master");
    assertThat(seen.get(1)).isEqualTo("unknown frame 78");
    assertThat(((MasterEvent) seen.get(2)).getPing().getConnected()).isTrue();
    assertThat(((MasterEvent) seen.get(3)).getEventCase())
        .isEqualTo(MasterEvent.EventCase.EVENT_NOT_SET);
    assertThat(((MasterEvent) seen.get(4)).getKillTask().getTaskId().getValue()).isEqualTo("task");
    assertThat(seen).hasSize(5);
  }

  /** A call that masters once understood, and no agent has sent, is like one of a later version. */
  @Test
  void aCallThatIsNoMoreIsUnderstoodAsNone() throws Exception {
    AgentCall call = AgentCall.parseFrom(HexFormat.of().parseHex("0807" + "92010412020a00"));
    assertThat(call.getNumber()).isEqualTo(7);
    assertThat(call.getCallCase()).isEqualTo(AgentCall.CallCase.CALL_NOT_SET);
    assertThat(AgentCall.getDescriptor().findFieldByName("tasks_reconciled")).isNull();
  }

  @Test
  void framesStayAsTheyAre() {
    assertThat(
            HexFormat.of()
                .formatHex(
                    Frames.frame(
                        Frames.HELLO,
                        Hello.newBuilder()
                            .setMajor(1)
                            .setMinor(0)
                            .setConnectionEpoch(42)
                            .setProcessId("p")
                            .build())))
        .isEqualTo("0000000901" + "08011000182a320170");
    assertThat(HexFormat.of().formatHex(Frames.empty(Frames.ALIVE))).isEqualTo("0000000000");
  }

  @Test
  void lengthBeyondTheLimitIsRefused() {
    Frames.Decoder decoder = new Frames.Decoder((kind, content) -> {});
    assertThatThrownBy(
            () -> decoder.feed(ByteBuffer.wrap("SSH-2.0".getBytes(StandardCharsets.UTF_8))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("too long");
  }

  private static List<Object> read(String resource, int step) throws Exception {
    byte[] bytes;
    try (InputStream in = NextMinorVersionTest.class.getResourceAsStream(resource)) {
      String hex = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      bytes = HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
    }
    List<Object> seen = new ArrayList<>();
    Frames.Decoder decoder =
        new Frames.Decoder(
            (kind, content) -> {
              MessageLite message =
                  switch (kind) {
                    case Frames.HELLO -> Hello.parseFrom(content);
                    case Frames.CALL -> AgentCall.parseFrom(content);
                    case Frames.WELCOME -> Welcome.parseFrom(content);
                    case Frames.EVENT -> MasterEvent.parseFrom(content);
                    default -> null;
                  };
              seen.add(message == null ? "unknown frame " + kind : message);
            });
    for (int at = 0; at < bytes.length; at += step) {
      decoder.feed(ByteBuffer.wrap(bytes, at, Math.min(step, bytes.length - at)));
    }
    return seen;
  }
}
