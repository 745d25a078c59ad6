package org.mezzo.itests.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a framework was told of one task, in the order in which it came, and what is wrong with
 * that: an end that is missing or came twice, updates that are missing or out of order, an end that
 * nothing explains. Not safe for threads.
 */
final class TaskHistory {
  private static final Set<String> ENDS =
      Set.of(
          "TASK_FINISHED",
          "TASK_FAILED",
          "TASK_KILLED",
          "TASK_ERROR",
          "TASK_LOST",
          "TASK_DROPPED",
          "TASK_GONE",
          "TASK_UNKNOWN");

  /** States that say that nobody has the task. */
  private static final Set<String> MISSING =
      Set.of("TASK_LOST", "TASK_DROPPED", "TASK_GONE", "TASK_UNKNOWN");

  private static final String LATEST_STATE = "Reconciliation: Latest task state";

  private static final List<String> ORDER =
      List.of("TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING");

  /** What was done to a task from outside since it was launched. */
  interface Interference {
    /** Its process, its shim or its executor was killed, or one of the tasks that end with it. */
    boolean hit();

    /** A launcher of containers was killed. */
    boolean launcherKilled();

    /** An agent was killed. */
    boolean agentKilled();

    /** A master was killed. */
    boolean masterKilled();
  }

  /** How a task is run, which says what is told of it on the way. */
  enum Kind {
    /** By the agent, which tells TASK_STARTING and TASK_RUNNING. */
    BY_AGENT,
    /** By an executor of the framework's, which tells TASK_RUNNING. */
    BY_EXECUTOR
  }

  private final String id;
  private final Kind kind;
  private final boolean checkpoint;
  private final Set<String> expected;
  private final Interference interference;

  /** Updates that are to be acknowledged, each once, as they came first. */
  private final List<JsonNode> reliable = new ArrayList<>();

  private final List<String> faults = new ArrayList<>();
  private final List<String> all = new ArrayList<>();

  /** Ends that a master spoke of before the agent did. */
  private final Set<String> announced = new TreeSet<>();

  private Optional<JsonNode> end = Optional.empty();

  /**
   * Nothing told yet.
   *
   * @param checkpoint whether it outlives its agent
   * @param expected states of which it ends in one when nothing interferes
   */
  TaskHistory(
      String id, Kind kind, boolean checkpoint, Set<String> expected, Interference interference) {
    this.id = id;
    this.kind = kind;
    this.checkpoint = checkpoint;
    this.expected = Set.copyOf(expected);
    this.interference = interference;
  }

  private static String state(JsonNode status) {
    return status.path("state").asText();
  }

  private static String reason(JsonNode status) {
    return status.path("reason").asText();
  }

  private static int rank(String state) {
    return ENDS.contains(state) ? ORDER.size() : ORDER.indexOf(state);
  }

  /** An update came, with a uuid or, from a master alone, without. */
  void told(JsonNode status) {
    all.add(
        state(status)
            + " "
            + status.path("source").asText().replace("SOURCE_", "")
            + " "
            + reason(status).replace("REASON_", "")
            + " "
            + status.path("uuid").asText("-")
            + " '"
            + status.path("message").asText()
            + "'");
    if (status.hasNonNull("uuid")) {
      reliably(status);
    } else if (end.isEmpty() && ENDS.contains(state(status))) {
      if (status.path("message").asText().equals(LATEST_STATE)
          || reason(status).equals("REASON_AGENT_REREGISTERED")) {
        // Where the agent has told nothing yet, this is how far it is (rules 123, 146): it will.
        announced.add(state(status));
      } else {
        end = Optional.of(status);
      }
    }
    // A question may have been asked before the end was known, and be answered after it.
  }

  private void reliably(JsonNode status) {
    String uuid = status.path("uuid").asText();
    for (int i = 0; i < reliable.size(); i++) {
      if (reliable.get(i).path("uuid").asText().equals(uuid)) {
        if (i < reliable.size() - 1) {
          faults.add("an update came again after a later one");
        }
        return;
      }
    }
    String before = reliable.isEmpty() ? "TASK_STAGING" : state(reliable.get(reliable.size() - 1));
    if (ENDS.contains(before)) {
      faults.add("an update came after the end");
    } else if (rank(state(status)) < rank(before)) {
      faults.add("an update came after one that follows it");
    } else if (end.isPresent() && confirms(end.get(), status)) {
      end = Optional.of(status);
    } else if (end.isPresent()) {
      faults.add("an update came after a master said that it is over");
    }
    reliable.add(status);
    if (end.isEmpty() && ENDS.contains(state(status))) {
      end = Optional.of(status);
    }
  }

  /**
   * Whether an agent only confirms that nobody ever had the task, as rules 124 and 131 want it: a
   * master asked the agent about it and was killed; the next one never knew of the task and said
   * so, and the agent's answer comes by it.
   */
  private boolean confirms(JsonNode master, JsonNode agent) {
    return interference.masterKilled()
        && reliable.isEmpty()
        && state(master).equals("TASK_GONE")
        && reason(master).equals("REASON_RECONCILIATION")
        && state(agent).equals("TASK_DROPPED")
        && reason(agent).equals("REASON_RECONCILIATION");
  }

  /** Whether an end was told. */
  boolean over() {
    return end.isPresent();
  }

  /** The state it ended in; empty before. */
  String endState() {
    return end.map(TaskHistory::state).orElse("");
  }

  /** Whether anything was told that the agent wants acknowledged. */
  boolean heard() {
    return !reliable.isEmpty();
  }

  /** Whether it was told to run and not that it ended. */
  boolean running() {
    return end.isEmpty() && saw("TASK_RUNNING");
  }

  private boolean saw(String state) {
    return reliable.stream().anyMatch(status -> state(status).equals(state));
  }

  /** What is wrong, when nothing more will come; empty when all is well. */
  List<String> faults() {
    List<String> found = new ArrayList<>(faults);
    if (end.isEmpty()) {
      found.add("no end was told");
    } else {
      String state = state(end.get());
      announced.remove(state);
      if (!announced.isEmpty()) {
        found.add("a master spoke of another end");
      }
      if (!explained(end.get())) {
        found.add("nothing explains its end");
      }
      boolean ranToItsEnd =
          state.equals("TASK_FINISHED")
              || state.equals("TASK_FAILED")
                  && expected.contains(state)
                  && reason(end.get()).isEmpty();
      if (ranToItsEnd
          && (!saw("TASK_RUNNING") || kind == Kind.BY_AGENT && !saw("TASK_STARTING"))
          && !interference.hit()) {
        found.add("updates before its end were never told");
      }
    }
    return found.stream().map(fault -> id + ": " + fault + "; " + String.join(" | ", all)).toList();
  }

  private boolean explained(JsonNode last) {
    String state = state(last);
    String reason = reason(last);
    if (MISSING.contains(state)) {
      return missing(last);
    }
    if (state.equals("TASK_FAILED") && reason.equals("REASON_CONTAINER_LAUNCH_FAILED")) {
      return interference.hit() || interference.launcherKilled();
    }
    if (state.equals("TASK_FAILED")
        && reason.equals("REASON_EXECUTOR_TERMINATED")
        && reliable.size() <= 2
        && !saw("TASK_RUNNING")
        && interference.agentKilled()) {
      // Its process was never begun.
      return true;
    }
    if (expected.contains(state)) {
      return !reason.startsWith("REASON_CONTAINER");
    }
    return interference.hit()
        && Set.of("TASK_FAILED", "TASK_KILLED").contains(state)
        && !last.path("message").asText().isEmpty();
  }

  /** Whether it may be that nobody has it. */
  private boolean missing(JsonNode last) {
    String reason = reason(last);
    boolean killed = interference.masterKilled() || interference.agentKilled();
    if (reason.equals("REASON_INVALID_OFFERS")) {
      return reliable.isEmpty() && killed;
    }
    if (!checkpoint && interference.agentKilled()) {
      // Rule 142; a master that came since has never heard of it.
      return Set.of("REASON_AGENT_DISCONNECTED", "REASON_RECONCILIATION").contains(reason);
    }
    boolean before =
        reliable.stream().anyMatch(status -> !status.path("uuid").equals(last.path("uuid")));
    if (before) {
      return false;
    }
    return switch (reason) {
      // The order was lost with the master that had it or on the way to an agent (rules 124, 131).
      case "REASON_RECONCILIATION" -> killed;
      // It was lost on the way to the executor (rule 190).
      case "REASON_AGENT_RESTARTED" -> interference.agentKilled();
      // It came to an executor that had just ended, or was killed before it came (rule 113).
      case "REASON_EXECUTOR_TERMINATED" -> killed || interference.hit();
      default -> false;
    };
  }

  @Override
  public String toString() {
    return id + " " + String.join(" | ", all);
  }
}
