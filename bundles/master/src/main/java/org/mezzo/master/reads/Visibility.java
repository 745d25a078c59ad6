package org.mezzo.master.reads;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.Resources;

/**
 * What one principal may see: frameworks, tasks and executors by their framework and the user it
 * runs as, roles by name, flags. Asks about each object when it comes to it, which never waits;
 * good for one request, and {@link #lasting} for longer.
 */
public final class Visibility {
  /** Sees everything: nobody demands authorization. */
  public static final Visibility ALL = new Visibility(ObjectApprovers.ALL);

  private static final List<Action> OF_FRAMEWORKS =
      List.of(Action.VIEW_FRAMEWORK, Action.VIEW_TASK, Action.VIEW_EXECUTOR);

  private final ObjectApprovers approvers;

  private Visibility(ObjectApprovers approvers) {
    this.approvers = approvers;
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
    Map<Action, Set<String>> approved = new EnumMap<>(Action.class);
    for (Action action : OF_FRAMEWORKS) {
      Map<String, Boolean> users = new HashMap<>();
      Stream.concat(state.frameworks().values().stream(), state.completedFrameworks().stream())
          .forEach(
              framework ->
                  users.merge(
                      framework.info().getUser(),
                      approvers.approved(action, object(framework)),
                      Boolean::logicalAnd));
      users.values().removeIf(yes -> !yes);
      approved.put(action, users.keySet());
    }
    Set<String> roles = new HashSet<>(Roles.names(state));
    roles.removeIf(role -> !role(role));
    approved.put(Action.VIEW_ROLE, roles);
    return new Visibility(
        ObjectApprovers.of(
            approved.keySet(),
            (action, object) -> approved.get(action).contains(object.value().orElse(""))));
  }

  private static AuthorizationObject object(Framework framework) {
    return AuthorizationObject.builder()
        .value(framework.info().getUser())
        .frameworkInfo(framework.info())
        .build();
  }

  private boolean approved(Action action, Framework framework) {
    return !approvers.limited() || approvers.approved(action, object(framework));
  }

  /** Whether a framework is to be seen. */
  public boolean framework(Framework framework) {
    return approved(Action.VIEW_FRAMEWORK, framework);
  }

  /** Whether the tasks of a framework are to be seen. */
  public boolean tasks(Framework framework) {
    return framework(framework) && approved(Action.VIEW_TASK, framework);
  }

  /** Whether the executors of a framework are to be seen. */
  public boolean executors(Framework framework) {
    return framework(framework) && approved(Action.VIEW_EXECUTOR, framework);
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

  /** Whether the flags of the daemon are to be seen. */
  public boolean flags() {
    return approvers.approved(Action.VIEW_FLAGS);
  }
}
