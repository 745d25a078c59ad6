package org.mezzo.master.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.fixtures.Await;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.master.testing.Operator;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.InverseOffer;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/** Maintenance as operators order and see it, by calls and by endpoints (rules 239 to 245). */
class MaintenanceTest {
  private static final String MACHINE = "{\"hostname\":\"localhost\",\"ip\":\"127.0.0.1\"}";
  private static final String SCHEDULE =
      "{\"windows\":[{\"machine_ids\":["
          + MACHINE
          + "],\"unavailability\":{\"start\":{\"nanoseconds\":1795317184000000000},\"duration\":{"
          + "\"nanoseconds\":3600000000000}}}]}";

  @TempDir Path workDir;

  private static String call(String type, String more) {
    return "{\"type\":\"" + type + "\"" + more + "}";
  }

  @Test
  void goesFromThePlanToTheEnd() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir);
        TestScheduler scheduler =
            TestScheduler.json(cluster.address()).subscribed(TestScheduler.info("a").build())) {
      TestAgent agent = cluster.agent(5051, "cpus:400;mem:1000");
      Operator operator = new Operator(cluster);
      Event first = scheduler.next(Event.Type.OFFERS);
      assertThat(first.getOffers().getOffers(0).hasUnavailability()).isFalse();
      assertThat(operator.request("GET", "/maintenance/schedule", "")).isEqualTo("200 {}");
      assertThat(operator.request("GET", "/maintenance/status", "")).isEqualTo("200 {}");

      assertThat(operator.request("POST", "/maintenance/schedule", SCHEDULE)).isEqualTo("200");
      scheduler.await(Event.Type.RESCIND);
      Event anew = scheduler.await(Event.Type.OFFERS);
      assertThat(anew.getOffers().getOffers(0).getUnavailability().getStart().getNanoseconds())
          .isEqualTo(1795317184000000000L);
      assertThat(operator.request("GET", "/maintenance/schedule", "")).isEqualTo("200 " + SCHEDULE);
      assertThat(operator.call(call("GET_MAINTENANCE_SCHEDULE", "")))
          .isEqualTo(
              "200 "
                  + call(
                      "GET_MAINTENANCE_SCHEDULE",
                      ",\"get_maintenance_schedule\":{\"schedule\":" + SCHEDULE + "}"));
      String draining = "{\"draining_machines\":[{\"id\":" + MACHINE + "}]}";
      assertThat(operator.request("GET", "/maintenance/status", "")).isEqualTo("200 " + draining);
      assertThat(operator.call(call("GET_MAINTENANCE_STATUS", "")))
          .isEqualTo(
              "200 "
                  + call(
                      "GET_MAINTENANCE_STATUS",
                      ",\"get_maintenance_status\":{\"status\":" + draining + "}"));

      InverseOffer inverse =
          scheduler.await(Event.Type.INVERSE_OFFERS).getInverseOffers().getInverseOffers(0);
      assertThat(inverse.getAgentId().getValue()).isEqualTo(agent.id);
      Call.Builder decline = Call.newBuilder().setType(Call.Type.DECLINE_INVERSE_OFFERS);
      decline
          .getDeclineInverseOffersBuilder()
          .addInverseOfferIds(inverse.getId())
          .getFiltersBuilder()
          .setRefuseSeconds(0);
      scheduler.accepted(decline);
      Event again =
          scheduler.await(
              event ->
                  event.hasInverseOffers()
                      && !event.getInverseOffers().getInverseOffers(0).equals(inverse));
      Call.Builder accept = Call.newBuilder().setType(Call.Type.ACCEPT_INVERSE_OFFERS);
      accept
          .getAcceptInverseOffersBuilder()
          .addInverseOfferIds(again.getInverseOffers().getInverseOffers(0).getId());
      scheduler.accepted(accept);
      assertThat(operator.request("GET", "/maintenance/status", ""))
          .contains(
              "\"statuses\":[{\"status\":\"ACCEPT\",\"framework_id\":{\"value\":\""
                  + scheduler.id
                  + "\"},\"timestamp\":{\"nanoseconds\":");

      cluster.coordination.depose();
      Await.until(() -> cluster.master.cluster().state().isEmpty());
      cluster.coordination.elect();
      Await.until(() -> cluster.master.cluster().state().isPresent());
      assertThat(operator.request("GET", "/maintenance/schedule", "")).isEqualTo("200 " + SCHEDULE);
      agent.connect(cluster.links).reregister();
      assertThat(cluster.state().agents().get(agent.id).unavailability()).isPresent();

      assertThat(
              operator.call(
                  call(
                      "UPDATE_MAINTENANCE_SCHEDULE",
                      ",\"update_maintenance_schedule\":{\"schedule\":" + SCHEDULE + "}")))
          .isEqualTo("200");
      assertThat(operator.request("POST", "/machine/down", "[" + MACHINE + "]")).isEqualTo("200");
      assertThat(agent.await(MasterEvent::hasShutdown).getShutdown().getMessage())
          .isEqualTo("Operator initiated 'Machine DOWN'");
      assertThat(operator.request("GET", "/slaves", ""))
          .isEqualTo("200 {\"slaves\":[],\"recovered_slaves\":[]}");
      assertThat(operator.request("GET", "/maintenance/status", ""))
          .isEqualTo("200 {\"down_machines\":[" + MACHINE + "]}");
      assertThat(operator.request("POST", "/maintenance/schedule", "{\"windows\": []}"))
          .isEqualTo(
              "400 Machine '"
                  + MACHINE
                  + "' is deactivated and cannot be removed from the schedule");
      Await.until(agent::isClosed);
      agent.connect(cluster.links).requestReregistration();
      assertThat(agent.await(MasterEvent::hasShutdown).getShutdown().getMessage())
          .isEqualTo("Machine is `DOWN`");

      assertThat(
              operator.call(
                  call(
                      "STOP_MAINTENANCE",
                      ",\"stop_maintenance\":{\"machines\":[" + MACHINE + "]}")))
          .isEqualTo("200");
      assertThat(operator.request("GET", "/maintenance/status", "")).isEqualTo("200 {}");
      new TestAgent(5051, "cpus:4;mem:1000").connect(cluster.links).register();
    }
  }

  @Test
  void badRequestsAreToldInTheWordsOfMesos() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir)) {
      Operator operator = new Operator(cluster);
      assertThat(operator.request("POST", "/maintenance/schedule", "{\"windows\": [{}]}"))
          .isEqualTo("400 Missing required fields: windows[0].unavailability");
      assertThat(
              operator.request(
                  "POST",
                  "/maintenance/schedule",
                  "{\"windows\":[{\"machine_ids\":[{\"ip\":\"abc\"}],\"unavailability\":{\"start\":{"
                      + "\"nanoseconds\":1}}}]}"))
          .isEqualTo("400 Failed to parse IPv4: abc");
      assertThat(operator.request("POST", "/machine/down", "[{\"hostname\":\"h\"}]"))
          .isEqualTo("400 Machine '{\"hostname\":\"h\"}' is not part of a maintenance schedule");
      assertThat(operator.request("POST", "/machine/up", "[{\"hostname\":\"h\"}]"))
          .isEqualTo("400 Machine '{\"hostname\":\"h\"}' is not part of a maintenance schedule");
      assertThat(operator.request("POST", "/machine/up", "{}")).startsWith("400 ");
      assertThat(operator.request("GET", "/machine/down", ""))
          .isEqualTo(
              "405 405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.");
      assertThat(operator.call(call("START_MAINTENANCE", ",\"start_maintenance\":{}")))
          .isEqualTo("400 List of machines is empty");
      assertThat(operator.call(call("STOP_MAINTENANCE", ",\"stop_maintenance\":{}")))
          .isEqualTo("400 List of machines is empty");
    }
  }

  @Test
  void eachNeedsItsLeave() throws Exception {
    try (TestCluster cluster = new TestCluster(workDir, "acls={}")) {
      Set<Action> allowed =
          Set.of(Action.UPDATE_MAINTENANCE_SCHEDULE, Action.GET_MAINTENANCE_STATUS);
      Authorizer authorizer = (subject, actions) -> (action, object) -> allowed.contains(action);
      cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
      cluster.modules.awaitHolders();
      Operator operator = new Operator(cluster);
      assertThat(operator.request("POST", "/maintenance/schedule", SCHEDULE)).isEqualTo("200");
      assertThat(operator.request("GET", "/maintenance/schedule", "")).isEqualTo("200 {}");
      assertThat(operator.request("GET", "/maintenance/status", "")).contains(MACHINE);
      assertThat(operator.request("POST", "/machine/down", "[" + MACHINE + "]"))
          .isEqualTo("403 403 Forbidden.");
    }
  }
}
