package org.mezzo.master.state;

/**
 * How many frameworks, agents and tasks the root has. Kept with each change of it, so that whoever
 * measures the cluster does not walk it. Immutable.
 *
 * @param frameworks those that are not completed
 * @param connectedFrameworks those of them that have a stream
 * @param activeFrameworks those of them that may be offered resources
 * @param agents registered ones
 * @param connectedAgents those of them that have a link
 * @param activeAgents those of them whose resources may be offered
 * @param tasks active tasks of all frameworks by state
 * @param unreachableTasks that are remembered
 */
public record Census(
    int frameworks,
    int connectedFrameworks,
    int activeFrameworks,
    int agents,
    int connectedAgents,
    int activeAgents,
    TaskCounts tasks,
    int unreachableTasks) {
  /** There is nobody. */
  public static final Census NONE = new Census(0, 0, 0, 0, 0, 0, TaskCounts.NONE, 0);

  /** With one framework more. */
  public Census with(Framework framework) {
    return count(framework, 1)
        .withTasks(
            tasks.with(TaskCounts.NONE, framework.counts()),
            unreachableTasks + framework.unreachableTasks().size());
  }

  /** With one framework less; the same when it is null. */
  public Census without(Framework framework) {
    return framework == null
        ? this
        : count(framework, -1)
            .withTasks(
                tasks.with(framework.counts(), TaskCounts.NONE),
                unreachableTasks - framework.unreachableTasks().size());
  }

  /** With one agent more. */
  public Census with(Agent agent) {
    return count(agent, 1);
  }

  /** With one agent less; the same when it is null. */
  public Census without(Agent agent) {
    return agent == null ? this : count(agent, -1);
  }

  private Census count(Framework framework, int more) {
    return new Census(
        frameworks + more,
        connectedFrameworks + (framework.connected() ? more : 0),
        activeFrameworks + (framework.active() ? more : 0),
        agents,
        connectedAgents,
        activeAgents,
        tasks,
        unreachableTasks);
  }

  private Census withTasks(TaskCounts nextTasks, int nextUnreachable) {
    return new Census(
        frameworks,
        connectedFrameworks,
        activeFrameworks,
        agents,
        connectedAgents,
        activeAgents,
        nextTasks,
        nextUnreachable);
  }

  private Census count(Agent agent, int more) {
    return new Census(
        frameworks,
        connectedFrameworks,
        activeFrameworks,
        agents + more,
        connectedAgents + (agent.connected() ? more : 0),
        activeAgents + (agent.active() ? more : 0),
        tasks,
        unreachableTasks);
  }
}
