package org.mezzo.master.transitions;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.mezzo.api.authorization.Action;
import org.mezzo.master.ledger.Offer;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.quota.QuotaConfig;
import org.mezzo.protocol.v1.quota.QuotaRequest;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/** The first quota of a role in the form of old, whose guarantee is its limit (rules 261, 262). */
public record QuotaSetting(QuotaRequest request) implements PolicyChange {
  private static final String INVALID = "Failed to validate set quota request: ";

  @Override
  public Action action() {
    return Action.UPDATE_QUOTA;
  }

  @Override
  public Set<String> roles() {
    return Set.of(request.getRole());
  }

  @Override
  public Optional<Refusal> refusal(MasterState state, Settings settings) {
    String role = request.getRole();
    Optional<String> problem = problem();
    if (problem.isPresent()) {
      return Optional.of(Refusal.badRequest(INVALID + problem.get()));
    }
    if (!settings.frameworks().welcomes(role)) {
      return Optional.of(Refusal.badRequest(INVALID + "Unknown role '" + role + "'"));
    }
    if (state.nextPolicy().quotas().containsKey(role)) {
      return Optional.of(
          Refusal.badRequest(
              INVALID + "Cannot set quota for role '" + role + "' which already has quota"));
    }
    if (role.contains("/")) {
      return Optional.of(
          Refusal.badRequest("Setting quota on nested role '" + role + "' is not supported yet"));
    }
    return Optional.empty();
  }

  private Optional<String> problem() {
    try {
      Resources.of(request.getGuaranteeList());
    } catch (ResourceFormatException e) {
      return Optional.of("QuotaInfo with invalid resource: " + e.getMessage());
    }
    Optional<String> role = Roles.problem(request.getRole());
    if (role.isPresent()) {
      return Optional.of("QuotaInfo with invalid role: " + role.get());
    }
    if (request.getGuaranteeCount() == 0) {
      return Optional.of("QuotaInfo with empty 'guarantee'");
    }
    Set<String> names = new HashSet<>();
    for (Resource resource : request.getGuaranteeList()) {
      if (reserved(resource)) {
        return Optional.of("QuotaInfo must not contain any ReservationInfo");
      }
      if (resource.hasDisk()) {
        return Optional.of("QuotaInfo must not contain DiskInfo");
      }
      if (resource.hasRevocable()) {
        return Optional.of("QuotaInfo must not contain RevocableInfo");
      }
      if (resource.getType() != Value.Type.SCALAR) {
        return Optional.of("QuotaInfo must not include non-scalar resources");
      }
      if (!names.add(resource.getName())) {
        return Optional.of(
            "QuotaInfo contains duplicate resource name '" + resource.getName() + "'");
      }
    }
    return Quotas.problem(config());
  }

  @SuppressWarnings("deprecation")
  private static boolean reserved(Resource resource) {
    return resource.getReservationsCount() > 0
        || resource.hasReservation()
        || !resource.getRole().equals("*");
  }

  private QuotaConfig config() {
    QuotaConfig.Builder config = QuotaConfig.newBuilder().setRole(request.getRole());
    for (Resource resource : request.getGuaranteeList()) {
      config.putGuarantees(resource.getName(), resource.getScalar());
      config.putLimits(resource.getName(), resource.getScalar());
    }
    return config.build();
  }

  @Override
  public Optional<Refusal> conflict(MasterState state) {
    return request.getForce()
        ? Optional.empty()
        : Quotas.overcommitment(state, applied(state.nextPolicy()))
            .map(
                text ->
                    new Refusal(
                        409,
                        "Quota guarantees overcommit the cluster (use 'force' to bypass this"
                            + " check): "
                            + text));
  }

  @Override
  public Policy applied(Policy before) {
    return Quotas.with(before, request.getRole(), Quotas.of(config()));
  }

  @Override
  public PolicyRegistry.Section section() {
    return PolicyRegistry.Section.QUOTAS;
  }

  @Override
  public void settle(Transition tx) {
    Quotas.tell(tx);
    Offers.rescindInTurns(tx, inTheWay(tx.state()));
  }

  /** All offers of an agent, then those of the next, until there is enough. */
  private List<String> inTheWay(MasterState state) {
    String role = request.getRole();
    Quantities missing = Quotas.of(config()).guarantees();
    long visits =
        state.frameworks().values().stream()
            .filter(Framework::active)
            .filter(it -> it.subscription().roles().contains(role))
            .count();
    List<String> going = new ArrayList<>();
    for (String agentId : new TreeSet<>(state.agents().keySet())) {
      if (missing.isEmpty() && visits <= 0) {
        break;
      }
      Agent agent = state.agents().get(agentId);
      if (!agent.active() || state.account(agentId).offers().isEmpty()) {
        continue;
      }
      for (String id : state.account(agentId).offers()) {
        Offer offer = state.offers().get(id);
        missing = missing.minus(offer.resources().quantities());
        going.add(id);
      }
      visits--;
    }
    return going;
  }
}
