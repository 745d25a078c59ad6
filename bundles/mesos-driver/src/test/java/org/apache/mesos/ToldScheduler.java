package org.apache.mesos;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** Keeps in words what it is told. */
final class ToldScheduler implements Scheduler {
  final BlockingQueue<String> told = new LinkedBlockingQueue<>();

  /** What it does when it is told something, after it has kept that. */
  volatile BiConsumer<SchedulerDriver, String> then = (driver, what) -> {};

  volatile Protos.TaskStatus last = Protos.TaskStatus.getDefaultInstance();

  private void tell(SchedulerDriver driver, String what) {
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
  public void registered(SchedulerDriver driver, Protos.FrameworkID id, Protos.MasterInfo master) {
    tell(driver, "registered " + id.getValue() + " " + master.getId());
  }

  @Override
  public void reregistered(SchedulerDriver driver, Protos.MasterInfo master) {
    tell(driver, "reregistered " + master.getId());
  }

  @Override
  public void resourceOffers(SchedulerDriver driver, List<Protos.Offer> offers) {
    tell(driver, "offers " + offers.stream().map(it -> it.getId().getValue()).toList());
  }

  @Override
  public void offerRescinded(SchedulerDriver driver, Protos.OfferID offer) {
    tell(driver, "rescinded " + offer.getValue());
  }

  @Override
  public void statusUpdate(SchedulerDriver driver, Protos.TaskStatus status) {
    last = status;
    tell(driver, status.getTaskId().getValue() + " " + status.getState());
  }

  @Override
  public void frameworkMessage(
      SchedulerDriver driver, Protos.ExecutorID executor, Protos.SlaveID agent, byte[] data) {
    tell(
        driver,
        "message of %s on %s: %s"
            .formatted(
                executor.getValue(), agent.getValue(), new String(data, StandardCharsets.UTF_8)));
  }

  @Override
  public void disconnected(SchedulerDriver driver) {
    tell(driver, "disconnected");
  }

  @Override
  public void slaveLost(SchedulerDriver driver, Protos.SlaveID agent) {
    tell(driver, "lost agent " + agent.getValue());
  }

  @Override
  public void executorLost(
      SchedulerDriver driver, Protos.ExecutorID executor, Protos.SlaveID agent, int status) {
    tell(driver, "lost " + executor.getValue() + " on " + agent.getValue() + ": " + status);
  }

  @Override
  public void error(SchedulerDriver driver, String message) {
    tell(driver, "error " + message);
  }
}
