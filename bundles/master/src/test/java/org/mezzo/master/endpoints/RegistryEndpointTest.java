package org.mezzo.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.master.reads.Root;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.Machine;
import org.mezzo.master.state.Maintenance;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.RecoveredAgent;
import org.mezzo.master.state.Standing;
import org.mezzo.master.state.UnreachableAgent;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.MachineID;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.maintenance.Schedule;
import org.pcollections.HashTreePSet;

@Timeout(60)
class RegistryEndpointTest {
  private static final MasterInfo MASTER =
      MasterInfo.newBuilder().setId("m").setIp(16777343).setPort(5050).build();

  private static final MasterState EMPTY =
      MasterState.begin(
          MASTER, Instant.EPOCH, MasterState.Limits.DEFAULT, MasterState.Counters.ZERO);

  @TempDir Path workDir;

  private static String registry(MasterState state) {
    RegistryEndpoint endpoint = new RegistryEndpoint(null, null);
    return new String(
        JsonOut.bytes(
            json ->
                endpoint.write(
                    new View(new Root(1, state, Optional.empty()), Visibility.ALL, Map.of()),
                    json)),
        StandardCharsets.UTF_8);
  }

  @Test
  void anEmptyRegistryKnowsTheMasterOnly() {
    assertThat(registry(EMPTY))
        .isEqualTo("{\"master\":{\"info\":{\"id\":\"m\",\"ip\":16777343,\"port\":5050}}}");
  }

  @Test
  void agentsStandWhereTheyBelong() {
    AgentInfo info =
        AgentInfo.newBuilder()
            .setId(AgentID.newBuilder().setValue("m-S0"))
            .setHostname("host")
            .setPort(5051)
            .addResources(
                Resource.newBuilder()
                    .setName("cpus")
                    .setType(Value.Type.SCALAR)
                    .setScalar(Value.Scalar.newBuilder().setValue(4)))
            .build();
    Instant since = Instant.ofEpochSecond(1_700_000_000, 5);
    MasterState state =
        EMPTY
            .withRecoveredAgents(
                EMPTY
                    .recoveredAgents()
                    .plus("m-S0", new RecoveredAgent("m-S0", info, Standing.OPEN)))
            .withUnreachableAgents(
                EMPTY
                    .unreachableAgents()
                    .plus("m-S1", new UnreachableAgent("m-S1", info, since, Standing.OPEN)))
            .withGoneAgents(EMPTY.goneAgents().plus("m-S2", since));
    assertThat(registry(state))
        .endsWith(
            ",\"slaves\":{\"slaves\":[{\"info\":{\"hostname\":\"host\",\"port\":5051,\"resources\":["
                + "{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":4.0},\"role\":\"*\"}],"
                + "\"id\":{\"value\":\"m-S0\"}},\"deactivated\":false}]},"
                + "\"unreachable\":{\"slaves\":[{\"id\":{\"value\":\"m-S1\"},"
                + "\"timestamp\":{\"nanoseconds\":1700000000000000005},\"deactivated\":false}]},"
                + "\"gone\":{\"slaves\":[{\"id\":{\"value\":\"m-S2\"},"
                + "\"timestamp\":{\"nanoseconds\":1700000000000000005}}]}}");
  }

  @Test
  void machinesStandWithTheScheduleThatTheyAreIn() {
    MachineID one = MachineID.newBuilder().setHostname("one").build();
    MachineID two = MachineID.newBuilder().setHostname("two").build();
    Schedule.Builder schedule = Schedule.newBuilder();
    schedule
        .addWindowsBuilder()
        .addMachineIds(one)
        .addMachineIds(two)
        .getUnavailabilityBuilder()
        .getStartBuilder()
        .setNanoseconds(7);
    MasterState state =
        EMPTY.with(Maintenance.of(schedule.build(), HashTreePSet.singleton(Machine.of(two))));
    assertThat(registry(state))
        .endsWith(
            ",\"machines\":{\"machines\":["
                + "{\"info\":{\"id\":{\"hostname\":\"one\"},\"mode\":\"DRAINING\","
                + "\"unavailability\":{\"start\":{\"nanoseconds\":7}}}},"
                + "{\"info\":{\"id\":{\"hostname\":\"two\"},\"mode\":\"DOWN\","
                + "\"unavailability\":{\"start\":{\"nanoseconds\":7}}}}]},"
                + "\"schedules\":[{\"windows\":[{\"machine_ids\":["
                + "{\"hostname\":\"one\"},{\"hostname\":\"two\"}],"
                + "\"unavailability\":{\"start\":{\"nanoseconds\":7}}}]}]}");
  }

  @Test
  void whoMayNotSeeARoleSeesNothingThatIsReservedForIt() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Authorizer authorizer =
          (subject, actions) ->
              (action, object) ->
                  action != Action.VIEW_ROLE || !object.value().orElse("").equals("hidden");
      cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
      cluster.modules.awaitHolders();
      TestAgent agent = cluster.agent(5051, "cpus:4;mem(hidden):100;mem(shown):200");
      HttpResponse<String> answer =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(
                          URI.create(
                              "http://127.0.0.1:"
                                  + cluster.address().getPort()
                                  + "/registrar(1)/registry"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body())
          .contains("{\"value\":\"" + agent.id + "\"}", "\"role\":\"shown\"")
          .doesNotContain("hidden");
    }
  }
}
