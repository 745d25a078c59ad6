package org.mezzo.master.endpoints;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.json.JsonOut;
import org.mezzo.master.operator.OperatorFlags;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.master.reads.StateAnswers;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.TaskState;

/** {@code /state-summary}: agents and frameworks with counts of their tasks. */
final class StateSummaryEndpoint extends ReadingEndpoint {
  /** The task states that summaries count, in the order in which they are written. */
  private static final List<TaskState> COUNTED =
      List.of(
          TaskState.TASK_STAGING,
          TaskState.TASK_STARTING,
          TaskState.TASK_RUNNING,
          TaskState.TASK_KILLING,
          TaskState.TASK_FINISHED,
          TaskState.TASK_KILLED,
          TaskState.TASK_FAILED,
          TaskState.TASK_LOST,
          TaskState.TASK_ERROR,
          TaskState.TASK_UNREACHABLE);

  private final OperatorFlags flags;

  StateSummaryEndpoint(StateAnswers answers, LeaderGate gate, OperatorFlags flags) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/state-summary",
            Access.READONLY,
            Permission.perObject(Action.VIEW_FRAMEWORK, Action.VIEW_ROLE),
            Help.of(
                    "A summary of the state of the cluster.",
                    "Agents and frameworks with the number of their tasks in each state.")
                .with("jsonp", "name of a function; the answer is then a call of it")));
    this.flags = flags;
  }

  @Override
  void write(View view, JsonOut json) {
    Map<String, Summary> byAgent = new HashMap<>();
    Map<String, Summary> byFramework = new LinkedHashMap<>();
    List<Framework> frameworks = view.frameworks();
    for (Framework framework : frameworks) {
      Summary own = byFramework.computeIfAbsent(framework.id(), id -> new Summary());
      Consumer<Task> count =
          task -> {
            own.count(task, task.agentId());
            byAgent
                .computeIfAbsent(task.agentId(), id -> new Summary())
                .count(task, framework.id());
          };
      framework.tasks().values().forEach(count);
      framework.unreachableTasks().values().forEach(count);
      framework.completedTasks().forEach(count);
    }
    json.object(
        () -> {
          json.field("hostname", view.state().self().getHostname());
          flags.cluster().ifPresent(name -> json.field("cluster", name));
          json.array(
              "slaves",
              view.state().agents().values(),
              agent ->
                  json.object(
                      () -> {
                        MasterJson.agent(json, view, agent);
                        byAgent
                            .getOrDefault(agent.id(), new Summary())
                            .write(json, "framework_ids");
                      }));
          json.array(
              "frameworks",
              frameworks,
              framework ->
                  json.object(
                      () -> {
                        MasterJson.outline(json, view, framework);
                        byFramework.get(framework.id()).write(json, "slave_ids");
                      }));
        });
  }

  /** Counts of task states, and who is on the other side. */
  private static final class Summary {
    final Map<TaskState, Integer> counts = new EnumMap<>(TaskState.class);
    final TreeSet<String> others = new TreeSet<>();

    void count(Task task, String other) {
      counts.merge(task.state(), 1, Integer::sum);
      others.add(other);
    }

    void write(JsonOut json, String name) {
      COUNTED.forEach(state -> json.integer(state.name(), counts.getOrDefault(state, 0)));
      json.texts(name, others);
    }
  }
}
