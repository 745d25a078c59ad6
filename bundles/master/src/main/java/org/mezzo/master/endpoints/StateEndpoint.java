package org.mezzo.master.endpoints;

import java.time.Instant;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.Versions;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.configuration.DaemonFlags;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.daemon.json.StateJson;
import org.mezzo.master.operator.OperatorFlags;
import org.mezzo.master.reads.EpochSeconds;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MasterInfo;

/** {@code /state}: everything the master knows. */
final class StateEndpoint extends ReadingEndpoint {
  private final DaemonFlags flags;
  private final OperatorFlags operator;
  private final Instant started;

  /**
   * The endpoint.
   *
   * @param started when the daemon was started
   */
  StateEndpoint(
      StateAnswers answers,
      LeaderGate gate,
      DaemonFlags flags,
      OperatorFlags operator,
      Instant started) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/state",
            Access.READONLY,
            Permission.perObject(
                Action.VIEW_FRAMEWORK,
                Action.VIEW_TASK,
                Action.VIEW_EXECUTOR,
                Action.VIEW_ROLE,
                Action.VIEW_FLAGS),
            Help.of(
                    "The state of the cluster.",
                    "The leading master, its flags, agents, frameworks, tasks and executors, as far"
                        + " as the caller may see them. Expensive in large clusters:"
                        + " /state-summary and the operator API tell less at a time.")
                .with("jsonp", "name of a function; the answer is then a call of it")));
    this.flags = flags;
    this.operator = operator;
    this.started = started;
  }

  @Override
  void write(View view, JsonOut json) {
    MasterState state = view.state();
    MasterInfo self = state.self();
    json.object(
        () -> {
          json.field("version", Versions.MESOS);
          json.field("mezzo_version", Versions.MEZZO);
          json.field("build_date", Versions.BUILD_DATE);
          json.field("build_time", Versions.BUILD_TIME);
          json.field("build_user", Versions.BUILD_USER);
          json.field("start_time", EpochSeconds.of(started));
          json.field("elected_time", EpochSeconds.of(state.elected()));
          json.field("id", self.getId());
          json.field("pid", self.getPid());
          json.field("hostname", self.getHostname());
          json.array(
              "capabilities",
              self.getCapabilitiesList(),
              capability -> json.text(capability.getType().name()));
          long active = state.agents().values().stream().filter(Agent::active).count();
          json.field("activated_slaves", (double) active);
          json.field("deactivated_slaves", (double) (state.agents().size() - active));
          json.field("unreachable_slaves", (double) state.unreachableAgents().size());
          if (self.hasDomain()) {
            StateJson.domain(json, "domain", self.getDomain());
          }
          view.root().leader().ifPresent(leader -> leader(json, leader));
          if (view.visibility().flags()) {
            operator.cluster().ifPresent(name -> json.field("cluster", name));
            flags.folders().log().ifPresent(folder -> json.field("log_dir", folder));
            json.object("flags", () -> flags.all().shown().forEach(json::field));
          }
          json.array(
              "slaves",
              state.agents().values(),
              agent -> json.object(() -> MasterJson.agent(json, view, agent)));
          MasterJson.recovered(json, state);
          json.array(
              "frameworks",
              view.frameworks(),
              framework -> MasterJson.framework(json, view, framework));
          json.array(
              "completed_frameworks",
              view.completedFrameworks(),
              framework -> MasterJson.framework(json, view, framework));
          json.array("orphan_tasks", () -> {});
          json.array("unregistered_frameworks", () -> {});
        });
  }

  private static void leader(JsonOut json, MasterInfo leader) {
    json.field("leader", leader.getPid());
    json.object(
        "leader_info",
        () -> {
          json.field("id", leader.getId());
          json.field("pid", leader.getPid());
          json.integer("port", leader.getPort());
          json.field("hostname", leader.getHostname());
          if (leader.hasDomain()) {
            StateJson.domain(json, "domain", leader.getDomain());
          }
        });
  }
}
