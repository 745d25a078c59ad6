package org.mezzo.agent.recovery;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.mezzo.agent.recovery.messages.ExecutorEntry;
import org.mezzo.agent.recovery.messages.TaskEntry;
import org.mezzo.agent.updates.States;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/**
 * Finds, of what an earlier process ran, what does not fit into an agent that has less now. Those
 * that have run longest stay; an executor stays with all its tasks or not at all.
 */
public final class Fitting {
  private record Holder(ExecutorEntry executor, List<TaskEntry> tasks) {
    double since() {
      return tasks.stream()
          .flatMap(task -> task.getTask().getStatusesList().stream())
          .mapToDouble(TaskStatus::getTimestamp)
          .min()
          .orElse(0);
    }

    Resources held() throws ResourceFormatException {
      List<Resource> all = new ArrayList<>(executor.getExecutor().getResourcesList());
      for (TaskEntry task : tasks) {
        if (!States.terminal(task.getTask().getState())) {
          all.addAll(task.getInfo().getResourcesList());
        }
      }
      return Resources.of(all).unallocated().nonRevocable();
    }
  }

  private Fitting() {}

  /**
   * The executors that have to go.
   *
   * @param total what the agent has now, as operations made it
   * @return by the id of the executor's container why, for people
   */
  public static Map<String, String> misfits(Journal.Kept kept, Resources total) {
    Map<String, String> misfits = new HashMap<>();
    Resources left = total;
    for (Holder holder : holders(kept)) {
      String reason;
      try {
        Resources held = holder.held();
        // Shared volumes are there for any number of tasks.
        Resources own = held.nonShared();
        Resources shared = held.shared().filter(one -> !hasOnce(total, one));
        if (left.contains(own) && shared.isEmpty()) {
          left = left.minus(own);
          continue;
        }
        reason =
            "It holds "
                + held
                + ", and what the agent was started with now has no room for that: "
                + left
                + " is free";
      } catch (ResourceFormatException e) {
        reason = "Its resources cannot be read: " + e.getMessage();
      }
      misfits.put(holder.executor().getContainerId().getValue(), reason);
    }
    return misfits;
  }

  private static boolean hasOnce(Resources total, org.mezzo.resources.Resource shared) {
    return total.contains(Resources.of(shared.withCopies(1)));
  }

  private static List<Holder> holders(Journal.Kept kept) {
    Map<List<String>, Holder> holders = new HashMap<>();
    for (ExecutorEntry executor : kept.executors()) {
      holders.put(
          List.of(
              executor.getFrameworkId().getValue(),
              executor.getExecutor().getExecutorId().getValue()),
          new Holder(executor, new ArrayList<>()));
    }
    for (TaskEntry task : kept.tasks()) {
      Holder holder =
          holders.get(List.of(task.getFrameworkId().getValue(), task.getExecutorId().getValue()));
      if (holder != null) {
        holder.tasks().add(task);
      }
    }
    return holders.values().stream()
        .sorted(
            Comparator.comparingDouble(Holder::since)
                .thenComparing(holder -> holder.executor().getContainerId().getValue()))
        .toList();
  }
}
