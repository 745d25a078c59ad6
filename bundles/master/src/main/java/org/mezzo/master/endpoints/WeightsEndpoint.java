package org.mezzo.master.endpoints;

import java.util.Map;
import java.util.Set;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;

/** {@code /weights}: the weights that were set. */
final class WeightsEndpoint extends ReadingEndpoint {

  WeightsEndpoint(StateAnswers answers, LeaderGate gate) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/weights",
            Set.of("GET"),
            Access.READWRITE,
            Permission.perObject(Action.VIEW_ROLE),
            Help.of("The weights.", "The weights of roles that were set.")
                .with("jsonp", "name of a function; the answer is then a call of it")));
  }

  @Override
  void write(View view, JsonOut json) {
    json.array(
        () ->
            view.visibility().roles(view.state().weights()).entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(
                    entry ->
                        json.object(
                            () -> {
                              json.field("role", entry.getKey());
                              json.field("weight", entry.getValue());
                            })));
  }
}
