package org.mezzo.itests.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.itests.chaos.TaskHistory.Interference;
import org.mezzo.itests.chaos.TaskHistory.Kind;
import org.mezzo.itests.cluster.Http;

/** What the chaos test holds against a cluster is found in what frameworks are told. */
class TaskHistoryIT {
  private static final String STARTING = "STARTING:1";
  private static final String RUNNING = "RUNNING:2";
  private static final String FINISHED = "FINISHED:3";

  /** What was done. */
  private record Done(
      boolean hit, boolean launcherKilled, boolean agentKilled, boolean masterKilled)
      implements Interference {}

  private static final Done NOTHING = new Done(false, false, false, false);
  private static final Done HIT = new Done(true, false, false, false);
  private static final Done AGENT = new Done(false, false, true, false);
  private static final Done MASTER = new Done(false, false, false, true);

  /**
   * What is found wrong.
   *
   * @param told each as STATE:UUID[:REASON[:MESSAGE]]; without a uuid a master's word
   */
  private static List<String> faults(Done done, boolean checkpoint, String... told) {
    TaskHistory history =
        new TaskHistory("t", Kind.BY_AGENT, checkpoint, Set.of("TASK_FINISHED"), done);
    for (String each : told) {
      String[] words = each.split(":", 4);
      ObjectNode status = Http.JSON.createObjectNode().put("state", "TASK_" + words[0]);
      if (!words[1].isEmpty()) {
        status.put("uuid", words[1]);
      }
      if (words.length > 2 && !words[2].isEmpty()) {
        status.put("reason", "REASON_" + words[2]);
      }
      if (words.length > 3) {
        status.put("message", words[3]);
      }
      history.told(status);
    }
    return history.faults().stream()
        .map(fault -> fault.substring("t: ".length(), fault.indexOf(';')))
        .toList();
  }

  private static List<String> faults(String... told) {
    return faults(NOTHING, true, told);
  }

  @Test
  void whatComesInOrderAndAgainIsWell() {
    assertThat(faults(STARTING, STARTING, RUNNING, RUNNING, FINISHED, FINISHED)).isEmpty();
    assertThat(
            faults(
                "FINISHED::RECONCILIATION:Reconciliation: Latest task state",
                STARTING,
                RUNNING,
                FINISHED))
        .isEmpty();
  }

  @Test
  void whatIsMissingIsFound() {
    assertThat(faults()).containsExactly("no end was told");
    assertThat(faults(STARTING, RUNNING)).containsExactly("no end was told");
    assertThat(faults(STARTING, FINISHED))
        .containsExactly("updates before its end were never told");
    assertThat(faults(RUNNING, FINISHED)).containsExactly("updates before its end were never told");
  }

  @Test
  void whatIsOutOfOrderIsFound() {
    assertThat(faults(STARTING, RUNNING, FINISHED, RUNNING))
        .containsExactly("an update came again after a later one");
    assertThat(faults(RUNNING, STARTING, FINISHED))
        .containsExactly("an update came after one that follows it");
    assertThat(faults(STARTING, RUNNING, FINISHED, "RUNNING:4"))
        .containsExactly("an update came after the end");
  }

  @Test
  void twoEndsAreFound() {
    assertThat(faults(HIT, true, STARTING, RUNNING, FINISHED, "FAILED:4::killed"))
        .containsExactly("an update came after the end");
    assertThat(faults(MASTER, true, "GONE::RECONCILIATION", STARTING, RUNNING, FINISHED))
        .contains("an update came after a master said that it is over");
    String dropped = "DROPPED:1:RECONCILIATION";
    assertThat(faults(MASTER, true, "GONE::RECONCILIATION", dropped, dropped)).isEmpty();
    assertThat(faults("GONE::RECONCILIATION", dropped))
        .containsExactly(
            "an update came after a master said that it is over", "nothing explains its end");
    assertThat(
            faults(
                "KILLED::RECONCILIATION:Reconciliation: Latest task state",
                STARTING,
                RUNNING,
                FINISHED))
        .containsExactly("a master spoke of another end");
  }

  @Test
  void endsAreExplainedByWhatWasDoneAlone() {
    String killed = "FAILED:3::Command terminated with signal Killed";
    assertThat(faults(HIT, true, STARTING, RUNNING, killed)).isEmpty();
    assertThat(faults(STARTING, RUNNING, killed)).containsExactly("nothing explains its end");
    assertThat(faults(AGENT, true, STARTING, RUNNING, killed))
        .containsExactly("nothing explains its end");
    assertThat(faults(HIT, true, STARTING, RUNNING, "FAILED:3"))
        .containsExactly("nothing explains its end");
    assertThat(faults(MASTER, true, "GONE::RECONCILIATION")).isEmpty();
    assertThat(faults("GONE::RECONCILIATION")).containsExactly("nothing explains its end");
    assertThat(faults(MASTER, true, STARTING, RUNNING, "GONE::RECONCILIATION"))
        .containsExactly("nothing explains its end");
    assertThat(faults(AGENT, true, STARTING, RUNNING, "LOST::AGENT_DISCONNECTED"))
        .containsExactly("nothing explains its end");
    assertThat(faults(AGENT, false, STARTING, RUNNING, "LOST::AGENT_DISCONNECTED")).isEmpty();
  }
}
