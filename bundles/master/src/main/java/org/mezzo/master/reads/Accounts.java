package org.mezzo.master.reads;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;

/**
 * As whom the tasks and executors of each framework run, by the framework's id: what an authorizer
 * is asked about them by. Immutable.
 *
 * @param tasks the accounts of tasks
 * @param executors the accounts of executors
 */
record Accounts(Map<String, Set<String>> tasks, Map<String, Set<String>> executors) {

  /** Looks at everything there is. */
  static Accounts of(MasterState state) {
    Accounts accounts = new Accounts(new HashMap<>(), new HashMap<>());
    Stream.concat(state.frameworks().values().stream(), state.completedFrameworks().stream())
        .forEach(accounts::add);
    return accounts;
  }

  private void add(Framework framework) {
    Set<String> ofTasks = tasks.computeIfAbsent(framework.id(), unused -> new HashSet<>());
    // Most run as the framework's own, and sets of one are quick to look into.
    framework.tasks().values().forEach(task -> ofTasks.add(of(framework, task)));
    framework.unreachableTasks().values().forEach(task -> ofTasks.add(of(framework, task)));
    framework.completedTasks().forEach(task -> ofTasks.add(of(framework, task)));
    Set<String> ofExecutors = executors.computeIfAbsent(framework.id(), unused -> new HashSet<>());
    framework
        .executors()
        .values()
        .forEach(
            there -> there.values().forEach(executor -> ofExecutors.add(of(framework, executor))));
  }

  /** As whom a task runs. */
  static String of(Framework framework, Task task) {
    String own = task.message().getUser();
    return own.isEmpty() ? framework.info().getUser() : own;
  }

  /** As whom an executor runs. */
  static String of(Framework framework, Executor executor) {
    String own = executor.info().getCommand().getUser();
    return own.isEmpty() ? framework.info().getUser() : own;
  }
}
