package org.mezzo.master.endpoints;

import java.util.Comparator;
import java.util.List;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;

/**
 * {@code /allocator/offer_constraints_debug}: which agents the offer constraints of frameworks
 * exclude.
 */
final class OfferConstraintsEndpoint extends ReadingEndpoint {

  OfferConstraintsEndpoint(StateAnswers answers, LeaderGate gate) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/allocator/offer_constraints_debug",
            Access.READONLY,
            Permission.perObject(Action.VIEW_FRAMEWORK),
            Help.of(
                    "Which agents offer constraints exclude.",
                    "Answers with an object 'frameworks': by the id of each registered framework"
                        + " an object 'roles', and by the name of each of its roles whether it is"
                        + " 'suppressed' and the ids of the registered agents that are"
                        + " 'excluded_by_attribute_constraints'.")
                .with("jsonp", "name of a function; the answer is then a call of it")));
  }

  @Override
  void write(View view, JsonOut json) {
    List<Agent> agents =
        view.state().agents().values().stream()
            .sorted(Comparator.comparing((Agent agent) -> agent.id()))
            .toList();
    json.object(
        () ->
            json.object(
                "frameworks",
                () ->
                    view.frameworks()
                        .forEach(
                            framework ->
                                json.object(
                                    framework.id(), () -> roles(json, framework, agents)))));
  }

  private static void roles(JsonOut json, Framework framework, List<Agent> agents) {
    Framework.Subscription subscription = framework.subscription();
    json.object(
        "roles",
        () -> {
          for (String role : subscription.roles()) {
            json.object(
                role,
                () -> {
                  json.field("suppressed", subscription.suppressed().contains(role));
                  json.texts(
                      "excluded_by_attribute_constraints",
                      agents.stream()
                          .filter(
                              agent ->
                                  subscription.constraints().isAgentExcluded(role, agent.info()))
                          .map(agent -> agent.id())
                          .toList());
                });
          }
        });
  }
}
