package org.mezzo.master.election;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.StateListener;
import org.mezzo.master.state.TaskStates;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.OfferID;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;

/**
 * The numbers of each framework under {@code master/frameworks/<name>/<id>/}, from its first
 * subscription until it drops out of the completed frameworks, and no longer than the term. All
 * names are there from the start. Called on the event loop.
 */
public final class FrameworkMetrics implements StateListener, AutoCloseable {
  private static final String FRAMEWORKS = "master/frameworks/";

  private static final Map<TaskState, String> ACTIVE =
      Map.of(
          TaskState.TASK_STAGING, "task_staging",
          TaskState.TASK_STARTING, "task_starting",
          TaskState.TASK_RUNNING, "task_running",
          TaskState.TASK_KILLING, "task_killing");

  private static final int REMOVED_AT_ONCE = 100;

  private final EventLoop loop;
  private final MetricsRegistry metrics;
  private final Supplier<MasterState> state;
  private final Map<String, Numbers> known = new HashMap<>();

  /** Removed frameworks in the order in which they drop out of the history, too. */
  private final ArrayDeque<String> leaving = new ArrayDeque<>();

  /**
   * Measures nobody yet.
   *
   * @param state the published root, read on any thread
   */
  public FrameworkMetrics(EventLoop loop, MetricsRegistry metrics, Supplier<MasterState> state) {
    this.loop = loop;
    this.metrics = metrics;
    this.state = state;
  }

  @Override
  public void published(MasterState before, MasterState after, List<Happening> happenings) {
    Counting counting = new Counting(before, after);
    happenings.forEach(happening -> happening.accept(counting));
  }

  /** Counts what one transition brought. */
  private final class Counting implements Happening.Visitor {
    private final MasterState before;
    private final MasterState after;

    Counting(MasterState before, MasterState after) {
      this.before = before;
      this.after = after;
    }

    @Override
    public void taskAdded(Happening.TaskAdded happening) {}

    @Override
    public void taskUpdated(Happening.TaskUpdated happening) {
      ended(before, happening);
    }

    @Override
    public void frameworkAdded(Happening.FrameworkAdded happening) {
      // One that was readmitted does not drop out of the history any more.
      leaving.remove(happening.framework().id());
      numbers(happening.framework()).roles(happening.framework());
    }

    @Override
    public void frameworkUpdated(Happening.FrameworkUpdated happening) {
      numbers(happening.framework()).roles(happening.framework());
    }

    @Override
    public void frameworkRemoved(Happening.FrameworkRemoved happening) {
      leaving.add(happening.framework().id());
      forget(after);
    }

    @Override
    public void agentAdded(Happening.AgentAdded happening) {}

    @Override
    public void agentRemoved(Happening.AgentRemoved happening) {}
  }

  /** Only what has dropped out of the history is looked at. */
  private void forget(MasterState after) {
    while (!leaving.isEmpty() && forgotten(after, leaving.peek())) {
      Numbers numbers = known.remove(leaving.poll());
      if (numbers != null) {
        metrics.removeScope(numbers.prefix);
      }
    }
  }

  private static boolean forgotten(MasterState after, String id) {
    return !after.frameworks().containsKey(id) && !after.isCompleted(id);
  }

  private void ended(MasterState before, Happening.TaskUpdated updated) {
    TaskState now = updated.task().state();
    if (!TaskStates.terminal(now)) {
      return;
    }
    Framework framework = before.frameworks().get(updated.task().frameworkId());
    if (framework == null) {
      return;
    }
    var earlier = framework.tasks().get(updated.task().id());
    if (earlier == null || !TaskStates.terminal(earlier.state())) {
      numbers(framework).count("tasks/terminal/" + lower(now));
    }
  }

  /** A known framework made a call, which may still be refused. */
  public void called(Framework framework, Call.Type type) {
    Numbers numbers = numbers(framework);
    numbers.count("calls");
    numbers.count("calls/" + lower(type));
  }

  /** A call is about to be carried out; the offers of the root are those it finds. */
  public void beginning(MasterState state, Framework framework, Call call) {
    switch (call.getType()) {
      case ACCEPT -> {
        Numbers numbers = numbers(framework);
        numbers.add("offers/accepted", own(state, framework, call.getAccept().getOfferIdsList()));
        for (Offer.Operation operation : call.getAccept().getOperationsList()) {
          if (operation.getType() != Offer.Operation.Type.UNKNOWN) {
            // Each task of a LAUNCH is an operation of its own here.
            long count =
                operation.getType() == Offer.Operation.Type.LAUNCH
                    ? operation.getLaunch().getTaskInfosCount()
                    : 1;
            numbers.add("operations", count);
            numbers.add("operations/" + lower(operation.getType()), count);
          }
        }
      }
      case DECLINE ->
          numbers(framework)
              .add("offers/declined", own(state, framework, call.getDecline().getOfferIdsList()));
      default -> {}
    }
  }

  private static long own(MasterState state, Framework framework, List<OfferID> ids) {
    return ids.stream()
        .map(OfferID::getValue)
        .filter(state.ledger().offersTo(framework.id())::contains)
        .count();
  }

  /** An event went to a framework's stream. */
  public void sent(String frameworkId, Event event) {
    Numbers numbers = known.get(frameworkId);
    if (numbers == null) {
      return;
    }
    numbers.count("events");
    numbers.count("events/" + lower(event.getType()));
    switch (event.getType()) {
      case OFFERS -> numbers.add("offers/sent", event.getOffers().getOffersCount());
      case RESCIND -> numbers.count("offers/rescinded");
      case SUBSCRIBED -> {
        numbers.count("calls");
        numbers.count("calls/subscribe");
      }
      default -> {}
    }
  }

  /** Takes all numbers away, those of many frameworks in several turns of the loop. */
  @Override
  public void close() {
    loop.executeEach(
        known.values(), REMOVED_AT_ONCE, numbers -> metrics.removeScope(numbers.prefix));
    known.clear();
    leaving.clear();
  }

  private Numbers numbers(Framework framework) {
    return known.computeIfAbsent(framework.id(), id -> new Numbers(framework));
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  /** Those of one framework. */
  private final class Numbers {
    private final String id;
    private final String prefix;
    private final MetricsRegistry own;
    private final Map<String, Metrics.Counter> counters = new HashMap<>();
    private final Set<String> roles = new HashSet<>();

    Numbers(Framework framework) {
      id = framework.id();
      prefix =
          FRAMEWORKS
              + URLEncoder.encode(framework.info().getName(), StandardCharsets.UTF_8)
                  .replace("+", "%20")
              + "/"
              + id
              + "/";
      own =
          metrics.scope(
              prefix,
              FRAMEWORKS,
              Map.of("framework_name", framework.info().getName(), "framework_id", id));
      gauge("subscribed", known -> known.connected() ? 1 : 0);
      add("calls", 0);
      for (Call.Type type : Call.Type.values()) {
        if (type != Call.Type.UNKNOWN) {
          add("calls/" + lower(type), 0);
        }
      }
      add("events", 0);
      for (Event.Type type : Event.Type.values()) {
        if (type != Event.Type.UNKNOWN) {
          add("events/" + lower(type), 0);
        }
      }
      for (String fate : new String[] {"sent", "accepted", "declined", "rescinded"}) {
        add("offers/" + fate, 0);
      }
      gauge("mezzo/offers_refused_in_a_row", known -> known.refusals().offers());
      add("operations", 0);
      for (Offer.Operation.Type type : Offer.Operation.Type.values()) {
        if (type != Offer.Operation.Type.UNKNOWN) {
          add("operations/" + lower(type), 0);
        }
      }
      ACTIVE.forEach(
          (wanted, name) -> gauge("tasks/active/" + name, known -> known.counts().in(wanted)));
      // No task that the master has is unknown to it.
      gauge("tasks/active/task_unknown", known -> 0);
      gauge("tasks/active/task_unreachable", known -> known.unreachableTasks().size());
      for (TaskState end : TaskState.values()) {
        if (TaskStates.terminal(end)) {
          add("tasks/terminal/" + lower(end), 0);
        }
      }
    }

    private void roles(Framework framework) {
      roles.removeIf(
          role -> {
            boolean gone = !framework.subscription().roles().contains(role);
            if (gone) {
              own.remove("roles/" + role + "/suppressed");
            }
            return gone;
          });
      for (String role : framework.subscription().roles()) {
        if (roles.add(role)) {
          gauge(
              "roles/" + role + "/suppressed",
              known -> known.subscription().suppressed().contains(role) ? 1 : 0);
        }
      }
    }

    private void count(String name) {
      add(name, 1);
    }

    private void add(String name, long by) {
      counters.computeIfAbsent(name, own::counter).add(by);
    }

    private void gauge(String name, ToDoubleFunction<Framework> value) {
      own.gauge(
          name,
          () -> {
            Framework now = state.get().frameworks().get(id);
            return now == null ? 0 : value.applyAsDouble(now);
          });
    }
  }
}
