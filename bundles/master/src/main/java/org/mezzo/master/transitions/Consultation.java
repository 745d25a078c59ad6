package org.mezzo.master.transitions;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.TaskInfo;

/**
 * A question about tasks that are to be launched.
 *
 * @param then told the answer, as a step
 */
public record Consultation(
    FrameworkInfo framework, AgentInfo agent, List<TaskInfo> tasks, Then then) {

  /**
   * What hooks and authorizer said.
   *
   * @param unauthorized ids of tasks that may not run
   * @param labels the labels hooks gave, by task id; tasks without an entry keep theirs
   */
  public record Answer(Set<String> unauthorized, Map<String, Labels> labels) {
    /** Nobody was asked. */
    public static final Answer NONE = new Answer(Set.of(), Map.of());
  }

  /** What follows. */
  @FunctionalInterface
  public interface Then {
    /** As {@link Step#apply}. */
    void apply(Transition tx, Answer answer);
  }
}
