package org.mezzo.master.endpoints;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
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
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Task;

/** {@code /tasks}: tasks, a page at a time. */
final class TasksEndpoint extends ReadingEndpoint {
  private static final int DEFAULT_LIMIT = 100;

  TasksEndpoint(StateAnswers answers, LeaderGate gate) {
    super(
        answers,
        gate,
        new EndpointDeclaration(
            "/tasks",
            Access.READONLY,
            Permission.perObject(Action.VIEW_FRAMEWORK, Action.VIEW_TASK),
            Help.of(
                    "The tasks.",
                    "Running, unreachable and completed tasks by the time of their last status, a"
                        + " page at a time.")
                .with("limit", "how many at most; 100 by default, all if negative")
                .with("offset", "how many are left out at the beginning")
                .with("order", "asc for the oldest first; the newest come first by default")
                .with("framework_id", "only tasks of this framework")
                .with("task_id", "only tasks with this id")
                .with("jsonp", "name of a function; the answer is then a call of it")));
  }

  @Override
  void write(View view, JsonOut json) {
    int limit = view.number("limit", DEFAULT_LIMIT);
    int offset = Math.max(0, view.number("offset", 0));
    boolean ascending = view.query("order").map("asc"::equals).orElse(false);
    Optional<String> frameworkId = view.query("framework_id");
    Optional<String> taskId = view.query("task_id");
    List<Task> found = new ArrayList<>();
    List<Framework> frameworks = view.frameworks();
    frameworks.addAll(view.completedFrameworks());
    for (Framework framework : frameworks) {
      if (frameworkId.map(framework.id()::equals).orElse(true)) {
        Visibility seen = view.visibility();
        found.addAll(seen.tasks(framework, framework.tasks().values()));
        found.addAll(seen.tasks(framework, framework.unreachableTasks().values()));
        found.addAll(seen.tasks(framework, framework.completedTasks()));
      }
    }
    found.removeIf(task -> taskId.isPresent() && !taskId.get().equals(task.id()));
    // Those without a status come first ascending, hence last descending.
    Comparator<Task> byTime =
        Comparator.comparingDouble(
            task ->
                task.message().getStatusesCount() == 0
                    ? Double.NEGATIVE_INFINITY
                    : task.message().getStatuses(0).getTimestamp());
    found.sort(ascending ? byTime : Collections.reverseOrder(byTime));
    int end = limit < 0 ? found.size() : (int) Math.min(found.size(), (long) offset + limit);
    List<Task> page = found.subList(Math.min(offset, end), end);
    json.object(() -> MasterJson.tasks(json, "tasks", page));
  }
}
