import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.mesos.MesosSchedulerDriver;
import org.apache.mesos.Protos.CommandInfo;
import org.apache.mesos.Protos.ExecutorID;
import org.apache.mesos.Protos.ExecutorInfo;
import org.apache.mesos.Protos.FrameworkID;
import org.apache.mesos.Protos.FrameworkInfo;
import org.apache.mesos.Protos.MasterInfo;
import org.apache.mesos.Protos.Offer;
import org.apache.mesos.Protos.OfferID;
import org.apache.mesos.Protos.Resource;
import org.apache.mesos.Protos.SlaveID;
import org.apache.mesos.Protos.Status;
import org.apache.mesos.Protos.TaskID;
import org.apache.mesos.Protos.TaskInfo;
import org.apache.mesos.Protos.TaskState;
import org.apache.mesos.Protos.TaskStatus;
import org.apache.mesos.Protos.Value;
import org.apache.mesos.Scheduler;
import org.apache.mesos.SchedulerDriver;

/**
 * Runs a number of tasks, a few at a time, and exits with 0 when all have finished.
 *
 * <p>Arguments: the master, the number of tasks, {@code implicit} or {@code explicit}
 * acknowledgements, and the command of an executor that runs them; without it each is {@code sleep
 * 1}.
 */
public final class CountingFramework implements Scheduler {
  private final int wanted;
  private final boolean implicit;
  private final String executor;
  private final Deque<String> waiting = new ArrayDeque<>();
  private final Set<String> launched = new HashSet<>();

  /** A state can be told several times: until it is acknowledged, and when somebody asks. */
  private final Set<String> finished = new HashSet<>();

  private CountingFramework(int wanted, boolean implicit, String executor) {
    this.wanted = wanted;
    this.implicit = implicit;
    this.executor = executor;
    for (int i = 0; i < wanted; i++) {
      waiting.add("task-" + i);
    }
  }

  public static void main(String[] args) {
    boolean implicit = args[2].equals("implicit");
    CountingFramework scheduler =
        new CountingFramework(Integer.parseInt(args[1]), implicit, args.length > 3 ? args[3] : "");
    FrameworkInfo info =
        FrameworkInfo.newBuilder()
            .setUser("")
            .setName("counting")
            .setFailoverTimeout(60)
            .setCheckpoint(true)
            .build();
    SchedulerDriver driver = new MesosSchedulerDriver(scheduler, info, args[0], implicit);
    boolean done = driver.run() == Status.DRIVER_STOPPED;
    System.exit(done && scheduler.finished.size() == scheduler.wanted ? 0 : 1);
  }

  @Override
  public void registered(SchedulerDriver driver, FrameworkID id, MasterInfo master) {
    System.out.println("registered " + id.getValue() + " with port " + master.getPort());
  }

  @Override
  public void reregistered(SchedulerDriver driver, MasterInfo master) {
    System.out.println("reregistered with port " + master.getPort());
    // What was on its way to the master before, or from it, may be lost: ask about each.
    List<TaskStatus> asked = new ArrayList<>();
    for (String task : launched) {
      asked.add(
          TaskStatus.newBuilder()
              .setTaskId(TaskID.newBuilder().setValue(task))
              .setState(TaskState.TASK_STAGING)
              .build());
    }
    driver.reconcileTasks(asked);
  }

  @Override
  public void resourceOffers(SchedulerDriver driver, List<Offer> offers) {
    for (Offer offer : offers) {
      List<TaskInfo> tasks = new ArrayList<>();
      double cpus = 0;
      for (Resource resource : offer.getResourcesList()) {
        cpus += resource.getName().equals("cpus") ? resource.getScalar().getValue() : 0;
      }
      for (cpus -= 0.1; cpus >= 0.1 && !waiting.isEmpty(); cpus -= 0.1) {
        launched.add(waiting.peek());
        tasks.add(task(offer, waiting.remove()));
      }
      driver.launchTasks(Collections.singletonList(offer.getId()), tasks);
    }
  }

  private TaskInfo task(Offer offer, String id) {
    TaskInfo.Builder task =
        TaskInfo.newBuilder()
            .setName(id)
            .setTaskId(TaskID.newBuilder().setValue(id))
            .setSlaveId(offer.getSlaveId())
            .addResources(scalar("cpus", 0.1))
            .addResources(scalar("mem", 32));
    if (executor.isEmpty()) {
      return task.setCommand(CommandInfo.newBuilder().setValue("sleep 1")).build();
    }
    return task.setExecutor(
            ExecutorInfo.newBuilder()
                .setExecutorId(ExecutorID.newBuilder().setValue("counting"))
                .setCommand(CommandInfo.newBuilder().setValue(executor))
                .addResources(scalar("cpus", 0.1))
                .addResources(scalar("mem", 128)))
        .build();
  }

  private static Resource scalar(String name, double amount) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(amount))
        .build();
  }

  @Override
  public void statusUpdate(SchedulerDriver driver, TaskStatus status) {
    String task = status.getTaskId().getValue();
    System.out.println(task + " is " + status.getState());
    if (status.getState() == TaskState.TASK_FINISHED) {
      finished.add(task);
      launched.remove(task);
    } else if (status.getState() == TaskState.TASK_LOST && !status.hasUuid()) {
      // The master's word, or the driver's: nobody has it, so that it has not run.
      if (launched.remove(task)) {
        waiting.add(task);
      }
    } else if (status.getState().getNumber() > TaskState.TASK_FINISHED.getNumber()
        && status.getState() != TaskState.TASK_STAGING) {
      System.out.println("gave up: " + status.getMessage());
      driver.abort();
    }
    if (!implicit) {
      driver.acknowledgeStatusUpdate(status);
    }
    if (finished.size() == wanted) {
      driver.stop();
    }
  }

  @Override
  public void frameworkMessage(SchedulerDriver driver, ExecutorID id, SlaveID agent, byte[] data) {
    System.out.println("the executor says " + new String(data));
  }

  @Override
  public void offerRescinded(SchedulerDriver driver, OfferID offer) {}

  @Override
  public void disconnected(SchedulerDriver driver) {
    System.out.println("disconnected");
  }

  @Override
  public void slaveLost(SchedulerDriver driver, SlaveID agent) {}

  @Override
  public void executorLost(SchedulerDriver driver, ExecutorID id, SlaveID agent, int status) {}

  @Override
  public void error(SchedulerDriver driver, String message) {
    System.out.println("error: " + message);
  }
}
