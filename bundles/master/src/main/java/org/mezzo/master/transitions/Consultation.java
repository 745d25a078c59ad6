package org.mezzo.master.transitions;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Labels;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskInfo;

/**
 * What is asked before an ACCEPT is carried out.
 *
 * @param tasks that are to be launched
 * @param questions about its operations on resources
 * @param then told the answer, as a step
 */
public record Consultation(
    FrameworkInfo framework,
    AgentInfo agent,
    List<TaskInfo> tasks,
    List<Question> questions,
    Then then) {

  /**
   * Whether the framework's principal may do something.
   *
   * @param operation its place among the operations of the ACCEPT
   */
  public record Question(int operation, Action action, AuthorizationObject object) {}

  /**
   * What hooks and authorizer said.
   *
   * @param unauthorized ids of tasks that may not run
   * @param refused places of operations that may not be done
   * @param labels the labels hooks gave, by task id; tasks without an entry keep theirs
   * @param resources the resources hooks gave, likewise; they can be read as such
   */
  public record Answer(
      Set<String> unauthorized,
      Set<Integer> refused,
      Map<String, Labels> labels,
      Map<String, List<Resource>> resources) {
    /** Nobody was asked. */
    public static final Answer NONE = new Answer(Set.of(), Set.of(), Map.of(), Map.of());
  }

  /** What follows. */
  @FunctionalInterface
  public interface Then {
    /** As {@link Step#apply}. */
    void apply(Transition tx, Answer answer);
  }
}
