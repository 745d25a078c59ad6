package org.mezzo.master.state;

import org.mezzo.protocol.v1.TaskStatus;

/**
 * Something operators may want to be told of (rule 159). Whoever tells happenings apart is a {@link
 * Visitor}, so that none can be forgotten.
 */
public sealed interface Happening {

  /** Has the visitor's method for this kind of happening called, on the thread of the caller. */
  void accept(Visitor visitor);

  /** Looks at happenings; one method for each kind. */
  interface Visitor {
    void taskAdded(TaskAdded happening);

    void taskUpdated(TaskUpdated happening);

    void frameworkAdded(FrameworkAdded happening);

    void frameworkUpdated(FrameworkUpdated happening);

    void frameworkRemoved(FrameworkRemoved happening);

    void agentAdded(AgentAdded happening);

    void agentRemoved(AgentRemoved happening);
  }

  /** A task was launched or became known. */
  record TaskAdded(Task task) implements Happening {
    @Override
    public void accept(Visitor visitor) {
      visitor.taskAdded(this);
    }
  }

  /**
   * The state of a task changed, or an update brought news of a check or of health.
   *
   * @param task after the update
   * @param status the update
   */
  record TaskUpdated(Task task, TaskStatus status) implements Happening {
    @Override
    public void accept(Visitor visitor) {
      visitor.taskUpdated(this);
    }
  }

  /** A framework subscribed for the first time or became known. */
  record FrameworkAdded(Framework framework) implements Happening {
    @Override
    public void accept(Visitor visitor) {
      visitor.frameworkAdded(this);
    }
  }

  /** Info, roles, connection or activity of a framework changed. */
  record FrameworkUpdated(Framework framework) implements Happening {
    @Override
    public void accept(Visitor visitor) {
      visitor.frameworkUpdated(this);
    }
  }

  /** A framework was removed. */
  record FrameworkRemoved(Framework framework) implements Happening {
    @Override
    public void accept(Visitor visitor) {
      visitor.frameworkRemoved(this);
    }
  }

  /** An agent registered or came back. */
  record AgentAdded(Agent agent) implements Happening {
    @Override
    public void accept(Visitor visitor) {
      visitor.agentAdded(this);
    }
  }

  /** An agent was removed; not told when it became unreachable or gone. */
  record AgentRemoved(Agent agent) implements Happening {
    @Override
    public void accept(Visitor visitor) {
      visitor.agentRemoved(this);
    }
  }
}
