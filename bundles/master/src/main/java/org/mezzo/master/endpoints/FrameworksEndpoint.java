package org.mezzo.master.endpoints;

import java.util.List;
import java.util.Optional;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.state.Framework;

/** {@code /frameworks}: frameworks with their tasks and executors. */
final class FrameworksEndpoint extends ReadingEndpoint {

  FrameworksEndpoint(StateAnswers answers, LeaderGate gate) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/frameworks",
            Access.READONLY,
            Permission.perObject(Action.VIEW_FRAMEWORK, Action.VIEW_TASK, Action.VIEW_EXECUTOR),
            Help.of(
                    "The frameworks.",
                    "Registered and completed frameworks with their tasks, executors and offers.")
                .with("framework_id", "only this framework")
                .with("jsonp", "name of a function; the answer is then a call of it")));
  }

  @Override
  void write(View view, JsonOut json) {
    Optional<String> only = view.query("framework_id");
    json.object(
        () -> {
          json.array(
              "frameworks",
              only(view.frameworks(), only),
              framework -> MasterJson.framework(json, view, framework));
          json.array(
              "completed_frameworks",
              only(view.completedFrameworks(), only),
              framework -> MasterJson.framework(json, view, framework));
          json.array("unregistered_frameworks", () -> {});
        });
  }

  private static List<Framework> only(List<Framework> frameworks, Optional<String> id) {
    return frameworks.stream()
        .filter(framework -> id.isEmpty() || id.get().equals(framework.id()))
        .toList();
  }
}
