package org.mezzo.agent.containers;

import java.util.Optional;
import java.util.function.Function;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.protocol.v1.ContainerID;
import org.mezzo.protocol.v1.agent.Call;

/**
 * What a call about a container is and which container it names; the calls of old, which are about
 * nested ones alone, differ in that from those that came after. Immutable.
 *
 * @param type of the call
 * @param field that carries what it says
 * @param container in that
 * @param nestedOnly whether the container has to have a parent (rule 342)
 */
record ContainerCall(
    Call.Type type, String field, Function<Call, ContainerID> container, boolean nestedOnly) {

  CallDeclaration<Call> declaration(String help, Action... actions) {
    return CallDeclaration.<Call>of(type, Permission.perObject(actions), help).carrying(field);
  }

  /** The container that it names, which has no {@link #problem}. */
  ContainerId id(Call call) {
    return ContainerId.of(container.apply(call));
  }

  /** What is wrong with the name of the container (rules 340, 342). */
  Optional<String> problem(Call call) {
    ContainerID named = container.apply(call);
    try {
      ContainerId.of(named);
    } catch (IllegalArgumentException e) {
      return Optional.of("'" + field + ".container_id' is invalid: " + e.getMessage());
    }
    return nestedOnly && !named.hasParent()
        ? Optional.of(CallTable.absent(field + ".container_id.parent"))
        : Optional.empty();
  }
}
