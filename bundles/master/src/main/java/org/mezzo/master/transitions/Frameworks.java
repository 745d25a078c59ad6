package org.mezzo.master.transitions;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.ShutdownFramework;
import org.mezzo.link.messages.UpdateFramework;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.Happening;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Removal;
import org.mezzo.master.state.Task;
import org.mezzo.master.state.TaskStates;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.TaskStatus;
import org.mezzo.protocol.v1.scheduler.Event;

/** Subscription, update, disconnection and removal of frameworks (rules 22 to 42). */
public final class Frameworks {
  private Frameworks() {}

  /**
   * SUBSCRIBE on a stream that is open already; whatever is wrong is told by one ERROR event, after
   * which the stream ends (rule 26).
   *
   * @param refusal what the authorizer had against it
   */
  public static void subscribe(
      Transition tx, Subscribing request, String streamId, Optional<String> refusal) {
    FrameworkInfo info = request.info();
    String id = info.hasId() ? info.getId().getValue() : "";
    Framework known = id.isEmpty() ? null : tx.framework(id);
    Framework gone = leaving(known) ? known : tx.state().completed(id).orElse(null);
    Optional<String> problem =
        request
            .problem()
            .or(() -> flagProblem(tx, request))
            .or(
                () ->
                    gone == null || RemovedFrameworks.readmitted(gone)
                        ? Optional.empty()
                        : Optional.of(
                            refusal.isPresent() || principalProblem(gone, info).isPresent()
                                ? RemovedFrameworks.REMOVED
                                : RemovedFrameworks.explained(gone)))
            .or(request::laterProblem)
            .or(() -> refusal)
            .or(() -> principalProblem(known != null ? known : gone, info));
    if (problem.isPresent()) {
      fail(tx, streamId, problem.get());
    } else if (known == null) {
      admit(tx, request, id, streamId);
    } else {
      resume(tx, request, known, streamId);
    }
  }

  private static boolean leaving(Framework known) {
    return known != null && known.phase() == Framework.Phase.LEAVING;
  }

  private static void fail(Transition tx, String streamId, String message) {
    tx.effect(new Effect.Send(streamId, error(message)));
    tx.effect(new Effect.EndStream(streamId));
  }

  static Event error(String message) {
    return Event.newBuilder()
        .setType(Event.Type.ERROR)
        .setError(Event.Error.newBuilder().setMessage(message))
        .build();
  }

  private static Optional<String> flagProblem(Transition tx, Subscribing request) {
    Set<String> strange = new HashSet<>(request.subscription().roles());
    strange.removeIf(tx.settings().frameworks()::welcomes);
    if (!strange.isEmpty()) {
      return Optional.of(
          "Roles " + Roles.shown(strange) + " are not present in the master's --roles");
    }
    if (!tx.settings().frameworks().rootSubmissions() && request.root()) {
      return Optional.of(
          "User '"
              + request.info().getUser()
              + "' is not allowed to run frameworks without --root_submissions set");
    }
    return Optional.empty();
  }

  private static Optional<String> principalProblem(Framework known, FrameworkInfo info) {
    return known == null
            || known.info().getPrincipal().equals(info.getPrincipal())
                && known.info().hasPrincipal() == info.hasPrincipal()
        ? Optional.empty()
        : Optional.of("Changing framework's principal is not allowed.");
  }

  private static void admit(Transition tx, Subscribing request, String givenId, String streamId) {
    String id = givenId;
    if (id.isEmpty()) {
      Map.Entry<String, MasterState> next = tx.state().newFrameworkId();
      id = next.getKey();
      tx.become(next.getValue());
    }
    FrameworkInfo info =
        request.info().toBuilder().setId(FrameworkID.newBuilder().setValue(id)).build();
    Framework framework =
        tx.state()
            .completed(id)
            .map(gone -> gone.returned(info, request.subscription(), streamId, tx.now()))
            .orElseGet(
                () ->
                    Framework.of(
                        info.getId().getValue(),
                        info,
                        request.subscription(),
                        Framework.Phase.ACTIVE,
                        streamId,
                        tx.now()));
    tx.become(tx.state().withoutCompleted(id));
    tx.put(framework);
    greet(tx, framework);
    tx.tell("frameworkAdded", it -> it.frameworkAdded(Holdings.frameworkState(framework)));
    tx.allocate();
    tx.happened(new Happening.FrameworkAdded(framework));
  }

  private static void resume(Transition tx, Subscribing request, Framework known, String streamId) {
    boolean wasActive = known.active();
    boolean first = known.phase() == Framework.Phase.RECOVERED;
    tx.callOff(timer(known.id()));
    if (known.connected()) {
      tx.effect(new Effect.Send(known.streamId(), error("Framework failed over")));
      tx.effect(new Effect.EndStream(known.streamId()));
    }
    Offers.withdrawAll(tx, known, Turns::end);
    FrameworkInfo info =
        request.info().toBuilder()
            .setUser(known.info().getUser())
            .setCheckpoint(known.info().getCheckpoint())
            .build();
    replace(tx, known.id(), info, request.subscription());
    Framework connected = tx.framework(known.id()).connect(streamId, tx.now(), first);
    tx.put(connected);
    greet(tx, connected);
    tx.tell("frameworkUpdated", it -> it.frameworkUpdated(Holdings.frameworkState(connected)));
    if (!wasActive) {
      tx.allocate();
    }
    informAgents(tx, connected);
    tx.happened(new Happening.FrameworkUpdated(connected));
  }

  private static void greet(Transition tx, Framework framework) {
    tx.effect(new Effect.BindStream(framework.streamId(), framework.id()));
    tx.send(
        framework,
        Event.newBuilder()
            .setType(Event.Type.SUBSCRIBED)
            .setSubscribed(
                Event.Subscribed.newBuilder()
                    .setFrameworkId(framework.info().getId())
                    .setHeartbeatIntervalSeconds(
                        tx.settings().frameworks().heartbeatInterval().toMillis() / 1e3)
                    .setMasterInfo(tx.state().self()))
            .build());
    tx.effect(new Effect.Heartbeat(framework.streamId()));
  }

  /** Replaces info and subscription; offers and filters of dropped roles go (rule 35). */
  private static void replace(
      Transition tx, String id, FrameworkInfo info, Framework.Subscription subscription) {
    Framework before = tx.framework(id);
    Set<String> dropped = new TreeSet<>(before.subscription().roles());
    dropped.removeAll(subscription.roles());
    Set<String> revived = new TreeSet<>(before.subscription().suppressed());
    revived.removeAll(subscription.suppressed());
    revived.retainAll(subscription.roles());
    if (!dropped.isEmpty()) {
      Offers.rescindInTurns(
          tx,
          tx.state().ledger().offersTo(id).stream()
              .filter(offerId -> dropped.contains(tx.state().offers().get(offerId).role()))
              .toList());
    }
    Set<String> unfiltered = new TreeSet<>(dropped);
    unfiltered.addAll(revived);
    if (!unfiltered.isEmpty()) {
      Offers.removeFilters(tx, id, Set.copyOf(unfiltered));
    }
    tx.put(tx.framework(id).with(info, subscription));
  }

  /**
   * What is wrong with an UPDATE_FRAMEWORK (rule 36), leaving permission aside; empty when nothing
   * is.
   */
  public static Optional<String> updateProblem(Transition tx, String id, Subscribing request) {
    Framework known = tx.framework(id);
    return request
        .problem()
        .or(() -> flagProblem(tx, request))
        .map(text -> "'FrameworkInfo' is not valid: " + text)
        .or(
            () ->
                request.laterProblem().map(text -> "'UpdateFramework' call is not valid: " + text))
        .or(
            () ->
                immutableProblem(known.info(), request.info())
                    .map(text -> "FrameworkInfo update is not valid: " + text));
  }

  /** Carries out an UPDATE_FRAMEWORK with which nothing is wrong (rule 36). */
  public static void update(Transition tx, String id, Subscribing request) {
    Framework known = tx.framework(id);
    boolean changed = !known.info().equals(request.info());
    replace(tx, id, request.info(), request.subscription());
    Framework updated = tx.framework(id);
    tx.tell("frameworkUpdated", it -> it.frameworkUpdated(Holdings.frameworkState(updated)));
    if (changed) {
      informAgents(tx, updated);
      tx.happened(new Happening.FrameworkUpdated(updated));
    }
  }

  private static Optional<String> immutableProblem(FrameworkInfo before, FrameworkInfo after) {
    if (!before.getPrincipal().equals(after.getPrincipal())) {
      return Optional.of("Changing framework's principal is not allowed.");
    }
    if (!before.getUser().equals(after.getUser())) {
      return Optional.of(unsupported("user", before.getUser(), after.getUser()));
    }
    if (before.getCheckpoint() != after.getCheckpoint()) {
      return Optional.of(
          unsupported(
              "checkpoint",
              String.valueOf(before.getCheckpoint()),
              String.valueOf(after.getCheckpoint())));
    }
    return Optional.empty();
  }

  private static String unsupported(String field, String before, String after) {
    return "Updating 'FrameworkInfo."
        + field
        + "' is unsupported; attempted to update from '"
        + before
        + "' to '"
        + after
        + "'";
  }

  private static Set<String> agentsOf(Transition tx, Framework framework) {
    Set<String> agents = new LinkedHashSet<>(tx.state().ledger().agentsOf(framework.id()));
    agents.addAll(framework.executors().keySet());
    framework.tasks().values().forEach(task -> agents.add(task.agentId()));
    return agents;
  }

  /**
   * Sends to those of some agents that are registered; to many of them in several turns.
   *
   * @param event made for each from what the framework is by then
   */
  private static void tellAgents(
      Transition tx,
      String frameworkId,
      Set<String> agents,
      Function<Framework, MasterEvent.Builder> event,
      Step then) {
    Turns.each(
        tx,
        List.copyOf(agents),
        (now, agentId) -> {
          Framework framework = now.framework(frameworkId);
          Agent agent = now.agent(agentId);
          if (framework != null && agent != null) {
            now.send(agent, event.apply(framework));
          }
        },
        then);
  }

  private static void informAgents(Transition tx, Framework framework) {
    tellAgents(
        tx,
        framework.id(),
        agentsOf(tx, framework),
        present ->
            MasterEvent.newBuilder()
                .setUpdateFramework(UpdateFramework.newBuilder().setFramework(present.info())),
        Turns::end);
  }

  /** The stream of a framework is gone (rule 39). */
  public static void disconnected(Transition tx, String frameworkId, String streamId) {
    Framework framework = tx.framework(frameworkId);
    if (framework == null || !framework.streamId().equals(streamId)) {
      return;
    }
    Offers.withdrawAll(tx, framework, Turns::end);
    Framework lost = tx.framework(frameworkId).disconnect(tx.now());
    tx.put(lost);
    Offers.removeFilters(tx, frameworkId, Set.of());
    tx.tell("frameworkUpdated", it -> it.frameworkUpdated(Holdings.frameworkState(lost)));
    tx.happened(new Happening.FrameworkUpdated(lost));
    Instant since = lost.reregistered();
    double seconds = Math.max(0, lost.info().getFailoverTimeout());
    tx.after(
        timer(frameworkId),
        Duration.ofNanos((long) Math.min(seconds * 1e9, Long.MAX_VALUE / 2)),
        later -> failoverExpired(later, frameworkId, since));
  }

  private static String timer(String frameworkId) {
    return "failover of framework " + frameworkId;
  }

  private static void failoverExpired(Transition tx, String frameworkId, Instant since) {
    Framework framework = tx.framework(frameworkId);
    if (framework != null
        && framework.phase() == Framework.Phase.DISCONNECTED
        && framework.reregistered().equals(since)) {
      remove(tx, framework, Removal.by(Removal.Cause.FAILOVER_TIMEOUT), Turns::end);
    }
  }

  /** TEARDOWN by the framework itself (rule 41). */
  public static void remove(Transition tx, Framework framework) {
    remove(tx, framework, Removal.by(Removal.Cause.FRAMEWORK), Turns::end);
  }

  /**
   * TEARDOWN by call, operator or timeout (rule 41).
   *
   * @param removal how it came to it
   * @param then follows when nothing of it is left; of a large framework in a later turn
   */
  public static void remove(Transition tx, Framework framework, Removal removal, Step then) {
    String id = framework.id();
    tx.callOff(timer(id));
    Set<String> agents = agentsOf(tx, framework);
    Framework leaving = framework.leave(removal);
    tx.put(leaving);
    tx.tell("frameworkUpdated", it -> it.frameworkUpdated(Holdings.frameworkState(leaving)));
    for (var key : List.copyOf(tx.state().pendingTasks().keySet())) {
      if (key.frameworkId().equals(id)) {
        tx.become(tx.state().withPendingTasks(tx.state().pendingTasks().minus(key)));
      }
    }
    if (framework.connected()) {
      tx.effect(new Effect.EndStream(framework.streamId()));
    }
    tellAgents(
        tx,
        id,
        agents,
        present ->
            MasterEvent.newBuilder()
                .setShutdownFramework(
                    ShutdownFramework.newBuilder()
                        .setFrameworkId(FrameworkID.newBuilder().setValue(id))),
        last -> Offers.withdrawAll(last, leaving, later -> endTasks(later, id, then)));
  }

  private static void endTasks(Transition tx, String id, Step then) {
    Turns.each(
        tx,
        List.copyOf(tx.framework(id).tasks().keySet()),
        (now, taskId) -> {
          Task task = now.framework(id).tasks().get(taskId);
          if (task != null) {
            end(now, task);
          }
        },
        later -> endExecutors(later, id, then));
  }

  private static void end(Transition tx, Task task) {
    if (TaskStates.terminal(task.state())) {
      Holdings.complete(tx, task);
      return;
    }
    TaskStatus status =
        Statuses.make(
                tx.now(),
                task.id(),
                task.agentId(),
                TaskState.TASK_KILLED,
                TaskStatus.Reason.REASON_FRAMEWORK_REMOVED,
                "Framework " + task.frameworkId() + " removed")
            .build();
    Holdings.complete(tx, Statuses.record(tx, task, status, TaskState.TASK_KILLED));
  }

  private static void endExecutors(Transition tx, String id, Step then) {
    List<Executor> executors = new ArrayList<>();
    tx.framework(id).executors().values().forEach(there -> executors.addAll(there.values()));
    Turns.each(
        tx,
        executors,
        (now, executor) -> {
          Executor present = now.framework(id).executorsOn(executor.agentId()).get(executor.id());
          if (present != null) {
            Holdings.remove(now, present);
          }
        },
        later -> forget(later, id, then));
  }

  private static void forget(Transition tx, String id, Step then) {
    Turns.each(
        tx,
        List.copyOf(tx.state().ledger().agentsOf(id)),
        (now, agentId) ->
            Holdings.release(now, id, agentId, now.state().account(agentId).allocatedTo(id)),
        last -> forgotten(last, id, then));
  }

  private static void forgotten(Transition tx, String id, Step then) {
    tx.become(tx.state().with(tx.state().filters().without(id)));
    Reclaiming.forgetFramework(tx, id);
    AgentOperations.frameworkRemoved(tx, id);
    Framework removed = tx.framework(id).unregister(tx.now());
    tx.become(tx.state().complete(removed));
    tx.tell("frameworkRemoved", it -> it.frameworkRemoved(id));
    tx.happened(new Happening.FrameworkRemoved(removed));
    then.apply(tx);
  }
}
