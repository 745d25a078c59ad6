package org.mezzo.allocator.drf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mezzo.allocator.drf.Driver.CAPABLE;
import static org.mezzo.allocator.drf.Driver.framework;
import static org.mezzo.allocator.drf.Driver.resources;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.Hindrance.Reason;
import org.mezzo.api.allocator.OfferConstraintsFilter;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Recovery;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DomainInfo;

/** Each thing that stands between a framework and an offer is told, with what ends it. */
class ExplainerTest {
  private static final Set<String> MULTI = Set.of("MULTI_ROLE");

  private static OfferExplanation explain(Driver driver, String framework, String role) {
    return driver.allocator.explain(OfferQuestion.builder(framework, role).build()).orElseThrow();
  }

  private static OfferExplanation explain(Driver driver, String role) {
    return explain(driver, role, role);
  }

  /** What stands in the way on the only agent, while nothing does everywhere. */
  private static List<Hindrance> onAgent(Driver driver, String role) {
    OfferExplanation answer = explain(driver, role);
    assertThat(answer.everywhere()).isEmpty();
    assertThat(answer.agents()).hasSize(1);
    assertThat(answer.looked()).isEqualTo(1);
    return answer.agents().get(0).hindrances();
  }

  private static void assertOnAgent(Driver driver, String role, Reason reason, String text) {
    List<Hindrance> hindrances = onAgent(driver, role);
    assertThat(hindrances).extracting(Hindrance::reason).containsExactly(reason);
    assertThat(hindrances.get(0).text()).contains(text);
    assertThat(driver.allocate())
        .as("and it is so")
        .noneMatch(proposal -> proposal.role().equals(role));
  }

  private static void assertEverywhere(OfferExplanation answer, Reason reason, String text) {
    assertThat(answer.everywhere()).extracting(Hindrance::reason).containsExactly(reason);
    assertThat(answer.everywhere().get(0).text()).contains(text);
  }

  private static Driver driver() {
    return new Driver().agents("cpus:4;mem:4096", "S1");
  }

  @Test
  void nothingStandsInTheWayOfWhoIsOfferedTheAgentNext() {
    Driver driver = driver().frameworks("A");
    assertThat(onAgent(driver, "A")).isEmpty();
    assertThat(explain(driver, "A").free()).isEqualTo(1);
    assertThat(driver.offers()).hasSize(1);
  }

  @Test
  void whoAndWhereIsNotKnown() {
    Driver driver = driver().frameworks("A");
    assertEverywhere(explain(driver, "B"), Reason.UNKNOWN_FRAMEWORK, "framework B is not known");
    assertEverywhere(explain(driver, "A", "B"), Reason.NOT_SUBSCRIBED, "but to A");
    assertEverywhere(
        driver
            .allocator
            .explain(OfferQuestion.builder("A", "A").agentId(Optional.of("S2")).build())
            .orElseThrow(),
        Reason.UNKNOWN_AGENT,
        "agent S2 is not registered");
    driver.allocator.agentRemoved("S1");
    assertEverywhere(explain(driver, "A"), Reason.UNKNOWN_AGENT, "no agent is registered");
  }

  @Test
  void suppressedAndInactiveFrameworks() {
    Driver driver = driver();
    driver.allocator.frameworkAdded(framework("A", true, Set.of("A"), MULTI, "A"));
    assertEverywhere(explain(driver, "A"), Reason.SUPPRESSED, "REVIVE");
    driver.allocator.frameworkUpdated(framework("A", false, Set.of(), MULTI, "A"));
    assertEverywhere(explain(driver, "A"), Reason.INACTIVE_FRAMEWORK, "not connected");
    assertThat(driver.offers()).isEmpty();
  }

  @Test
  void aPauseIsToldWithItsEnd() {
    Driver driver = driver().frameworks("A");
    driver.quota("Q", "cpus:1", "");
    driver.allocator.recovered(Recovery.builder(10, driver.now).build());
    OfferExplanation answer = explain(driver, "A");
    assertEverywhere(answer, Reason.RECOVERING, "until 8 agents are back; 1 are");
    assertThat(answer.everywhere().get(0).until())
        .contains(driver.now.plus(Duration.ofMinutes(10)));
  }

  @Test
  void inactiveAndUnlistedAgents() {
    Driver driver = driver().frameworks("A");
    driver.allocator.whitelistUpdated(Optional.of(Set.of("other")));
    assertOnAgent(driver, "A", Reason.WHITELIST, "host S1");
    driver.allocator.whitelistUpdated(Optional.empty());
    driver.allocator.agentUpdated(
        Driver.agent("S1", "cpus:4;mem:4096").toBuilder().active(false).build());
    assertOnAgent(driver, "A", Reason.INACTIVE_AGENT, "not connected");
  }

  @Test
  void capabilitiesOfBothSides() {
    Driver driver = new Driver();
    AgentState old =
        AgentState.builder("S1", AgentInfo.newBuilder().setHostname("S1").build())
            .total(resources("cpus:4;mem:4096"))
            .build();
    driver.allocator.agentAdded(old);
    driver.frameworks("A");
    assertOnAgent(driver, "A", Reason.CAPABILITY, "MULTI_ROLE");
    driver.allocator.frameworkAdded(framework("a/b", true, Set.of(), Set.of(), "a/b"));
    assertOnAgent(driver, "a/b", Reason.CAPABILITY, "HIERARCHICAL_ROLE");
    driver.allocator.agentUpdated(
        old.toBuilder().capabilities(CAPABLE).total(resources("cpus:4;gpus:1")).build());
    assertOnAgent(driver, "A", Reason.CAPABILITY, "GPU_RESOURCES");
  }

  @Test
  void agentsInAnotherRegion() {
    Driver driver =
        new Driver(AllocatorOptions.builder().region(Optional.of("home")).build()).frameworks("A");
    DomainInfo.Builder domain = DomainInfo.newBuilder();
    domain.getFaultDomainBuilder().getRegionBuilder().setName("away");
    domain.getFaultDomainBuilder().getZoneBuilder().setName("z");
    driver.allocator.agentAdded(
        AgentState.builder("S1", AgentInfo.newBuilder().setHostname("S1").setDomain(domain).build())
            .capabilities(CAPABLE)
            .total(resources("cpus:1"))
            .build());
    assertOnAgent(driver, "A", Reason.CAPABILITY, "region away");
  }

  @Test
  void resourcesThatTakeACapability() {
    Driver driver = new Driver().frameworks("A");
    org.mezzo.protocol.v1.Resource revocable =
        org.mezzo.protocol.v1.Resource.newBuilder()
            .setName("cpus")
            .setType(org.mezzo.protocol.v1.Value.Type.SCALAR)
            .setScalar(org.mezzo.protocol.v1.Value.Scalar.newBuilder().setValue(2))
            .setRevocable(org.mezzo.protocol.v1.Resource.RevocableInfo.getDefaultInstance())
            .build();
    try {
      driver.allocator.agentAdded(
          Driver.agent("S1", org.mezzo.resources.Resources.of(List.of(revocable)), Map.of()));
    } catch (org.mezzo.resources.ResourceFormatException e) {
      throw new AssertionError(e);
    }
    assertOnAgent(driver, "A", Reason.CAPABILITY, "REVOCABLE_RESOURCES");
  }

  @Test
  void constraints() {
    Driver driver = driver();
    driver.allocator.frameworkAdded(
        framework("A", "A").toBuilder()
            .constraints(
                new OfferConstraintsFilter() {
                  @Override
                  public boolean isConstrained(String role) {
                    return true;
                  }

                  @Override
                  public boolean isAgentExcluded(String role, AgentInfo agent) {
                    return true;
                  }
                })
            .build());
    assertOnAgent(driver, "A", Reason.CONSTRAINT, "constraints");
  }

  @Test
  void whatOthersHaveOrIsReserved() {
    Driver driver = driver().frameworks("A", "B");
    driver.allocate();
    assertOnAgent(driver, "B", Reason.NOTHING_FREE, "1 frameworks");
    Driver reserved = new Driver().agents("cpus(R):4;mem(R):100;disk(Q):1", "S1").frameworks("A");
    assertOnAgent(reserved, "A", Reason.RESERVED, "other roles");
    assertThat(onAgent(reserved, "A").get(0).otherRoles()).containsExactly("Q", "R");
  }

  @Test
  void lessThanTheLeastOffer() {
    Driver driver = new Driver().agents("cpus:0.005;mem:31", "S1").frameworks("A");
    assertOnAgent(
        driver,
        "A",
        Reason.BELOW_MINIMUM,
        "cpus:0.005; mem:31 is free, and an offer has at least" + " cpus:0.01 or mem:32");
  }

  @Test
  void theLimitOfAQuota() {
    Driver driver = driver().frameworks("Q");
    driver.quota("Q", "", "cpus:1;mem:1024");
    driver.allocate();
    assertOnAgent(
        driver,
        "Q",
        Reason.QUOTA_LIMIT,
        "role Q has cpus:1; mem:1024 of its quota's limit of cpus:1; mem:1024");
  }

  @Test
  void whatIsHeldBackForOthers() {
    Driver driver = driver().frameworks("R");
    driver.quota("Q", "cpus:4;mem:4096", "");
    assertOnAgent(driver, "R", Reason.HEADROOM, "cpus:4; mem:4096 is held back");
    assertThat(onAgent(driver, "R").get(0).otherRoles()).containsExactly("Q");
  }

  @Test
  void aRoleThatLacksItsGuaranteeIsNotHeldBackByIt() {
    Driver driver = driver().frameworks("Q");
    driver.quota("Q", "cpus:4;mem:4096", "cpus:4;mem:4096");
    assertThat(onAgent(driver, "Q")).isEmpty();
    assertThat(driver.offers()).hasSize(1);
  }

  @Test
  void refusalsAreToldWithTheEndOfTheLast() {
    Driver driver = driver().frameworks("A");
    Proposal offer = driver.allocate().get(0);
    driver.decline(offer, Duration.ofSeconds(60));
    Instant end = driver.now.plusSeconds(60);
    assertOnAgent(driver, "A", Reason.FILTERED, "the framework refused cpus");
    assertThat(onAgent(driver, "A").get(0).until()).contains(end);
    driver.pass(Duration.ofSeconds(60));
    assertThat(onAgent(driver, "A")).isEmpty();
  }

  @Test
  void allAgentsAreCountedAndAsManyListedAsAreWanted() {
    Driver driver = new Driver().agents("cpus:1;mem:100", "S1", "S2", "S3").frameworks("A");
    driver.allocate().subList(0, 2).forEach(offer -> driver.decline(offer, Duration.ofHours(1)));
    OfferExplanation answer =
        driver
            .allocator
            .explain(OfferQuestion.builder("A", "A").mostAgents(1).build())
            .orElseThrow();
    assertThat(answer.agents()).hasSize(1);
    assertThat(answer.looked()).isEqualTo(3);
    assertThat(answer.free()).isZero();
    assertThat(answer.counts()).isEqualTo(Map.of(Reason.FILTERED, 2, Reason.NOTHING_FREE, 1));
  }
}
