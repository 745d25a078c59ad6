package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.http.HttpExchange;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.transitions.PolicyChange;
import org.mezzo.master.transitions.WeightsChange;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.WeightInfo;

/** {@code /weights}: the weights that were set, and new ones by PUT (rule 265). */
final class WeightsEndpoint extends ReadingEndpoint {
  private final PolicyRequests requests;

  WeightsEndpoint(StateAnswers answers, LeaderGate gate, PolicyRequests requests) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/weights",
            Set.of("GET", "PUT"),
            Access.READWRITE,
            Permission.perObject(Action.VIEW_ROLE, Action.UPDATE_WEIGHT),
            Help.of(
                    "The weights.",
                    "GET answers with the weights of roles that were set. PUT takes an array of"
                        + " objects with role and weight in JSON, sets all of them or none, and"
                        + " keeps them in the registry.")
                .with("jsonp", "name of a function; the answer is then a call of it")),
        List.of(Action.VIEW_ROLE));
    this.requests = requests;
  }

  @Override
  void serve(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    if (exchange.method().equals("PUT")) {
      requests.withBody(exchange, principal, WeightsEndpoint::change);
    } else {
      super.serve(exchange, principal);
    }
  }

  private static PolicyChange change(byte[] body) throws Refused {
    try {
      return new WeightsChange(Json.decodeList(body, WeightInfo.getDefaultInstance()));
    } catch (JsonFormatException e) {
      String what =
          e.kind() == JsonFormatException.Kind.SYNTAX
              ? "Failed to parse update weights request JSON ('"
              : "Failed to convert weights JSON array to protobuf ('";
      throw new Refused(400, what + PolicyRequests.quoted(body) + "'): " + e.getMessage());
    }
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
