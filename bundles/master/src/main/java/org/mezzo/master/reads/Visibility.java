package org.mezzo.master.reads;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.mezzo.api.allocator.Quota;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Task;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.Resources;

/**
 * What one principal may see: frameworks by their user, tasks and executors by the user that they
 * run as, roles by name, flags. Asks about each object when it comes to it, which never waits; good
 * for one request, and {@link #lasting} for longer.
 */
public final class Visibility {
  /** Sees everything: nobody demands authorization. */
  public static final Visibility ALL = new Visibility(ObjectApprovers.ALL);

  private static final int FINGERPRINT_BYTES = 16;

  private final ObjectApprovers approvers;

  /**
   * What each action was approved about: frameworks by id, tasks and executors by framework and
   * user, names of roles, of flags the empty name. Empty while the approvers are asked.
   */
  private final Map<Action, Set<String>> decisions;

  private Visibility(ObjectApprovers approvers) {
    this(approvers, Map.of());
  }

  private Visibility(ObjectApprovers approvers, Map<Action, Set<String>> decisions) {
    this.approvers = approvers;
    this.decisions = decisions;
  }

  /** What these approve. */
  static Visibility of(ObjectApprovers approvers) {
    return approvers.limited() ? new Visibility(approvers) : ALL;
  }

  /**
   * What may be seen of a state, for longer than a request: a stream of events goes by what was
   * decided when it began. Of users and roles that come later nothing is seen, and of a user only
   * what may be seen of each of the frameworks that he has now.
   */
  public Visibility lasting(MasterState state) {
    if (!approvers.limited()) {
      return this;
    }
    Accounts accounts = Accounts.of(state);
    Map<Action, Map<String, Boolean>> users = new EnumMap<>(Action.class);
    frameworks(state)
        .forEach(
            framework -> {
              String own = framework.info().getUser();
              judge(users, Action.VIEW_FRAMEWORK, framework, Set.of(own));
              // Tasks and executors that come are most likely to be the framework's own user's.
              judge(
                  users, Action.VIEW_TASK, framework, with(accounts.tasks(), framework.id(), own));
              judge(
                  users,
                  Action.VIEW_EXECUTOR,
                  framework,
                  with(accounts.executors(), framework.id(), own));
            });
    Map<Action, Set<String>> approved = new EnumMap<>(Action.class);
    users.forEach(
        (action, answers) -> {
          answers.values().removeIf(yes -> !yes);
          approved.put(action, answers.keySet());
        });
    Set<String> roles = new HashSet<>(Roles.names(state));
    roles.removeIf(role -> !role(role));
    approved.put(Action.VIEW_ROLE, roles);
    return new Visibility(
        ObjectApprovers.of(
            approved.keySet(),
            (action, object) -> approved.get(action).contains(object.value().orElse(""))));
  }

  /**
   * The same with everything asked now that can be asked about a state, so that the approvers are
   * not needed any more. Equal to others that are decided about the same state when exactly the
   * same is to be seen, whoever it was decided for.
   *
   * @param accounts of that state
   */
  Visibility decided(MasterState state, Accounts accounts) {
    if (!approvers.limited()) {
      return this;
    }
    Map<Action, Set<String>> approved = new EnumMap<>(Action.class);
    Set<String> ids = new TreeSet<>();
    Set<String> tasks = new TreeSet<>();
    Set<String> executors = new TreeSet<>();
    frameworks(state)
        .filter(this::framework)
        .forEach(
            framework -> {
              String id = framework.id();
              ids.add(id);
              accounts.tasks().getOrDefault(id, Set.of()).stream()
                  .filter(user -> asked(Action.VIEW_TASK, framework, user))
                  .forEach(user -> tasks.add(key(framework, user)));
              accounts.executors().getOrDefault(id, Set.of()).stream()
                  .filter(user -> asked(Action.VIEW_EXECUTOR, framework, user))
                  .forEach(user -> executors.add(key(framework, user)));
            });
    approved.put(Action.VIEW_FRAMEWORK, ids);
    approved.put(Action.VIEW_TASK, tasks);
    approved.put(Action.VIEW_EXECUTOR, executors);
    Set<String> roles = new TreeSet<>(Roles.names(state));
    roles.removeIf(role -> !role(role));
    approved.put(Action.VIEW_ROLE, roles);
    approved.put(Action.GET_QUOTA, new TreeSet<>(quotas(state.quotas()).keySet()));
    approved.put(Action.VIEW_FLAGS, flags() ? Set.of("") : Set.of());
    approved.put(Action.GET_MAINTENANCE_SCHEDULE, schedule() ? Set.of("") : Set.of());
    approved.put(Action.GET_MAINTENANCE_STATUS, maintenance() ? Set.of("") : Set.of());
    return new Visibility(
        ObjectApprovers.of(
            approved.keySet(),
            (action, object) -> approved.get(action).contains(object.value().orElse(""))),
        approved);
  }

  /** A short text that differs where what was decided differs, and tells nothing of it. */
  String fingerprint(String salt) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
    digest.update(salt.getBytes(StandardCharsets.UTF_8));
    // Lengths in front, so that no name can pass for the end of one set and the begin of the next.
    decisions.forEach(
        (action, names) -> {
          digest.update(
              (action.name() + ' ' + names.size() + '\n').getBytes(StandardCharsets.UTF_8));
          names.forEach(
              name -> digest.update((name.length() + " " + name).getBytes(StandardCharsets.UTF_8)));
        });
    return HexFormat.of().formatHex(digest.digest(), 0, FINGERPRINT_BYTES);
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof Visibility that
            && !decisions.isEmpty()
            && decisions.equals(that.decisions));
  }

  @Override
  public int hashCode() {
    return decisions.isEmpty() ? System.identityHashCode(this) : decisions.hashCode();
  }

  private static Stream<Framework> frameworks(MasterState state) {
    return Stream.concat(
        state.frameworks().values().stream(), state.completedFrameworks().stream());
  }

  private static Set<String> with(Map<String, Set<String>> accounts, String id, String own) {
    Set<String> all = new HashSet<>(accounts.getOrDefault(id, Set.of()));
    all.add(own);
    return all;
  }

  /** Asks about some users of a framework; who may not be seen of one may not be seen at all. */
  private void judge(
      Map<Action, Map<String, Boolean>> judged,
      Action action,
      Framework framework,
      Set<String> some) {
    Map<String, Boolean> users = judged.computeIfAbsent(action, unused -> new HashMap<>());
    some.forEach(user -> users.merge(user, asked(action, framework, user), Boolean::logicalAnd));
  }

  /** Stands for what runs as a user in a framework; no id has a line end. */
  private static String key(Framework framework, String user) {
    return framework.id() + '\n' + user;
  }

  private boolean asked(Action action, Framework framework, String user) {
    return approvers.approved(
        action, AuthorizationObject.builder().value(user).frameworkInfo(framework.info()).build());
  }

  private boolean approved(Action action, Framework framework, String user) {
    if (!approvers.limited()) {
      return true;
    }
    return decisions.isEmpty()
        ? asked(action, framework, user)
        : decisions.get(action).contains(key(framework, user));
  }

  /** Whether a framework is to be seen. */
  public boolean framework(Framework framework) {
    if (!approvers.limited()) {
      return true;
    }
    return decisions.isEmpty()
        ? asked(Action.VIEW_FRAMEWORK, framework, framework.info().getUser())
        : decisions.get(Action.VIEW_FRAMEWORK).contains(framework.id());
  }

  /** Whether a task is to be seen. */
  public boolean task(Framework framework, Task task) {
    return framework(framework)
        && approved(Action.VIEW_TASK, framework, Accounts.of(framework, task));
  }

  /** Those tasks of a framework that are to be seen, in their order. */
  public Collection<Task> tasks(Framework framework, Collection<Task> all) {
    if (!approvers.limited()) {
      return all;
    }
    if (!framework(framework)) {
      return List.of();
    }
    Map<String, Boolean> users = new HashMap<>();
    return all.stream()
        .filter(
            task ->
                users.computeIfAbsent(
                    Accounts.of(framework, task),
                    user -> approved(Action.VIEW_TASK, framework, user)))
        .toList();
  }

  /** Whether an executor is to be seen. */
  public boolean executor(Framework framework, Executor executor) {
    return framework(framework)
        && approved(Action.VIEW_EXECUTOR, framework, Accounts.of(framework, executor));
  }

  /** Whether a role is to be seen. */
  public boolean role(String role) {
    return approvers.approved(Action.VIEW_ROLE, role);
  }

  /**
   * Without those that are reserved for, or allocated to, a role that is not to be seen; of refined
   * reservations every role counts.
   */
  public Resources resources(Resources all) {
    return approvers.limited()
        ? all.filter(
            resource ->
                resource.allocationRole().map(this::role).orElse(true)
                    && resource.kind().reservations().stream()
                        .allMatch(reservation -> role(reservation.role())))
        : all;
  }

  /** As {@link #resources(Resources)}, of a message in any format. */
  public boolean resource(Resource resource) {
    return !approvers.limited()
        || ((!resource.hasRole() || resource.getRole().equals("*") || role(resource.getRole()))
            && (!resource.hasAllocationInfo() || role(resource.getAllocationInfo().getRole()))
            && resource.getReservationsList().stream()
                .allMatch(reservation -> role(reservation.getRole())));
  }

  /** An agent without what is reserved for roles that are not to be seen. */
  public AgentInfo agent(AgentInfo info) {
    List<Resource> visible = info.getResourcesList().stream().filter(this::resource).toList();
    return visible.size() == info.getResourcesCount()
        ? info
        : info.toBuilder().clearResources().addAllResources(visible).build();
  }

  /** The roles that are to be seen, with what belongs to them. */
  public <T> Map<String, T> roles(Map<String, T> all) {
    return approvers.approved(Action.VIEW_ROLE, all);
  }

  /** The quotas that are to be seen, by role. */
  public Map<String, Quota> quotas(Map<String, Quota> all) {
    return approvers.approved(Action.GET_QUOTA, all);
  }

  /** Whether the flags of the daemon are to be seen. */
  public boolean flags() {
    return approvers.approved(Action.VIEW_FLAGS);
  }

  /** Whether it is to be seen when machines are maintained. */
  public boolean schedule() {
    return approvers.approved(Action.GET_MAINTENANCE_SCHEDULE);
  }

  /** Whether it is to be seen how machines stand that are maintained. */
  public boolean maintenance() {
    return approvers.approved(Action.GET_MAINTENANCE_STATUS);
  }
}
