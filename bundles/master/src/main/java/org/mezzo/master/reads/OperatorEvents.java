package org.mezzo.master.reads;

import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.master.Event;

/**
 * What operators are told of one transition. What a subscriber may see decides which events it gets
 * and changes none of them: each is made and encoded once for all subscribers, when the first needs
 * it. Safe for any thread.
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
      if (visible(happenings.get(i), visibility)) {
        subscriber.accept(event(i));
      }
    }
  }

  private Encoded<Event> event(int index) {
    Encoded<Event> known = made.get(index);
    if (known != null) {
      return known;
    }
    synchronized (made) {
      known = made.get(index);
      if (known == null) {
        known = Encoded.of(event(happenings.get(index)));
        made.set(index, known);
      }
      return known;
    }
  }

  private boolean visible(Happening happening, Visibility visibility) {
    if (happening instanceof Happening.TaskAdded added) {
      return tasks(added.task().frameworkId(), visibility);
    } else if (happening instanceof Happening.TaskUpdated updated) {
      return tasks(updated.task().frameworkId(), visibility);
    } else if (happening instanceof Happening.FrameworkAdded added) {
      return visibility.framework(added.framework());
    } else if (happening instanceof Happening.FrameworkUpdated updated) {
      return visibility.framework(updated.framework());
    } else if (happening instanceof Happening.FrameworkRemoved removed) {
      return visibility.framework(removed.framework());
    }
    return true;
  }

  private boolean tasks(String frameworkId, Visibility visibility) {
    return state.framework(frameworkId).map(visibility::tasks).orElse(visibility == Visibility.ALL);
  }

  private Event event(Happening happening) {
    Event.Builder event = Event.newBuilder();
    if (happening instanceof Happening.TaskAdded added) {
      event
          .setType(Event.Type.TASK_ADDED)
          .setTaskAdded(Event.TaskAdded.newBuilder().setTask(added.task().message()));
    } else if (happening instanceof Happening.TaskUpdated updated) {
      event
          .setType(Event.Type.TASK_UPDATED)
          .setTaskUpdated(
              Event.TaskUpdated.newBuilder()
                  .setFrameworkId(FrameworkID.newBuilder().setValue(updated.task().frameworkId()))
                  .setStatus(updated.status())
                  .setState(updated.task().state()));
    } else if (happening instanceof Happening.FrameworkAdded added) {
      event
          .setType(Event.Type.FRAMEWORK_ADDED)
          .setFrameworkAdded(
              Event.FrameworkAdded.newBuilder()
                  .setFramework(OperatorMessages.announced(state, added.framework())));
    } else if (happening instanceof Happening.FrameworkUpdated updated) {
      event
          .setType(Event.Type.FRAMEWORK_UPDATED)
          .setFrameworkUpdated(
              Event.FrameworkUpdated.newBuilder()
                  .setFramework(OperatorMessages.announced(state, updated.framework())));
    } else if (happening instanceof Happening.FrameworkRemoved removed) {
      event
          .setType(Event.Type.FRAMEWORK_REMOVED)
          .setFrameworkRemoved(
              Event.FrameworkRemoved.newBuilder().setFrameworkInfo(removed.framework().info()));
    } else if (happening instanceof Happening.AgentAdded added) {
      event
          .setType(Event.Type.AGENT_ADDED)
          .setAgentAdded(
              Event.AgentAdded.newBuilder().setAgent(OperatorMessages.agent(added.agent())));
    } else if (happening instanceof Happening.AgentRemoved removed) {
      event
          .setType(Event.Type.AGENT_REMOVED)
          .setAgentRemoved(
              Event.AgentRemoved.newBuilder()
                  .setAgentId(AgentID.newBuilder().setValue(removed.agent().id())));
    }
    return event.build();
  }
}
