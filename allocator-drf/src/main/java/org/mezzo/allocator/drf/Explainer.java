package org.mezzo.allocator.drf;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.Hindrance.Reason;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferExplanation.OnAgent;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/**
 * Says why a framework is not offered anything under a role. Asks the rules of {@link Cycle} one by
 * one instead of all together, so that it cannot say anything else than what cycles do; nothing is
 * noted down for it in advance.
 */
final class Explainer {
  private final ClusterIndex index;
  private final RecoveryPause pause;
  private final Predicate<Agent> listed;
  private final Instant now;
  private final Cycle rules;

  /**
   * About the moment.
   *
   * @param listed whether the whitelist has an agent
   */
  Explainer(ClusterIndex index, RecoveryPause pause, Predicate<Agent> listed, Instant now) {
    this.index = index;
    this.pause = pause;
    this.listed = listed;
    this.now = now;
    this.rules = new Cycle(index, List.of(), now, agents -> {});
  }

  OfferExplanation explain(OfferQuestion question) {
    List<Hindrance> everywhere = everywhere(question);
    OfferExplanation.Builder answer = OfferExplanation.builder();
    Member member = index.find(question.frameworkId(), question.role());
    if (question.agentId().isPresent() && !index.agents.containsKey(question.agentId().get())) {
      everywhere.add(
          hindrance(
              Reason.UNKNOWN_AGENT,
              "agent %s is not registered".formatted(question.agentId().get())));
    } else if (question.agentId().isEmpty() && index.agents.isEmpty()) {
      everywhere.add(hindrance(Reason.UNKNOWN_AGENT, "no agent is registered"));
    } else if (member != null) {
      onAgents(question, member, answer);
    }
    return answer.everywhere(everywhere).build();
  }

  private List<Hindrance> everywhere(OfferQuestion question) {
    List<Hindrance> hindrances = new ArrayList<>();
    String id = question.frameworkId();
    String role = question.role();
    Framework framework = index.frameworks.get(id);
    if (framework == null) {
      hindrances.add(
          hindrance(Reason.UNKNOWN_FRAMEWORK, "framework %s is not known".formatted(id)));
    } else {
      if (!framework.state.active()) {
        hindrances.add(
            hindrance(Reason.INACTIVE_FRAMEWORK, "the framework is not connected, or deactivated"));
      }
      if (!framework.state.roles().contains(role)) {
        hindrances.add(
            hindrance(
                Reason.NOT_SUBSCRIBED,
                "the framework is not subscribed to role %s, but to %s"
                    .formatted(role, sorted(framework.state.roles()))));
      } else if (framework.state.suppressed().contains(role)) {
        hindrances.add(
            hindrance(
                Reason.SUPPRESSED,
                "the framework suppressed offers under role %s; a REVIVE call ends that"
                    .formatted(role)));
      }
    }
    if (pause.holds(index.agents.size(), now)) {
      hindrances.add(
          Hindrance.builder(
                  Reason.RECOVERING,
                  "the leader is new and waits until %d agents are back; %d are"
                      .formatted(pause.enough(), index.agents.size()))
              .until(pause.end())
              .build());
    }
    return hindrances;
  }

  private void onAgents(OfferQuestion question, Member member, OfferExplanation.Builder answer) {
    List<OnAgent> listed = new ArrayList<>();
    Map<Reason, Integer> counts = new EnumMap<>(Reason.class);
    int looked = 0;
    int free = 0;
    for (Agent agent :
        question.agentId().isPresent()
            ? index.agentsOf(Set.of(question.agentId().get()))
            : index.agents.values()) {
      List<Hindrance> hindrances = onAgent(agent, member);
      looked++;
      free += hindrances.isEmpty() ? 1 : 0;
      hindrances.stream()
          .map(Hindrance::reason)
          .distinct()
          .forEach(reason -> counts.merge(reason, 1, Integer::sum));
      if (listed.size() < question.mostAgents()) {
        listed.add(new OnAgent(agent.id, agent.info.getHostname(), hindrances));
      }
    }
    answer.agents(listed).looked(looked).free(free).counts(counts);
  }

  private List<Hindrance> onAgent(Agent agent, Member member) {
    List<Hindrance> hindrances = new ArrayList<>();
    Resources candidate = rules.look(agent, member.role);
    aboutTheAgent(agent, member, hindrances);
    if (agent.available.isEmpty()) {
      hindrances.add(
          hindrance(
              Reason.NOTHING_FREE,
              "all it has is held by, or offered to, %d frameworks".formatted(agent.used.size())));
    } else if (candidate.isEmpty()) {
      hindrances.add(
          Hindrance.builder(Reason.RESERVED, "all that is free is reserved for other roles")
              .otherRoles(agent.available.reserved().keySet())
              .build());
    } else if (!rules.candidateIsEnough(member)) {
      hindrances.add(tooLittle(candidate, member));
    } else {
      aboutTheOffer(member, candidate, hindrances);
    }
    return hindrances;
  }

  private void aboutTheAgent(Agent agent, Member member, List<Hindrance> hindrances) {
    if (!agent.active) {
      hindrances.add(
          hindrance(Reason.INACTIVE_AGENT, "the agent is not connected, or takes no part"));
    }
    if (!listed.test(agent)) {
      hindrances.add(
          hindrance(
              Reason.WHITELIST, "the whitelist does not have host " + agent.info.getHostname()));
    }
    if (rules.lacksRoles(member)) {
      hindrances.add(
          hindrance(
              Reason.CAPABILITY, "the framework is MULTI_ROLE, which the agent does not know"));
    }
    if (rules.lacksHierarchy(member.role)) {
      hindrances.add(
          hindrance(
              Reason.CAPABILITY,
              "the role has one above it, which takes a HIERARCHICAL_ROLE agent"));
    }
    if (rules.lacksGpus(member)) {
      hindrances.add(
          hindrance(
              Reason.CAPABILITY, "the agent has GPUs and the framework is not GPU_RESOURCES"));
    }
    if (rules.isElsewhere(member)) {
      hindrances.add(
          hindrance(
              Reason.CAPABILITY,
              "the agent is in region %s and the framework is not REGION_AWARE"
                  .formatted(agent.region.orElse(""))));
    }
    if (rules.isExcluded(member)) {
      hindrances.add(
          hindrance(
              Reason.CONSTRAINT, "the framework's offer constraints for the role exclude it"));
    }
  }

  private void aboutTheOffer(Member member, Resources candidate, List<Hindrance> hindrances) {
    Resources fit = Cycle.strip(candidate, member.framework);
    if (rules.isTooLittle(member, fit)) {
      hindrances.add(
          hindrance(
              Reason.CAPABILITY,
              "what is free is shared, revocable or of a refined reservation, which takes a"
                  + " framework that is SHARED_RESOURCES, REVOCABLE_RESOURCES or"
                  + " RESERVATION_REFINEMENT"));
      return;
    }
    Cycle.Guaranteed guaranteed = rules.guaranteed(fit, index.quotas.missing(member.role.name));
    Resources offer = guaranteed == null ? rules.share(fit) : guaranteed.offer();
    if (guaranteed != null && rules.isTooLittle(member, offer)) {
      offer = rules.share(fit);
    }
    if (rules.isTooLittle(member, offer)) {
      hindrances.add(cut(member, fit));
      return;
    }
    Refusal refusal = rules.refusal(member, offer);
    if (refusal != null) {
      hindrances.add(
          Hindrance.builder(
                  Reason.FILTERED,
                  "the framework refused %s there, which contains the %s that it would be offered"
                      .formatted(refusal.resources.toText(), offer.toText()))
              .until(Optional.of(Instant.ofEpochMilli(lastUntil(refusal, offer))))
              .build());
    }
  }

  /** When the last refusal is over that stands in the way. */
  private long lastUntil(Refusal first, Resources offer) {
    long until = first.expires;
    for (Refusal refusal = first.next; refusal != null; refusal = refusal.next) {
      if (refusal.resources.contains(offer)) {
        until = Math.max(until, refusal.expires);
      }
    }
    return until;
  }

  /** Why quotas leave too little for an offer. */
  private Hindrance cut(Member member, Resources fit) {
    String role = member.role.name;
    Resources free = QuotaUse.free(fit);
    Resources limited = QuotaUse.withinLimits(member.role, free, Quantities.EMPTY);
    if (rules.isTooLittle(member, fit.minus(free).plus(limited))) {
      return hindrance(
          Reason.QUOTA_LIMIT,
          "role %s has %s of its quota's limit of %s"
              .formatted(role, member.role.quota.consumed(), member.role.quota.quota.limits()));
    }
    Map<String, Quantities> lacking = index.quotas.lacking();
    lacking.remove(role);
    Quantities sum = lacking.values().stream().reduce(Quantities.EMPTY, Quantities::plus);
    return Hindrance.builder(
            Reason.HEADROOM,
            "%s is held back for other roles that have less than they are guaranteed"
                .formatted(sum))
        .otherRoles(lacking.keySet())
        .build();
  }

  private Hindrance tooLittle(Resources candidate, Member member) {
    return hindrance(
        Reason.BELOW_MINIMUM,
        "%s is free, and an offer has at least %s%s"
            .formatted(
                candidate.quantities(),
                rules.least(member).stream()
                    .map(Quantities::toString)
                    .collect(Collectors.joining(" or ")),
                member.minAllocatable == null ? "" : ", as the framework wants it"));
  }

  private static String sorted(Set<String> names) {
    return names.stream().sorted().collect(Collectors.joining(", "));
  }

  private static Hindrance hindrance(Reason reason, String text) {
    return Hindrance.builder(reason, text).build();
  }
}
