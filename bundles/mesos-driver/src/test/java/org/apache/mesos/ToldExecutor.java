package org.apache.mesos;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** Keeps in words what it is told. */
final class ToldExecutor implements Executor {
  final BlockingQueue<String> told = new LinkedBlockingQueue<>();

  /** What it does when it is told something, after it has kept that. */
  volatile BiConsumer<ExecutorDriver, String> then = (driver, what) -> {};

  private void tell(ExecutorDriver driver, String what) {
    told.add(what);
    then.accept(driver, what);
  }

  String next() throws InterruptedException {
    String what = told.poll(30, TimeUnit.SECONDS);
    if (what == null) {
      throw new AssertionError("nothing was told");
    }
    return what;
  }

  @Override
  public void registered(
      ExecutorDriver driver,
      Protos.ExecutorInfo executor,
      Protos.FrameworkInfo framework,
      Protos.SlaveInfo agent) {
    tell(
        driver,
        "registered %s of %s on %s"
            .formatted(
                executor.getExecutorId().getValue(), framework.getName(), agent.getHostname()));
  }

  @Override
  public void reregistered(ExecutorDriver driver, Protos.SlaveInfo agent) {
    tell(driver, "reregistered on " + agent.getHostname());
  }

  @Override
  public void disconnected(ExecutorDriver driver) {
    tell(driver, "disconnected");
  }

  @Override
  public void launchTask(ExecutorDriver driver, Protos.TaskInfo task) {
    tell(driver, "launch " + task.getTaskId().getValue());
  }

  @Override
  public void killTask(ExecutorDriver driver, Protos.TaskID task) {
    tell(driver, "kill " + task.getValue());
  }

  @Override
  public void frameworkMessage(ExecutorDriver driver, byte[] data) {
    tell(driver, "message " + new String(data, StandardCharsets.UTF_8));
  }

  @Override
  public void shutdown(ExecutorDriver driver) {
    tell(driver, "shutdown");
  }

  @Override
  public void error(ExecutorDriver driver, String message) {
    tell(driver, "error " + message);
  }
}
