package org.mezzo.master.state;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.mezzo.protocol.v1.InverseOffer;
import org.mezzo.protocol.v1.allocator.InverseOfferStatus;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * What frameworks are asked to give back, and what they said (rules 71, 242, 246).
 *
 * @param outstanding those that are not answered, by id
 * @param answers the last answer of each framework, by agent and framework
 */
public record InverseOffers(
    PMap<String, InverseOffer> outstanding, PMap<String, PMap<String, Answer>> answers) {

  /**
   * An answer.
   *
   * @param status as operators see it
   * @param filterExpires until when the framework is not asked again; empty for no filter
   */
  public record Answer(InverseOfferStatus status, Optional<Instant> filterExpires) {}

  /** Nobody was asked. */
  public static final InverseOffers NONE =
      new InverseOffers(HashTreePMap.empty(), HashTreePMap.empty());

  /** With one that waits for its answer. */
  public InverseOffers with(InverseOffer offer) {
    return new InverseOffers(outstanding.plus(offer.getId().getValue(), offer), answers);
  }

  /** Without one that waited. */
  public InverseOffers without(InverseOffer offer) {
    return new InverseOffers(outstanding.minus(offer.getId().getValue()), answers);
  }

  /** With an answer of a framework about an agent, instead of the one before. */
  public InverseOffers with(String frameworkId, String agentId, Answer answer) {
    return new InverseOffers(
        outstanding,
        answers.plus(
            agentId,
            answers.getOrDefault(agentId, HashTreePMap.empty()).plus(frameworkId, answer)));
  }

  /** Without the answers about an agent. */
  public InverseOffers withoutAgent(String agentId) {
    return answers.containsKey(agentId)
        ? new InverseOffers(outstanding, answers.minus(agentId))
        : this;
  }

  /** Without the answers of a framework. */
  public InverseOffers withoutFramework(String frameworkId) {
    PMap<String, PMap<String, Answer>> left = answers;
    for (var entry : answers.entrySet()) {
      PMap<String, Answer> rest = entry.getValue().minus(frameworkId);
      left = rest.isEmpty() ? left.minus(entry.getKey()) : left.plus(entry.getKey(), rest);
    }
    return new InverseOffers(outstanding, left);
  }

  /** Those about an agent that are not answered. */
  public List<InverseOffer> about(String agentId) {
    return which(it -> it.getAgentId().getValue().equals(agentId));
  }

  /** Those to a framework that are not answered. */
  public List<InverseOffer> to(String frameworkId) {
    return which(it -> it.getFrameworkId().getValue().equals(frameworkId));
  }

  /** Whether a framework was asked about an agent and has not answered. */
  public boolean waiting(String frameworkId, String agentId) {
    return about(agentId).stream()
        .anyMatch(it -> it.getFrameworkId().getValue().equals(frameworkId));
  }

  private List<InverseOffer> which(Predicate<InverseOffer> wanted) {
    return outstanding.isEmpty()
        ? List.of()
        : outstanding.values().stream().filter(wanted).toList();
  }

  /** What frameworks said about an agent, by framework. */
  public Stream<InverseOfferStatus> statuses(String agentId) {
    PMap<String, Answer> given = answers.get(agentId);
    return given == null ? Stream.empty() : given.values().stream().map(Answer::status);
  }
}
