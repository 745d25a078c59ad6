package org.mezzo.containerizer.processes;

import java.util.ArrayList;
import java.util.List;

/**
 * The states of one container, what may happen in each of them, and what is then to be done. Does
 * nothing itself and knows no clock, thread or process; belongs to the loop.
 *
 * <p>A launch goes from {@code NEW} to {@code RUNNING}, one step at a time, whose end comes back as
 * an event. From any state on the way a container may come to be {@code DESTROYING}: the step under
 * way is cancelled and waited for, the containers in it are destroyed, then its processes killed,
 * isolators clean up, and its files go. What happens where nothing is said of it changes nothing.
 */
final class Lifecycle {
  /** How far a container is. */
  enum State {
    /** Its place in the tree is taken. */
    NEW,
    /** Its account is looked up and its sandbox made. */
    PROVISIONING,
    /** The URIs of its command are on their way. */
    FETCHING,
    /** Its sandbox is filled; isolators are asked how to launch it. */
    PREPARED,
    /** The launcher makes its first process, which waits if it is to be isolated. */
    CREATED,
    /** Isolators are told of the process, which waits. */
    ISOLATING,
    /** The process has been let go. */
    RUNNING,
    /** What there is of it is taken away. */
    DESTROYING,
    /** Nothing is left of it but how it ended. */
    EXITED,
    /** Nothing is left. */
    REMOVED
  }

  /** What happens to a container. */
  enum Event {
    /** It is to be launched. */
    LAUNCH,
    /** Its sandbox is there. */
    PROVISIONED,
    /** What its command needs is there. */
    FETCHED,
    /** Isolators have said how to launch it. */
    PLANNED,
    /** The launcher is being asked: from now on there may be a process. */
    SPAWNED,
    /** The first process exists. */
    STARTED,
    /** Isolators have done what they do. */
    ISOLATED,
    /** The step under way failed. In {@code CREATED}: no process came of it. */
    FAILED,
    /** The first process ended. */
    ENDED,
    /** It is to go. */
    DESTROY,
    /** No container in it is left. */
    CHILDREN_GONE,
    /** No process of it is left. */
    EMPTY,
    /** Isolators have cleaned up. */
    CLEANED,
    /** Its files are deleted. */
    DELETED,
    /** How it ended is of no interest any more. */
    DISCARD
  }

  /** What is to be done, in the order of the list that an event is answered with. */
  enum Effect {
    /** Look up the account, make the sandbox. */
    PROVISION,
    /** Fetch the URIs. */
    FETCH,
    /** Ask isolators. */
    PREPARE,
    /** Ask the launcher for the first process. */
    SPAWN,
    /** Tell isolators of the process. */
    ISOLATE,
    /** Tell whoever launched it that it runs. */
    ANNOUNCE,
    /** Let the process go. */
    RELEASE,
    /** Have the step under way end soon; its end is still an event. */
    CANCEL,
    /** Destroy the containers in it. */
    DESTROY_CHILDREN,
    /** Kill its processes until there are none. */
    KILL,
    /** Have isolators clean up, the last one first. */
    CLEAN,
    /** Tell whoever waits how it ended. */
    REPORT,
    /** Delete its files and its cgroup. */
    DELETE,
    /** Tell whoever waits that nothing of it is left. */
    FINISH,
    /** Take it out of the tree. */
    FORGET
  }

  private final boolean kept;
  private State state = State.NEW;
  private boolean held;

  /** It has no process of its own. */
  private boolean enclosure;

  /** A step of the launch is under way, whose end will be an event. */
  private boolean step;

  /** There are containers in it. */
  private boolean children;

  /** There may be processes. */
  private boolean process;

  /** The first process was seen. */
  private boolean started;

  /** It was let go, so that how it ended is worth keeping. */
  private boolean ran;

  private boolean cleaning;
  private boolean cleaned;

  /**
   * A container to come.
   *
   * @param kept whether how it ends is kept once it has run
   */
  Lifecycle(boolean kept) {
    this.kept = kept;
  }

  /**
   * A container of an earlier agent.
   *
   * @param at where it goes on: {@code PREPARED} (nothing runs, isolators may have been asked),
   *     {@code CREATED} (its process may wait), {@code RUNNING}, {@code DESTROYING} (nothing but
   *     its files may be left) or {@code EXITED}
   * @param ran whether it was let go
   */
  static Lifecycle recovered(State at, boolean kept, boolean ran) {
    Lifecycle life = new Lifecycle(kept);
    life.state = at;
    life.process = at == State.CREATED || at == State.RUNNING;
    life.cleaning = at == State.DESTROYING;
    life.ran = ran;
    return life;
  }

  State state() {
    return state;
  }

  /** Whether its process waits until isolators have it; to be known before it is made. */
  void hold(boolean waits) {
    held = waits;
  }

  boolean held() {
    return held;
  }

  /** Whether it was let go. */
  boolean ran() {
    return ran;
  }

  /** It has no process: it runs at once, until it is to go. */
  void enclose() {
    enclosure = true;
    process = false;
  }

  /** There is a container in it. */
  void parent() {
    children = true;
  }

  boolean launching() {
    return state.compareTo(State.RUNNING) < 0;
  }

  /** Whether isolators have nothing to add any more. */
  boolean cleaned() {
    return cleaned;
  }

  /** Whether nothing of it is left but how it ended. */
  boolean over() {
    return state == State.EXITED || state == State.REMOVED;
  }

  /** What is to be done because of what happened. */
  List<Effect> apply(Event event) {
    if (event == Event.CHILDREN_GONE) {
      children = false;
    }
    return switch (state) {
      case NEW ->
          switch (event) {
            case LAUNCH -> enclosure ? run() : begin(State.PROVISIONING, Effect.PROVISION);
            case FAILED, DESTROY -> destroy();
            default -> List.of();
          };
      case PROVISIONING -> launching(event, Event.PROVISIONED, State.FETCHING, Effect.FETCH);
      case FETCHING -> launching(event, Event.FETCHED, State.PREPARED, Effect.PREPARE);
      case PREPARED -> launching(event, Event.PLANNED, State.CREATED, Effect.SPAWN);
      case CREATED -> created(event);
      case ISOLATING ->
          switch (event) {
            case ISOLATED -> {
              step = false;
              yield run(Effect.RELEASE);
            }
            default -> launching(event, null, null, null);
          };
      case RUNNING ->
          switch (event) {
            case ENDED -> reported(destroy());
            case DESTROY -> destroy();
            default -> List.of();
          };
      case DESTROYING -> destroying(event);
      case EXITED -> {
        if (event != Event.DISCARD) {
          yield List.of();
        }
        state = State.REMOVED;
        yield List.of(Effect.FORGET);
      }
      case REMOVED -> List.of();
    };
  }

  private List<Effect> begin(State next, Effect first) {
    state = next;
    step = true;
    return List.of(first);
  }

  /** A step that ends with an event, after which the next one begins. */
  private List<Effect> launching(Event event, Event end, State next, Effect first) {
    if (event == end) {
      return begin(next, first);
    }
    return switch (event) {
      case FAILED -> {
        step = false;
        yield destroy();
      }
      case ENDED, DESTROY -> destroy();
      default -> List.of();
    };
  }

  private List<Effect> created(Event event) {
    switch (event) {
      case SPAWNED -> {
        step = false;
        process = true;
        return List.of();
      }
      case STARTED -> {
        step = false;
        process = true;
        started = true;
        return held ? begin(State.ISOLATING, Effect.ISOLATE) : run();
      }
      case FAILED -> {
        step = false;
        process = false;
        return destroy();
      }
      case ENDED, DESTROY -> {
        return destroy();
      }
      default -> {
        return List.of();
      }
    }
  }

  private List<Effect> run(Effect... more) {
    state = State.RUNNING;
    ran = true;
    List<Effect> effects = new ArrayList<>(List.of(Effect.ANNOUNCE));
    effects.addAll(List.of(more));
    return effects;
  }

  private static List<Effect> reported(List<Effect> effects) {
    List<Effect> all = new ArrayList<>(List.of(Effect.REPORT));
    all.addAll(effects);
    return all;
  }

  private List<Effect> destroy() {
    state = State.DESTROYING;
    List<Effect> effects = new ArrayList<>();
    if (step) {
      effects.add(Effect.CANCEL);
    }
    if (children) {
      effects.add(Effect.DESTROY_CHILDREN);
    } else if (process) {
      effects.add(Effect.KILL);
    }
    effects.addAll(clean());
    return effects;
  }

  private List<Effect> destroying(Event event) {
    switch (event) {
      case PROVISIONED, FETCHED, PLANNED, ISOLATED -> step = false;
      case STARTED -> started = true;
      case FAILED -> {
        step = false;
        process &= started;
      }
      case SPAWNED -> {
        if (cleaning) {
          return List.of();
        }
        step = false;
        process = true;
        return children ? List.of() : List.of(Effect.KILL);
      }
      case CHILDREN_GONE -> {
        if (process) {
          return List.of(Effect.KILL);
        }
      }
      case EMPTY -> process = false;
      case CLEANED -> {
        if (!cleaning || cleaned) {
          return List.of();
        }
        cleaned = true;
        return List.of(Effect.REPORT, Effect.DELETE);
      }
      case DELETED -> {
        if (!cleaned) {
          return List.of();
        }
        state = kept && ran ? State.EXITED : State.REMOVED;
        return state == State.EXITED
            ? List.of(Effect.FINISH)
            : List.of(Effect.FORGET, Effect.FINISH);
      }
      default -> {
        return List.of();
      }
    }
    return clean();
  }

  /** Once nothing of it moves any more. */
  private List<Effect> clean() {
    if (step || children || process || cleaning) {
      return List.of();
    }
    cleaning = true;
    return List.of(Effect.CLEAN);
  }
}
