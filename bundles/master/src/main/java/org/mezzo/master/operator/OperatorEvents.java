package org.mezzo.master.operator;

import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.daemon.json.Masked;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.master.Event;

/**
 * What operators are told of one transition. Whoever sees everything shares each event with all
 * others who do: it is made and encoded once, when the first needs it. So do those who may see an
 * event at all, but for what an agent has reserved, which is told by the roles that one may see.
 * Safe for any thread.
 */
final class OperatorEvents {
  private final MasterState state;
  private final List<Happening> happenings;
  private final AtomicReferenceArray<Encoded<Event>> made;

  /**
   * Nothing is made yet.
   *
   * @param state after the transition
   */
  OperatorEvents(MasterState state, List<Happening> happenings) {
    this.state = state;
    this.happenings = happenings;
    this.made = new AtomicReferenceArray<>(happenings.size());
  }

  /** Whether these are the events of the transition that led to a state; each leads to its own. */
  boolean ledTo(MasterState after) {
    return state == after;
  }

  /** Gives what may be seen, in order. */
  void forEach(Visibility visibility, Consumer<Encoded<Event>> subscriber) {
    for (int i = 0; i < happenings.size(); i++) {
      Seen seen = new Seen(state, visibility);
      happenings.get(i).accept(seen);
      if (seen.shared) {
        subscriber.accept(shared(i));
      } else if (seen.visible) {
        subscriber.accept(Encoded.of(event(happenings.get(i), visibility)));
      }
    }
  }

  private Encoded<Event> shared(int index) {
    Encoded<Event> known = made.get(index);
    if (known != null) {
      return known;
    }
    synchronized (made) {
      known = made.get(index);
      if (known == null) {
        known = Encoded.of(event(happenings.get(index), Visibility.ALL));
        made.set(index, known);
      }
      return known;
    }
  }

  /** Whether a happening may be seen, and whether it looks the same to whoever sees everything. */
  private static final class Seen implements Happening.Visitor {
    private final MasterState state;
    private final Visibility visibility;
    private boolean visible;
    private boolean shared;

    Seen(MasterState state, Visibility visibility) {
      this.state = state;
      this.visibility = visibility;
    }

    private void whole(boolean seen) {
      visible = seen;
      shared = seen;
    }

    private boolean task(Task task) {
      return state
          .framework(task.frameworkId())
          .map(framework -> visibility.task(framework, task))
          .orElse(visibility == Visibility.ALL);
    }

    @Override
    public void taskAdded(Happening.TaskAdded happening) {
      whole(task(happening.task()));
    }

    @Override
    public void taskUpdated(Happening.TaskUpdated happening) {
      whole(task(happening.task()));
    }

    @Override
    public void frameworkAdded(Happening.FrameworkAdded happening) {
      whole(visibility.framework(happening.framework()));
    }

    @Override
    public void frameworkUpdated(Happening.FrameworkUpdated happening) {
      whole(visibility.framework(happening.framework()));
    }

    @Override
    public void frameworkRemoved(Happening.FrameworkRemoved happening) {
      whole(visibility.framework(happening.framework()));
    }

    @Override
    public void agentAdded(Happening.AgentAdded happening) {
      visible = true;
      shared = visibility == Visibility.ALL;
    }

    @Override
    public void agentRemoved(Happening.AgentRemoved happening) {
      whole(true);
    }
  }

  private Event event(Happening happening, Visibility visibility) {
    Event.Builder event = Event.newBuilder();
    happening.accept(new Told(state, visibility, event));
    return event.build();
  }

  /** Makes the event of a happening. */
  private record Told(MasterState state, Visibility visibility, Event.Builder event)
      implements Happening.Visitor {

    @Override
    public void taskAdded(Happening.TaskAdded happening) {
      event
          .setType(Event.Type.TASK_ADDED)
          .setTaskAdded(
              Event.TaskAdded.newBuilder().setTask(Masked.task(happening.task().message())));
    }

    @Override
    public void taskUpdated(Happening.TaskUpdated happening) {
      event
          .setType(Event.Type.TASK_UPDATED)
          .setTaskUpdated(
              Event.TaskUpdated.newBuilder()
                  .setFrameworkId(FrameworkID.newBuilder().setValue(happening.task().frameworkId()))
                  .setStatus(happening.status())
                  .setState(happening.task().state()));
    }

    @Override
    public void frameworkAdded(Happening.FrameworkAdded happening) {
      event
          .setType(Event.Type.FRAMEWORK_ADDED)
          .setFrameworkAdded(
              Event.FrameworkAdded.newBuilder()
                  .setFramework(OperatorMessages.announced(state, happening.framework())));
    }

    @Override
    public void frameworkUpdated(Happening.FrameworkUpdated happening) {
      event
          .setType(Event.Type.FRAMEWORK_UPDATED)
          .setFrameworkUpdated(
              Event.FrameworkUpdated.newBuilder()
                  .setFramework(OperatorMessages.announced(state, happening.framework())));
    }

    @Override
    public void frameworkRemoved(Happening.FrameworkRemoved happening) {
      event
          .setType(Event.Type.FRAMEWORK_REMOVED)
          .setFrameworkRemoved(
              Event.FrameworkRemoved.newBuilder().setFrameworkInfo(happening.framework().info()));
    }

    @Override
    public void agentAdded(Happening.AgentAdded happening) {
      event
          .setType(Event.Type.AGENT_ADDED)
          .setAgentAdded(
              Event.AgentAdded.newBuilder()
                  .setAgent(OperatorMessages.agent(state, happening.agent(), visibility)));
    }

    @Override
    public void agentRemoved(Happening.AgentRemoved happening) {
      event
          .setType(Event.Type.AGENT_REMOVED)
          .setAgentRemoved(
              Event.AgentRemoved.newBuilder()
                  .setAgentId(AgentID.newBuilder().setValue(happening.agent().id())));
    }
  }
}
