package org.mezzo.master.endpoints;

import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.MaintenanceReports;
import org.mezzo.master.reads.StateAnswers;

/** {@code /maintenance/status}: machines that are not simply up (rule 245). */
final class MaintenanceStatusEndpoint extends ReadingEndpoint {

  MaintenanceStatusEndpoint(StateAnswers answers, LeaderGate gate) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/maintenance/status",
            Access.READONLY,
            Permission.perObject(Action.GET_MAINTENANCE_STATUS),
            Help.of(
                    "The machines that are maintained.",
                    "Machines that wait for their maintenance, and those that are down.")
                .with("jsonp", "name of a function; the answer is then a call of it")));
  }

  @Override
  void write(View view, JsonOut json) {
    json.message(MaintenanceReports.status(view.state(), view.visibility()));
  }
}
