package org.mezzo.protocol.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.mezzo.protocol.Tables;

/** What a Mesos and its clients said to each other, recorded from the wire: one body per line. */
class RecordingsTest {
  private static final Map<String, Message> SAID_BY_MESOS =
      Map.of(
          "mesos.v1.scheduler.Event", org.mezzo.protocol.v1.scheduler.Event.getDefaultInstance(),
          "mesos.v1.executor.Event", org.mezzo.protocol.v1.executor.Event.getDefaultInstance(),
          "mesos.v1.master.Event", org.mezzo.protocol.v1.master.Event.getDefaultInstance(),
          "mesos.v1.master.Response", org.mezzo.protocol.v1.master.Response.getDefaultInstance(),
          "mesos.v1.agent.Response", org.mezzo.protocol.v1.agent.Response.getDefaultInstance());

  private static final Map<String, Message> SAID_BY_CLIENTS =
      Map.of(
          "mesos.v1.scheduler.Call", org.mezzo.protocol.v1.scheduler.Call.getDefaultInstance(),
          "mesos.v1.executor.Call", org.mezzo.protocol.v1.executor.Call.getDefaultInstance(),
          "mesos.v1.master.Call", org.mezzo.protocol.v1.master.Call.getDefaultInstance(),
          "mesos.v1.agent.Call", org.mezzo.protocol.v1.agent.Call.getDefaultInstance());

  record Body(String type, Message prototype, String json) {
    @Override
    public String toString() {
      return type + " " + json.substring(0, Math.min(60, json.length()));
    }
  }

  static List<Body> saidByMesos() {
    return bodies(SAID_BY_MESOS);
  }

  static List<Body> saidByClients() {
    return bodies(SAID_BY_CLIENTS);
  }

  private static List<Body> bodies(Map<String, Message> types) {
    List<Body> bodies = new ArrayList<>();
    types.forEach(
        (type, prototype) ->
            Tables.text("json/recordings/" + type + ".jsonl")
                .lines()
                .forEach(line -> bodies.add(new Body(type, prototype, line))));
    return bodies;
  }

  @ParameterizedTest
  @MethodSource("saidByMesos")
  void isWrittenAsItWasRead(Body body) throws Exception {
    Message message = Json.decode(body.json.getBytes(StandardCharsets.UTF_8), body.prototype);
    String written = new String(Json.encode(message), StandardCharsets.UTF_8);
    assertThat(Trees.differences(Trees.parse(body.json), Trees.parse(written)))
        // Mesos copies its internal agent description, whose checkpoint flag (always true) is in
        // no message of v1.
        .filteredOn(each -> !each.endsWith(".agent_info.checkpoint: expected true but was null"))
        .isEmpty();
  }

  @ParameterizedTest
  @MethodSource("saidByClients")
  void isUnderstood(Body body) throws Exception {
    Message message = Json.decode(body.json.getBytes(StandardCharsets.UTF_8), body.prototype);
    assertThat(message.toByteArray()).isNotEmpty();
    assertThat(Json.decode(Json.encode(message), body.prototype).toBuilder().build())
        .satisfies(again -> assertThat(Json.encode(again)).isEqualTo(Json.encode(message)));
  }

  @Test
  void arePlenty() {
    assertThat(saidByMesos()).hasSizeGreaterThan(100);
    assertThat(saidByClients()).hasSizeGreaterThan(100);
  }
}
