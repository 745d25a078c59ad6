package org.mezzo.master.operator;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.mezzo.daemon.json.Masked;
import org.mezzo.master.ledger.Account;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.operations.ResourceOperation;
import org.mezzo.master.reads.Roles;
import org.mezzo.master.reads.Visibility;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Executor;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Operation;
import org.mezzo.master.state.Task;
import org.mezzo.master.transitions.AgentOperations;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkID;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Role;
import org.mezzo.protocol.v1.TimeInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.WeightInfo;
import org.mezzo.protocol.v1.master.Response;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/** The records of a state as messages of the operator API. Stateless. */
final class OperatorMessages {
  private OperatorMessages() {}

  static Response.GetState state(MasterState state, Visibility visibility) {
    return Response.GetState.newBuilder()
        .setGetTasks(tasks(state, visibility))
        .setGetExecutors(executors(state, visibility))
        .setGetFrameworks(frameworks(state, visibility))
        .setGetAgents(agents(state, visibility))
        .build();
  }

  static Response.GetTasks tasks(MasterState state, Visibility visibility) {
    Response.GetTasks.Builder all = Response.GetTasks.newBuilder();
    for (Framework framework : state.frameworks().values()) {
      tasks(framework, visibility, all);
    }
    for (Framework framework : state.completedFrameworks()) {
      tasks(framework, visibility, all);
    }
    return all.build();
  }

  private static void tasks(
      Framework framework, Visibility visibility, Response.GetTasks.Builder all) {
    for (Task task : visibility.tasks(framework, framework.tasks().values())) {
      all.addTasks(Masked.task(task.message()));
    }
    for (Task task : visibility.tasks(framework, framework.unreachableTasks().values())) {
      all.addUnreachableTasks(Masked.task(task.message()));
    }
    for (Task task : visibility.tasks(framework, framework.completedTasks())) {
      all.addCompletedTasks(Masked.task(task.message()));
    }
  }

  static Response.GetExecutors executors(MasterState state, Visibility visibility) {
    Response.GetExecutors.Builder all = Response.GetExecutors.newBuilder();
    for (Framework framework : state.frameworks().values()) {
      for (Map<String, Executor> there : framework.executors().values()) {
        for (Executor executor : there.values()) {
          if (visibility.executor(framework, executor)) {
            all.addExecutors(
                Response.GetExecutors.Executor.newBuilder()
                    .setExecutorInfo(Masked.executor(executor.info()))
                    .setAgentId(AgentID.newBuilder().setValue(executor.agentId())));
          }
        }
      }
    }
    return all.build();
  }

  static Response.GetFrameworks frameworks(MasterState state, Visibility visibility) {
    Response.GetFrameworks.Builder all = Response.GetFrameworks.newBuilder();
    for (Framework framework : state.frameworks().values()) {
      if (visibility.framework(framework)) {
        all.addFrameworks(framework(state, framework));
      }
    }
    for (Framework framework : state.completedFrameworks()) {
      if (visibility.framework(framework)) {
        all.addCompletedFrameworks(framework(state, framework));
      }
    }
    return all.build();
  }

  /** As events have it: they tell a time of removal always, and only constraints that there are. */
  static Response.GetFrameworks.Framework announced(MasterState state, Framework framework) {
    Response.GetFrameworks.Framework.Builder message = framework(state, framework).toBuilder();
    if (!message.hasUnregisteredTime()) {
      message.getUnregisteredTimeBuilder().setNanoseconds(0);
    }
    if (message.getOfferConstraints().getRoleConstraintsCount() == 0) {
      message.clearOfferConstraints();
    }
    return message.build();
  }

  static Response.GetFrameworks.Framework framework(MasterState state, Framework framework) {
    Response.GetFrameworks.Framework.Builder message =
        Response.GetFrameworks.Framework.newBuilder()
            .setFrameworkInfo(framework.info())
            .setActive(framework.active())
            .setConnected(framework.connected())
            .setRecovered(framework.phase() == Framework.Phase.RECOVERED)
            .setRegisteredTime(time(framework.registered()))
            .setReregisteredTime(time(framework.reregistered()))
            .addAllAllocatedResources(endpoint(state.ledger().totalAllocatedTo(framework.id())))
            .addAllOfferedResources(endpoint(state.ledger().totalOfferedTo(framework.id())))
            .setOfferConstraints(framework.subscription().constraints().message());
    framework.unregistered().ifPresent(at -> message.setUnregisteredTime(time(at)));
    for (String id : state.ledger().offersTo(framework.id())) {
      state.offer(id).ifPresent(offer -> message.addOffers(offer(offer)));
    }
    return message.build();
  }

  /** The offer with its resources as the master knows them, whatever form the framework got. */
  private static org.mezzo.protocol.v1.Offer offer(Offer offer) {
    return offer.message().toBuilder()
        .clearResources()
        .addAllResources(offer.resources().toMessages(Resources.Format.POST_REFINEMENT))
        .setAllocationInfo(Resource.AllocationInfo.newBuilder().setRole(offer.role()))
        .build();
  }

  static Response.GetAgents agents(MasterState state, Visibility visibility) {
    Response.GetAgents.Builder all = Response.GetAgents.newBuilder();
    for (Agent agent : state.agents().values()) {
      all.addAgents(agent(state, agent, visibility));
    }
    state
        .recoveredAgents()
        .values()
        .forEach(agent -> all.addRecoveredAgents(visibility.agent(agent.info())));
    return all.build();
  }

  static Response.GetAgents.Agent agent(MasterState state, Agent agent, Visibility visibility) {
    Account account = state.account(agent.id());
    Response.GetAgents.Agent.Builder message =
        Response.GetAgents.Agent.newBuilder()
            .setAgentInfo(visibility.agent(agent.info()))
            .setActive(agent.active())
            .setDeactivated(agent.standing().deactivated())
            .setVersion(agent.version())
            .setPid(agent.pid())
            .setRegisteredTime(time(agent.registered()))
            .addAllTotalResources(endpoint(visibility.resources(account.total())))
            .addAllAllocatedResources(endpoint(visibility.resources(account.totalAllocated())))
            .addAllOfferedResources(endpoint(visibility.resources(account.totalOffered())));
    agent.reregistered().ifPresent(at -> message.setReregisteredTime(time(at)));
    agent
        .standing()
        .draining()
        .ifPresent(
            it ->
                message
                    .setDrainInfo(it.info())
                    .setEstimatedDrainStartTime(time(it.began().truncatedTo(ChronoUnit.SECONDS))));
    agent.capabilities().stream()
        .sorted()
        .forEach(
            capability ->
                message.addCapabilities(AgentInfo.Capability.newBuilder().setType(capability)));
    return message.build();
  }

  /** Those that are about resources of roles which may be seen. */
  static Response.GetOperations operations(MasterState state, Visibility visibility) {
    Response.GetOperations.Builder all = Response.GetOperations.newBuilder();
    for (Operation operation : state.operations().all()) {
      boolean seen =
          ResourceOperation.of(operation.info().getType()).stream()
              .flatMap(kind -> kind.named(operation.info()).stream())
              .allMatch(visibility::resource);
      if (seen) {
        all.addOperations(AgentOperations.message(operation));
      }
    }
    return all.build();
  }

  static Response.GetRoles roles(MasterState state, Visibility visibility) {
    Response.GetRoles.Builder all = Response.GetRoles.newBuilder();
    for (Roles.Role role : Roles.of(state)) {
      if (!visibility.role(role.name())) {
        continue;
      }
      Role.Builder message = Role.newBuilder().setName(role.name()).setWeight(role.weight());
      role.frameworks().forEach(id -> message.addFrameworks(FrameworkID.newBuilder().setValue(id)));
      message.addAllResources(scalars(role.resources()));
      all.addRoles(message);
    }
    return all.build();
  }

  /** The amounts that are not counts of ports or items. */
  private static List<Resource> scalars(Quantities quantities) {
    List<Resource> scalars = new ArrayList<>();
    for (String name : quantities.names().stream().sorted().toList()) {
      if (!name.equals("ports")) {
        scalars.add(
            Resource.newBuilder()
                .setName(name)
                .setType(Value.Type.SCALAR)
                .setScalar(Value.Scalar.newBuilder().setValue(quantities.get(name) / 1000.0))
                .build());
      }
    }
    return scalars;
  }

  static Response.GetWeights weights(MasterState state, Visibility visibility) {
    Response.GetWeights.Builder all = Response.GetWeights.newBuilder();
    visibility.roles(state.weights()).entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            entry ->
                all.addWeightInfos(
                    WeightInfo.newBuilder().setRole(entry.getKey()).setWeight(entry.getValue())));
    return all.build();
  }

  private static Collection<Resource> endpoint(Resources resources) {
    return resources.toMessages(Resources.Format.ENDPOINT);
  }

  static TimeInfo time(Instant instant) {
    return TimeInfo.newBuilder()
        .setNanoseconds(instant.getEpochSecond() * 1_000_000_000L + instant.getNano())
        .build();
  }
}
