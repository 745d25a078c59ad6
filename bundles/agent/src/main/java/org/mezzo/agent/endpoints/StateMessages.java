package org.mezzo.agent.endpoints;

import java.util.ArrayList;
import java.util.List;
import org.mezzo.agent.tasks.AgentTasks;
import org.mezzo.agent.tasks.AgentTasks.ExecutorView;
import org.mezzo.agent.tasks.AgentTasks.FrameworkView;
import org.mezzo.daemon.json.Masked;
import org.mezzo.protocol.v1.agent.Response;

/** The state as messages of the v1 API. */
final class StateMessages {
  private StateMessages() {}

  static Response.GetTasks tasks(AgentTasks.View view) {
    Response.GetTasks.Builder tasks = Response.GetTasks.newBuilder();
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        tasks.addAllQueuedTasks(executor.queuedTasks());
        tasks.addAllLaunchedTasks(executor.tasks());
        tasks.addAllTerminatedTasks(executor.terminatedTasks());
        tasks.addAllCompletedTasks(executor.completedTasks());
      }
    }
    completed(view).forEach(executor -> tasks.addAllCompletedTasks(executor.completedTasks()));
    return tasks.build();
  }

  private static List<ExecutorView> completed(AgentTasks.View view) {
    List<ExecutorView> executors = new ArrayList<>();
    view.frameworks().forEach(framework -> executors.addAll(framework.completedExecutors()));
    view.completed().forEach(framework -> executors.addAll(framework.completedExecutors()));
    return executors;
  }

  static Response.GetExecutors executors(AgentTasks.View view) {
    Response.GetExecutors.Builder executors = Response.GetExecutors.newBuilder();
    for (FrameworkView framework : view.frameworks()) {
      for (ExecutorView executor : framework.executors()) {
        executors.addExecutorsBuilder().setExecutorInfo(Masked.executor(executor.info()));
      }
      for (ExecutorView executor : framework.completedExecutors()) {
        executors.addCompletedExecutorsBuilder().setExecutorInfo(Masked.executor(executor.info()));
      }
    }
    for (FrameworkView framework : view.completed()) {
      for (ExecutorView executor : framework.completedExecutors()) {
        executors.addCompletedExecutorsBuilder().setExecutorInfo(Masked.executor(executor.info()));
      }
    }
    return executors.build();
  }

  static Response.GetFrameworks frameworks(AgentTasks.View view) {
    Response.GetFrameworks.Builder frameworks = Response.GetFrameworks.newBuilder();
    view.frameworks()
        .forEach(framework -> frameworks.addFrameworksBuilder().setFrameworkInfo(framework.info()));
    view.completed()
        .forEach(
            framework ->
                frameworks.addCompletedFrameworksBuilder().setFrameworkInfo(framework.info()));
    return frameworks.build();
  }
}
