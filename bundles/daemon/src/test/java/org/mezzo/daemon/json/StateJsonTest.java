package org.mezzo.daemon.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.CommandInfo;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Task;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.Resources;

class StateJsonTest {
  private static String text(Consumer<JsonOut> value) {
    return new String(JsonOut.bytes(value), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.0",
    "4, 4.0",
    "0.1, 0.1",
    "1795312785.243546, 1795312785.243546",
    "1724439540, 1724439540.0",
    "25276067840, 25276067840.0",
    "-2.5, -2.5",
    "1e16, 10000000000000000.0",
    "0.001, 0.001",
    "0.00001, 0.00001",
    "1e300, 1.0e300",
    "5.2080078125, 5.2080078125"
  })
  void writesDoublesShort(double value, String text) {
    assertThat(JsonOut.text(value)).isEqualTo(text);
  }

  @Test
  void writesResourcesByName() throws Exception {
    Resources resources =
        Resources.parse(
            "cpus:4;mem:4096;disk:10240;ports:[31000-31005,31007-31010,31006-31006];"
                + "cpus(role):0.5;items:{b,a}",
            "*");
    String expected =
        "{\"disk\":10240.0,\"mem\":4096.0,\"gpus\":0.0,\"cpus\":4.5,"
            + "\"ports\":\"[31000-31010]\",\"items\":\"{a, b}\"}";
    assertThat(text(json -> StateJson.resources(json, resources))).isEqualTo(expected);
    assertThat(
            text(
                json ->
                    StateJson.resources(
                        json, resources.toMessages(Resources.Format.POST_REFINEMENT))))
        .isEqualTo(expected);
    assertThat(text(json -> StateJson.resources(json, Resources.EMPTY)))
        .isEqualTo("{\"disk\":0.0,\"mem\":0.0,\"gpus\":0.0,\"cpus\":0.0}");
  }

  @Test
  void keepsRevocableApart() throws Exception {
    Resource revocable =
        Json.decode(
            "{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":2},\"revocable\":{}}"
                .getBytes(StandardCharsets.UTF_8),
            Resource.getDefaultInstance());
    assertThat(text(json -> StateJson.resources(json, List.of(revocable))))
        .contains("\"cpus\":0.0", "\"cpus_revocable\":2.0");
    assertThat(text(json -> resourcesOf(json, revocable)))
        .contains("\"cpus\":0.0", "\"cpus_revocable\":2.0");
  }

  private static void resourcesOf(JsonOut json, Resource message) {
    try {
      StateJson.resources(json, Resources.of(List.of(message)));
    } catch (org.mezzo.resources.ResourceFormatException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void writesFullResourcesInTheEndpointForm() throws Exception {
    Resources resources = Resources.parse("cpus:4;ports:[31000-32000]", "*");
    assertThat(text(json -> json.object(() -> StateJson.fullResources(json, "full", resources))))
        .isEqualTo(
            "{\"full\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":4.0},"
                + "\"role\":\"*\"},{\"name\":\"ports\",\"type\":\"RANGES\",\"ranges\":{\"range\":"
                + "[{\"begin\":31000,\"end\":32000}]},\"role\":\"*\"}]}");
    assertThat(
            text(
                json ->
                    json.object(
                        () ->
                            StateJson.resourcesByRole(
                                json, "roles", Map.of("a", Resources.EMPTY)))))
        .startsWith("{\"roles\":{\"a\":{\"disk\":0.0");
  }

  @Test
  void writesTasksAsClientsKnowThem() throws Exception {
    Task task =
        Json.decode(
            ("{\"name\":\"n-t1\",\"task_id\":{\"value\":\"t1\"},\"framework_id\":{\"value\":\"f\"},"
                    + "\"agent_id\":{\"value\":\"S0\"},\"state\":\"TASK_RUNNING\",\"resources\":["
                    + "{\"name\":\"mem\",\"type\":\"SCALAR\",\"scalar\":{\"value\":32},"
                    + "\"allocation_info\":{\"role\":\"test\"}}],\"labels\":{\"labels\":"
                    + "[{\"key\":\"k\",\"value\":\"v\"},{\"key\":\"only\"}]},\"user\":\"root\"}")
                .getBytes(StandardCharsets.UTF_8),
            Task.getDefaultInstance());
    TaskStatus starting =
        Json.decode(
            ("{\"task_id\":{\"value\":\"t1\"},\"state\":\"TASK_STARTING\","
                    + "\"timestamp\":1795312951.308104,\"container_status\":{\"container_id\":"
                    + "{\"value\":\"c\"},\"network_infos\":[{\"ip_addresses\":[{\"protocol\":"
                    + "\"IPv4\",\"ip_address\":\"127.0.0.1\"}]}]},\"reason\":"
                    + "\"REASON_AGENT_REMOVED\"}")
                .getBytes(StandardCharsets.UTF_8),
            TaskStatus.getDefaultInstance());
    TaskStatus healthy =
        starting.toBuilder().setHealthy(true).clearContainerStatus().setTimestamp(2).build();
    Task whole = task.toBuilder().addStatuses(starting).addStatuses(starting).build();
    String head =
        "{\"id\":\"t1\",\"name\":\"n-t1\",\"framework_id\":\"f\",\"executor_id\":\"\","
            + "\"slave_id\":\"S0\",\"state\":\"TASK_RUNNING\",\"resources\":{\"disk\":0.0,"
            + "\"mem\":32.0,\"gpus\":0.0,\"cpus\":0.0},\"role\":\"test\",\"statuses\":[";
    String tail =
        "],\"user\":\"root\",\"labels\":[{\"key\":\"k\",\"value\":\"v\"},{\"key\":\"only\"}]}";
    assertThat(text(json -> StateJson.task(json, whole)))
        .isEqualTo(
            head
                + "{\"state\":\"TASK_STARTING\",\"timestamp\":1795312951.308104,"
                + "\"container_status\":{\"container_id\":{\"value\":\"c\"},\"network_infos\":"
                + "[{\"ip_addresses\":[{\"protocol\":\"IPv4\",\"ip_address\":\"127.0.0.1\"}]}]}}"
                + tail);
    Task last = task.toBuilder().addStatuses(starting).addStatuses(healthy).build();
    assertThat(text(json -> StateJson.task(json, last)))
        .isEqualTo(
            head + "{\"state\":\"TASK_STARTING\",\"timestamp\":2.0,\"healthy\":true}" + tail);
    assertThat(text(json -> json.message(starting)))
        .contains("\"reason\":\"REASON_SLAVE_REMOVED\"");
  }

  @Test
  void writesMessagesWithDefaultsAndOldNames() {
    assertThat(text(json -> json.message(FrameworkInfo.getDefaultInstance())))
        .contains("\"failover_timeout\":0.0", "\"checkpoint\":false");
    assertThat(
            text(
                json ->
                    json.message(
                        TaskStatus.newBuilder()
                            .setAgentId(org.mezzo.protocol.v1.AgentID.newBuilder().setValue("S0"))
                            .buildPartial())))
        .contains("\"slave_id\":{\"value\":\"S0\"}");
  }

  @Test
  void writesTheSmallShapes() throws Exception {
    Attribute text =
        Json.decode(
            "{\"name\":\"rack\",\"type\":\"TEXT\",\"text\":{\"value\":\"r1\"}}"
                .getBytes(StandardCharsets.UTF_8),
            Attribute.getDefaultInstance());
    Attribute scalar =
        Json.decode(
            "{\"name\":\"level\",\"type\":\"SCALAR\",\"scalar\":{\"value\":10}}"
                .getBytes(StandardCharsets.UTF_8),
            Attribute.getDefaultInstance());
    Attribute range =
        Json.decode(
            ("{\"name\":\"range\",\"type\":\"RANGES\",\"ranges\":{\"range\":"
                    + "[{\"begin\":1,\"end\":5}]}}")
                .getBytes(StandardCharsets.UTF_8),
            Attribute.getDefaultInstance());
    CommandInfo command =
        Json.decode(
            ("{\"value\":\"ls\",\"arguments\":[\"-l\"],\"uris\":[{\"value\":\"http://u:hidden@x\","
                    + "\"executable\":true,\"cache\":true}]}")
                .getBytes(StandardCharsets.UTF_8),
            CommandInfo.getDefaultInstance());
    DomainInfo domain =
        Json.decode(
            ("{\"fault_domain\":{\"region\":{\"name\":\"r\"},\"zone\":{\"name\":\"z\"}}}")
                .getBytes(StandardCharsets.UTF_8),
            DomainInfo.getDefaultInstance());
    String all =
        text(
            json ->
                json.object(
                    () -> {
                      StateJson.attributes(json, "attributes", List.of(text, scalar, range));
                      StateJson.command(json, "command", command);
                      StateJson.domain(json, "domain", domain);
                      StateJson.domain(json, "none", DomainInfo.getDefaultInstance());
                      StateJson.labels(json, "labels", Labels.getDefaultInstance());
                    }));
    assertThat(all)
        .isEqualTo(
            "{\"attributes\":{\"rack\":\"r1\",\"level\":10.0,\"range\":\"[1-5]\"},"
                + "\"command\":{\"value\":\"ls\",\"argv\":[\"-l\"],\"uris\":[{\"value\":"
                + "\"http://u:***@x\",\"executable\":true}]},\"domain\":{\"fault_domain\":"
                + "{\"region\":{\"name\":\"r\"},\"zone\":{\"name\":\"z\"}}},\"none\":{},\"labels\":[]}");
  }
}
