package org.mezzo.master.endpoints;

import java.util.Arrays;
import java.util.List;
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
import org.mezzo.master.reads.QuotaReports;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.transitions.PolicyChange;
import org.mezzo.master.transitions.QuotaRemoval;
import org.mezzo.master.transitions.QuotaSetting;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.quota.QuotaRequest;

/** {@code /quota}: the quotas, and their changes in the form of old (rules 261 to 264). */
final class QuotaEndpoint extends ReadingEndpoint {
  private static final String PATH = "/quota";

  private final PolicyRequests requests;

  QuotaEndpoint(StateAnswers answers, LeaderGate gate, PolicyRequests requests) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            PATH,
            Set.of("GET", "POST", "DELETE"),
            Access.READWRITE,
            Permission.perObject(Action.GET_QUOTA, Action.UPDATE_QUOTA),
            Help.of(
                    "The quotas.",
                    "GET answers with the guarantees and limits of roles that were set. POST takes"
                        + " an object with role, guarantee and perhaps force in JSON, and sets the"
                        + " quota of a role that has none; its guarantee is its limit, too. DELETE"
                        + " of /quota/<role> removes it. UPDATE_QUOTA of the operator API changes"
                        + " guarantees and limits, of many roles at once.")
                .with("jsonp", "name of a function; the answer is then a call of it")),
        List.of(Action.GET_QUOTA));
    this.requests = requests;
  }

  @Override
  void serve(HttpExchange exchange, Optional<Principal> principal) throws Refused {
    switch (exchange.method()) {
      case "POST" -> requests.withBody(exchange, principal, QuotaEndpoint::setting);
      case "DELETE" -> requests.make(exchange, principal, removal(exchange.path()));
      default -> super.serve(exchange, principal);
    }
  }

  private static PolicyChange setting(byte[] body) throws Refused {
    try {
      return new QuotaSetting(Json.decode(body, QuotaRequest.getDefaultInstance()));
    } catch (JsonFormatException e) {
      String what =
          e.kind() == JsonFormatException.Kind.SYNTAX
              ? "Failed to parse set quota request JSON '"
              : "Failed to validate set quota request JSON '";
      throw new Refused(400, what + PolicyRequests.quoted(body) + "': " + e.getMessage());
    }
  }

  /** The role is whatever stands behind the path of the endpoint. */
  private static PolicyChange removal(String path) throws Refused {
    List<String> parts = Arrays.stream(path.split("/")).filter(it -> !it.isEmpty()).toList();
    int own = parts.indexOf(PATH.substring(1));
    String local = "/master" + PATH;
    if (own + 1 >= parts.size()) {
      throw new Refused(
          400,
          "Failed to parse remove quota request for path '"
              + local
              + "': expected 3 tokens, found 2 tokens");
    }
    String role = String.join("/", parts.subList(own + 1, parts.size()));
    return new QuotaRemoval(role, " for path '" + local + "/" + role + "'");
  }

  @Override
  void write(View view, JsonOut json) {
    json.message(QuotaReports.of(view.state(), view.visibility()));
  }
}
