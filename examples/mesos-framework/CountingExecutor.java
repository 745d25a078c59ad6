import org.apache.mesos.Executor;
import org.apache.mesos.ExecutorDriver;
import org.apache.mesos.MesosExecutorDriver;
import org.apache.mesos.Protos.ExecutorInfo;
import org.apache.mesos.Protos.FrameworkInfo;
import org.apache.mesos.Protos.SlaveInfo;
import org.apache.mesos.Protos.Status;
import org.apache.mesos.Protos.TaskID;
import org.apache.mesos.Protos.TaskInfo;
import org.apache.mesos.Protos.TaskState;
import org.apache.mesos.Protos.TaskStatus;

/** Takes a moment for each task, and tells the framework how many it has had. */
public final class CountingExecutor implements Executor {
  private int tasks;

  public static void main(String[] args) {
    System.exit(
        new MesosExecutorDriver(new CountingExecutor()).run() == Status.DRIVER_STOPPED ? 0 : 1);
  }

  @Override
  public void launchTask(ExecutorDriver driver, TaskInfo task) {
    tell(driver, task.getTaskId(), TaskState.TASK_RUNNING);
    driver.sendFrameworkMessage(("that this is task " + ++tasks).getBytes());
    Thread worker =
        new Thread(
            () -> {
              try {
                Thread.sleep(500);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              tell(driver, task.getTaskId(), TaskState.TASK_FINISHED);
            });
    worker.setDaemon(true);
    worker.start();
  }

  private static void tell(ExecutorDriver driver, TaskID task, TaskState state) {
    driver.sendStatusUpdate(TaskStatus.newBuilder().setTaskId(task).setState(state).build());
  }

  @Override
  public void registered(
      ExecutorDriver driver, ExecutorInfo executor, FrameworkInfo framework, SlaveInfo agent) {
    System.out.println("registered with " + agent.getHostname());
  }

  @Override
  public void reregistered(ExecutorDriver driver, SlaveInfo agent) {
    System.out.println("reregistered with " + agent.getHostname());
  }

  @Override
  public void disconnected(ExecutorDriver driver) {
    System.out.println("disconnected");
  }

  @Override
  public void killTask(ExecutorDriver driver, TaskID task) {
    tell(driver, task, TaskState.TASK_KILLED);
  }

  @Override
  public void frameworkMessage(ExecutorDriver driver, byte[] data) {}

  @Override
  public void shutdown(ExecutorDriver driver) {
    System.out.println("shutdown");
    driver.stop();
  }

  @Override
  public void error(ExecutorDriver driver, String message) {
    System.out.println("error: " + message);
  }
}
