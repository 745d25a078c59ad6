package org.mezzo.master.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.Roles;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.state.MasterState;
import org.mezzo.resources.Quantities;

/** {@code /roles}: the known roles (rule 359). */
final class RolesEndpoint extends ReadingEndpoint {

  RolesEndpoint(StateAnswers answers, LeaderGate gate) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/roles",
            Access.READONLY,
            Permission.perObject(Action.VIEW_ROLE),
            Help.of(
                    "The roles.",
                    "Known roles with weight, quota, frameworks and what is theirs of the"
                        + " resources.")
                .with("jsonp", "name of a function; the answer is then a call of it")));
  }

  @Override
  void write(View view, JsonOut json) {
    json.object(
        () ->
            json.array(
                "roles",
                Roles.of(view.state()).stream()
                    .filter(role -> view.visibility().role(role.name()))
                    .toList(),
                role ->
                    json.object(
                        () -> {
                          json.field("name", role.name());
                          json.field("weight", role.weight());
                          json.object("quota", () -> quota(json, view.state(), role));
                          quantities(json, "resources", role.resources());
                          quantities(json, "allocated", role.allocated());
                          quantities(json, "offered", role.offered());
                          quantities(json, "reserved", role.reserved());
                          json.texts("frameworks", role.frameworks());
                        })));
  }

  private static void quota(JsonOut json, MasterState state, Roles.Role role) {
    var quota = state.quotas().get(role.name());
    json.field("role", role.name());
    quantities(json, "guarantee", quota == null ? Quantities.EMPTY : quota.guarantees());
    quantities(json, "limit", quota == null ? Quantities.EMPTY : quota.limits());
    quantities(json, "consumed", role.consumed());
  }

  private static void quantities(JsonOut json, String name, Quantities quantities) {
    json.object(
        name,
        () ->
            quantities.names().stream()
                .sorted()
                .forEach(each -> json.field(each, quantities.get(each) / 1000.0)));
  }
}
