package org.mezzo.master.endpoints;

import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.json.StateJson;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.Agent;
import org.mezzo.resources.Resources;

/** {@code /slaves}: agents with their resources in full. */
final class SlavesEndpoint extends ReadingEndpoint {

  SlavesEndpoint(StateAnswers answers, LeaderGate gate) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/slaves",
            Access.READONLY,
            Permission.perObject(Action.VIEW_ROLE),
            Help.of(
                    "The agents.",
                    "Registered agents with their resources in full, and those that were here"
                        + " before a failover and did not come back yet.")
                .with("slave_id", "only this agent")
                .with("jsonp", "name of a function; the answer is then a call of it")));
  }

  @Override
  void write(View view, JsonOut json) {
    Optional<String> only = view.query("slave_id");
    json.object(
        () -> {
          json.array(
              "slaves",
              view.state().agents().values().stream()
                  .filter(agent -> only.isEmpty() || only.get().equals(agent.id()))
                  .toList(),
              agent -> json.object(() -> full(json, view, agent)));
          MasterJson.recovered(json, view.state());
        });
  }

  private static void full(JsonOut json, View view, Agent agent) {
    Account account = view.state().account(agent.id());
    Visibility visibility = view.visibility();
    MasterJson.agent(json, view, agent);
    Resources total = account.total();
    StateJson.fullResourcesByRole(
        json, "reserved_resources_full", visibility.roles(total.reserved()));
    StateJson.fullResources(json, "unreserved_resources_full", total.unreserved());
    StateJson.fullResources(
        json, "used_resources_full", visibility.resources(account.totalAllocated()));
    StateJson.fullResources(
        json, "offered_resources_full", visibility.resources(account.totalOffered()));
  }
}
