package org.mezzo.allocator.drf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mezzo.allocator.drf.Driver.CAPABLE;
import static org.mezzo.allocator.drf.Driver.framework;
import static org.mezzo.allocator.drf.Driver.resources;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferConstraintsFilter;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.DomainInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.OfferFilters;
import org.mezzo.protocol.v1.Resource.DiskInfo;
import org.mezzo.protocol.v1.Resource.ReservationInfo;
import org.mezzo.protocol.v1.Resource.RevocableInfo;
import org.mezzo.protocol.v1.Resource.SharedInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.resources.Resources;

class HierarchicalAllocatorTest {
  private static final Set<String> MULTI = Set.of("MULTI_ROLE");

  @Test
  void whatWasProposedCountsAsOffered() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    Proposal proposal = driver.allocate().get(0);
    assertThat(proposal.resources()).isEqualTo(resources("cpus:4;mem:4096").allocatedTo("A"));
    assertThat(proposal.role()).isEqualTo("A");
    assertThat(driver.allocate()).isEmpty();
    driver.release(proposal, resources("cpus:1;mem:1024"));
    assertThat(driver.offers()).containsExactly("A@S1 cpus:1.0 mem:1024.0");
  }

  @Test
  void onlyCandidatesAreOffered() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1", "S2").frameworks("A");
    assertThat(driver.allocator.allocate(Optional.of(Set.of("S2", "gone"))))
        .extracting(Proposal::agentId)
        .containsExactly("S2");
  }

  @Test
  void suppressedAndInactiveFrameworksAreNotOffered() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1");
    driver.allocator.frameworkAdded(framework("F", true, Set.of("A"), MULTI, "A"));
    driver.allocator.frameworkAdded(framework("G", false, Set.of(), MULTI, "A"));
    assertThat(driver.offers()).isEmpty();
    driver.allocator.frameworkUpdated(framework("F", true, Set.of(), MULTI, "A"));
    Proposal proposal = driver.allocate().get(0);
    assertThat(proposal.frameworkId()).isEqualTo("F");
    driver.decline(proposal, Duration.ZERO);
    driver.allocator.frameworkUpdated(framework("F", false, Set.of(), MULTI, "A"));
    assertThat(driver.offers()).isEmpty();
    driver.allocator.frameworkUpdated(framework("G", true, Set.of(), MULTI, "A"));
    assertThat(driver.allocate()).extracting(Proposal::frameworkId).containsExactly("G");
  }

  @Test
  void aSuppressedRoleDoesNotSilenceTheOthers() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1");
    driver.allocator.frameworkAdded(framework("F", true, Set.of("A"), MULTI, "A", "B"));
    assertThat(driver.allocate()).extracting(Proposal::role).containsExactly("B");
  }

  @Test
  void revivingRemovesTheFiltersOfTheRole() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1", "S2").frameworks("A", "B");
    driver.allocator.frameworkUpdated(framework("B", true, Set.of("B"), MULTI, "B"));
    driver.allocate().forEach(proposal -> driver.decline(proposal, Duration.ofDays(1)));
    assertThat(driver.offers()).isEmpty();
    driver.allocator.filtersRemoved("A", Set.of("other"), Optional.empty());
    assertThat(driver.offers()).isEmpty();
    driver.allocator.filtersRemoved("A", Set.of("A"), Optional.of("S2"));
    Proposal second = driver.allocate().get(0);
    assertThat(second.agentId()).isEqualTo("S2");
    driver.decline(second, Duration.ofDays(1));
    driver.allocator.filtersRemoved("A", Set.of(), Optional.empty());
    assertThat(driver.offers()).hasSize(2);
  }

  @Test
  void filtersEndWhenTheirTimeIsUp() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    driver.decline(driver.allocate().get(0), Duration.ofSeconds(5));
    driver.pass(Duration.ofMillis(4999));
    assertThat(driver.offers()).isEmpty();
    driver.pass(Duration.ofMillis(1));
    assertThat(driver.offers()).hasSize(1);
  }

  @Test
  void theLongestOfSeveralFiltersCounts() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    Proposal offer = driver.allocate().get(0);
    driver.decline(offer, Duration.ofSeconds(50));
    driver.allocator.filterAdded(
        new OfferFilter("A", "A", "S1", resources("cpus:9;mem:9000"), driver.now.plusSeconds(5)));
    driver.pass(Duration.ofSeconds(20));
    assertThat(driver.offers()).isEmpty();
    driver.pass(Duration.ofSeconds(61));
    assertThat(driver.offers()).hasSize(1);
  }

  @Test
  void expiredFiltersAreForgotten() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    driver.decline(driver.allocate().get(0), Duration.ofSeconds(5));
    driver.allocator.frameworkUpdated(framework("A", true, Set.of("A"), MULTI, "A"));
    Member member = driver.allocator.index().find("A", "A");
    assertThat(member.refuses()).isTrue();
    driver.pass(Duration.ofMinutes(2));
    driver.allocate();
    assertThat(member.refuses()).isFalse();
  }

  @Test
  void aRefusalOfOneFrameworkGoesToTheNext() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1");
    driver.allocator.frameworkAdded(framework("F", "A"));
    driver.allocator.frameworkAdded(framework("G", "A"));
    driver.decline(driver.allocate().get(0), Duration.ofDays(1));
    Proposal second = driver.allocate().get(0);
    assertThat(second.frameworkId()).isEqualTo("G");
    driver.decline(second, Duration.ofDays(1));
    assertThat(driver.offers()).isEmpty();
    driver.allocator.frameworkAdded(framework("H", "A"));
    assertThat(driver.allocate()).extracting(Proposal::frameworkId).containsExactly("H");
  }

  @Test
  void agentsThatComeAreNotTakenForThoseThatWent() {
    Driver driver = new Driver().frameworks("A");
    Set<String> offered = new java.util.TreeSet<>();
    for (int i = 0; i < 100; i++) {
      driver.agents("cpus:4;mem:4096", "S" + i);
    }
    driver.allocate().forEach(offer -> driver.decline(offer, Duration.ofHours(1)));
    for (int i = 10; i < 80; i++) {
      driver.allocator.agentRemoved("S" + i);
    }
    for (int i = 10; i < 90; i++) {
      driver.agents("cpus:4;mem:4096", "T" + i);
      offered.add("T" + i);
    }
    assertThat(driver.allocate())
        .extracting(Proposal::agentId)
        .containsExactlyInAnyOrderElementsOf(offered);
    driver.pass(Duration.ofHours(1));
    assertThat(driver.allocate()).as("the agents that stayed").hasSize(30);
  }

  @Test
  void inactiveAndUnlistedAgentsAreNotOffered() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1", "S2").frameworks("A");
    AgentState first = Driver.agent("S1", "cpus:4;mem:4096");
    driver.allocator.agentUpdated(
        AgentState.builder("S1", first.info())
            .capabilities(CAPABLE)
            .active(false)
            .total(first.total())
            .build());
    driver.allocator.whitelistUpdated(Optional.of(Set.of("S1")));
    assertThat(driver.offers()).isEmpty();
    driver.allocator.agentUpdated(first);
    assertThat(driver.offers()).hasSize(1);
    driver.allocator.whitelistUpdated(Optional.empty());
    assertThat(driver.allocate()).extracting(Proposal::agentId).containsExactly("S2");
  }

  @Test
  void aGrownAgentOffersTheRest() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    driver.allocate();
    driver.allocator.agentUpdated(Driver.agent("S1", "cpus:6;mem:4096"));
    assertThat(driver.offers()).containsExactly("A@S1 cpus:2.0");
    driver.allocator.agentUpdated(Driver.agent("S1", "cpus:1;mem:4096"));
    assertThat(driver.offers()).isEmpty();
    driver.allocator.agentRemoved("S1");
    driver.allocator.agentAdded(Driver.agent("S1", "cpus:1;mem:4096"));
    assertThat(driver.offers()).containsExactly("A@S1 cpus:1.0 mem:4096.0");
  }

  @Test
  void whatAFrameworkHeldCountsWhicheverCameFirst() {
    Map<String, Resources> used = Map.of("A", resources("cpus:3;mem:1").allocatedTo("A"));
    Driver agentFirst = new Driver();
    agentFirst.allocator.agentAdded(Driver.agent("S1", resources("cpus:4;mem:100"), used));
    agentFirst.frameworks("A", "B");
    Driver frameworkFirst = new Driver().frameworks("A", "B");
    frameworkFirst.allocator.agentAdded(Driver.agent("S1", resources("cpus:4;mem:100"), used));
    assertThat(agentFirst.offers())
        .isEqualTo(frameworkFirst.offers())
        .containsExactly("B@S1 cpus:1.0 mem:99.0");
  }

  @Test
  void theLeastOfferIsTheClustersOrTheFrameworks() {
    Driver driver = new Driver().agents("cpus:0.005;mem:31", "S1").frameworks("A");
    assertThat(driver.offers()).isEmpty();
    OfferFilters anything =
        OfferFilters.newBuilder()
            .setMinAllocatableResources(OfferFilters.MinAllocatableResources.getDefaultInstance())
            .build();
    FrameworkState state = framework("A", "A");
    driver.allocator.frameworkUpdated(
        FrameworkState.builder("A", state.info().toBuilder().putOfferFilters("A", anything).build())
            .roles(state.roles())
            .capabilities(MULTI)
            .build());
    assertThat(driver.offers()).hasSize(1);
    OfferFilters much =
        OfferFilters.newBuilder()
            .setMinAllocatableResources(
                OfferFilters.MinAllocatableResources.newBuilder()
                    .addQuantities(
                        OfferFilters.ResourceQuantities.newBuilder()
                            .putQuantities("cpus", Value.Scalar.newBuilder().setValue(2).build())
                            .putQuantities("ports", Value.Scalar.newBuilder().setValue(3).build())))
            .build();
    driver.allocator.frameworkUpdated(
        FrameworkState.builder("A", state.info().toBuilder().putOfferFilters("A", much).build())
            .roles(state.roles())
            .capabilities(MULTI)
            .build());
    driver.agents("cpus:8;ports:[1-2]", "S2").agents("cpus:2;ports:[1-3]", "S3");
    assertThat(driver.allocate()).extracting(Proposal::agentId).containsExactly("S3");
  }

  @Test
  void agentsWithGpusAreForFrameworksThatKnowThem() {
    Driver driver = new Driver().agents("cpus:4;gpus:1", "S1").frameworks("A");
    assertThat(driver.offers()).isEmpty();
    driver.allocator.frameworkAdded(
        framework("G", true, Set.of(), Set.of("MULTI_ROLE", "GPU_RESOURCES"), "G"));
    assertThat(driver.allocate()).extracting(Proposal::frameworkId).containsExactly("G");
    AllocatorOptions lenient =
        AllocatorOptions.builder().filterGpuResources(false).minAllocatable(List.of()).build();
    assertThat(new Driver(lenient).agents("cpus:4;gpus:1", "S1").frameworks("A").offers())
        .hasSize(1);
  }

  @Test
  void agentsElsewhereAreForFrameworksThatKnowRegions() {
    AllocatorOptions here =
        AllocatorOptions.builder().minAllocatable(List.of()).region(Optional.of("home")).build();
    Driver driver = new Driver(here).frameworks("A");
    for (String region : List.of("away", "home")) {
      DomainInfo.Builder domain = DomainInfo.newBuilder();
      domain.getFaultDomainBuilder().getRegionBuilder().setName(region);
      domain.getFaultDomainBuilder().getZoneBuilder().setName("z");
      driver.allocator.agentAdded(
          AgentState.builder(
                  region, AgentInfo.newBuilder().setHostname(region).setDomain(domain).build())
              .capabilities(CAPABLE)
              .total(resources("cpus:1"))
              .build());
    }
    assertThat(driver.allocate()).extracting(Proposal::agentId).containsExactly("home");
    driver.allocator.frameworkUpdated(
        framework("A", true, Set.of(), Set.of("MULTI_ROLE", "REGION_AWARE"), "A"));
    assertThat(driver.allocate()).extracting(Proposal::agentId).containsExactly("away");
  }

  @Test
  void oldAgentsAreNotForNewFrameworksAndNestedRoles() {
    Driver driver = new Driver();
    driver.allocator.agentAdded(
        AgentState.builder("S1", AgentInfo.newBuilder().setHostname("S1").build())
            .total(resources("cpus:1"))
            .build());
    driver.frameworks("A");
    driver.allocator.frameworkAdded(framework("N", true, Set.of(), Set.of(), "a/b"));
    assertThat(driver.offers()).isEmpty();
    driver.allocator.frameworkAdded(framework("O", true, Set.of(), Set.of(), "O"));
    assertThat(driver.allocate()).extracting(Proposal::frameworkId).containsExactly("O");
  }

  private static org.mezzo.protocol.v1.Resource.Builder scalar(String name, double value) {
    return org.mezzo.protocol.v1.Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value));
  }

  @Test
  void specialResourcesAreStrippedForWhoDoesNotKnowThem() throws Exception {
    ReservationInfo outer =
        ReservationInfo.newBuilder().setType(ReservationInfo.Type.STATIC).setRole("A").build();
    ReservationInfo inner =
        ReservationInfo.newBuilder().setType(ReservationInfo.Type.DYNAMIC).setRole("A/b").build();
    Resources total =
        Resources.of(
            List.of(
                scalar("cpus", 1).build(),
                scalar("cpus", 2).setRevocable(RevocableInfo.getDefaultInstance()).build(),
                scalar("mem", 100).addReservations(outer).addReservations(inner).build(),
                scalar("disk", 7)
                    .addReservations(outer)
                    .setShared(SharedInfo.getDefaultInstance())
                    .setDisk(
                        DiskInfo.newBuilder()
                            .setPersistence(DiskInfo.Persistence.newBuilder().setId("v"))
                            .setVolume(
                                Volume.newBuilder().setContainerPath("v").setMode(Volume.Mode.RW)))
                    .build()));
    Driver driver = new Driver(Driver.anyOffer());
    driver.allocator.agentAdded(Driver.agent("S1", total, Map.of()));
    driver.allocator.frameworkAdded(framework("F", "A/b"));
    Proposal plain = driver.allocate().get(0);
    assertThat(Driver.show(plain)).isEqualTo("F@S1 cpus:1.0");
    driver.decline(plain, Duration.ZERO);
    driver.allocator.frameworkUpdated(
        framework(
            "F",
            true,
            Set.of(),
            Set.of(
                "MULTI_ROLE", "SHARED_RESOURCES", "REVOCABLE_RESOURCES", "RESERVATION_REFINEMENT"),
            "A/b"));
    assertThat(driver.offers()).containsExactly("F@S1 cpus:3.0 disk:7.0 mem:100.0");
    assertThat(driver.offers())
        .as("shared resources are never used up")
        .containsExactly("F@S1 disk:7.0");
  }

  private static Resources lent(double cpus) throws Exception {
    return Resources.of(
        List.of(scalar("cpus", cpus).setRevocable(RevocableInfo.getDefaultInstance()).build()));
  }

  /** Rules 317 and 318. */
  @Test
  void whatIsLentIsOfferedAsMuchAsThereIsOfItNow() throws Exception {
    Driver driver = new Driver(Driver.anyOffer());
    driver.allocator.agentAdded(Driver.agent("S1", resources("cpus:1").plus(lent(4)), Map.of()));
    driver.frameworks("A");
    driver.allocator.frameworkAdded(
        framework("R", true, Set.of(), Set.of("MULTI_ROLE", "REVOCABLE_RESOURCES"), "R"));
    assertThat(driver.offers()).containsExactly("A@S1 cpus:1.0", "R@S1 cpus:4.0");

    driver.allocator.agentUpdated(Driver.agent("S1", resources("cpus:1").plus(lent(6)), Map.of()));
    assertThat(driver.offers()).as("two more").containsExactly("R@S1 cpus:2.0");
    driver.allocator.agentUpdated(Driver.agent("S1", resources("cpus:1").plus(lent(3)), Map.of()));
    assertThat(driver.offers()).as("less than is held").isEmpty();
    driver.allocator.released("R", "S1", lent(4).allocatedTo("R"));
    assertThat(driver.offers()).as("3 of which 2 are held").containsExactly("R@S1 cpus:1.0");
    driver.allocator.agentUpdated(Driver.agent("S1", "cpus:1"));
    driver.allocator.released("R", "S1", lent(3).allocatedTo("R"));
    assertThat(driver.offers()).as("nothing is lent any more").isEmpty();
  }

  @Test
  void aSharedVolumeGoesToOneFrameworkInEachCycle() throws Exception {
    Resources volume =
        Resources.of(
            List.of(
                scalar("disk", 7)
                    .addReservations(
                        ReservationInfo.newBuilder()
                            .setType(ReservationInfo.Type.STATIC)
                            .setRole("A"))
                    .setShared(SharedInfo.getDefaultInstance())
                    .setDisk(
                        DiskInfo.newBuilder()
                            .setPersistence(DiskInfo.Persistence.newBuilder().setId("v")))
                    .build()));
    Driver driver = new Driver(Driver.anyOffer());
    driver.allocator.agentAdded(Driver.agent("S1", volume, Map.of()));
    for (String id : List.of("F", "G")) {
      driver.allocator.frameworkAdded(
          framework(id, true, Set.of(), Set.of("MULTI_ROLE", "SHARED_RESOURCES"), "A"));
    }
    assertThat(driver.offers()).containsExactly("F@S1 disk:7.0");
    assertThat(driver.offers()).containsExactly("G@S1 disk:7.0");
  }

  @Test
  void reservationsAreForTheirRoleAndThoseBelow() {
    Driver driver =
        new Driver()
            .agents("cpus(eng):1;mem(eng):100;cpus(ops):2;mem(ops):200", "S1")
            .frameworks("eng/a", "other");
    assertThat(driver.offers()).containsExactly("eng/a@S1 cpus:1.0 mem:100.0");
  }

  @Test
  void excludedNamesDoNotCount() {
    AllocatorOptions options =
        AllocatorOptions.builder()
            .excludedResourceNames(Set.of("mem"))
            .minAllocatable(List.of())
            .build();
    Driver driver = new Driver(options);
    driver.allocator.agentAdded(
        Driver.agent(
            "S1",
            resources("cpus:10;mem:100"),
            Map.of(
                "A", resources("mem:90").allocatedTo("A"),
                "B", resources("cpus:1").allocatedTo("B"))));
    driver.frameworks("A", "B");
    assertThat(driver.allocate()).extracting(Proposal::frameworkId).containsExactly("A");
  }

  @Test
  void aFrameworkStaysUnderARoleItLeftUntilItHoldsNothingThere() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    Proposal task = driver.allocate().get(0);
    driver.allocator.frameworkUpdated(framework("A", "B"));
    assertThat(driver.allocator.index().roles).containsOnlyKeys("A", "B");
    driver.release(task, resources("cpus:4;mem:4096"));
    assertThat(driver.allocator.index().roles).containsOnlyKeys("B");
    assertThat(driver.allocate()).extracting(Proposal::role).containsExactly("B");
    driver.allocator.frameworkRemoved("A");
    assertThat(driver.allocator.index().roles).isEmpty();
    assertThat(driver.offers()).isEmpty();
    driver.frameworks("C");
    assertThat(driver.offers()).hasSize(1);
  }

  @Test
  void aConversionIsNotAService() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    Proposal offer = driver.allocate().get(0);
    Resources reserved = resources("cpus(A):1").allocatedTo("A");
    driver.allocator.converted("A", "S1", resources("cpus:1").allocatedTo("A"), reserved);
    driver.allocator.agentUpdated(Driver.agent("S1", "cpus(A):1;cpus:3;mem:4096"));
    assertThat(driver.allocate()).isEmpty();
    driver.allocator.released("A", "S1", reserved);
    assertThat(driver.allocate()).extracting(Proposal::resources).containsExactly(reserved);
    assertThat(offer.agentId()).isEqualTo("S1");
  }

  @Test
  void operatorsGiveAndUnknownThingsAreIgnored() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    driver.allocator.allocated("A", "S1", resources("cpus:4").allocatedTo("A"));
    assertThat(driver.offers()).containsExactly("A@S1 mem:4096.0");
    driver.allocator.released("A", "S1", resources("cpus:99").allocatedTo("A"));
    assertThat(driver.offers()).containsExactly("A@S1 cpus:4.0");
    driver.allocator.released("A", "none", resources("cpus:1").allocatedTo("A"));
    driver.allocator.released("none", "S1", resources("cpus:1").allocatedTo("A"));
    driver.allocator.filterAdded(
        new OfferFilter("none", "A", "S1", resources("cpus:1"), driver.now));
    driver.allocator.filtersRemoved("none", Set.of(), Optional.empty());
    driver.allocator.filtersRemoved("A", Set.of(), Optional.of("none"));
    driver.allocator.agentRemoved("none");
    driver.allocator.frameworkRemoved("none");
    assertThat(driver.offers()).isEmpty();
  }

  @Test
  void startReplacesWhateverWasKnown() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("A");
    driver.allocator.start(
        AllocatorOptions.builder().build(),
        AllocationState.builder()
            .agents(List.of(Driver.agent("S2", "cpus:1")))
            .frameworks(List.of(framework("B", "B"), framework("C", "C")))
            .filters(
                List.of(
                    new OfferFilter(
                        "B", "B", "S2", resources("cpus:1"), driver.now.plusSeconds(60))))
            .build());
    assertThat(driver.offers()).containsExactly("C@S2 cpus:1.0");
  }

  @Test
  void constraintsChooseAgents() {
    Driver driver = new Driver().agents("cpus:1", "S1", "S2");
    driver.allocator.frameworkAdded(
        FrameworkState.builder("A", FrameworkInfo.newBuilder().setUser("u").setName("A").build())
            .roles(Set.of("A", "B"))
            .suppressed(Set.of("B"))
            .capabilities(MULTI)
            .constraints(
                new OfferConstraintsFilter() {
                  @Override
                  public boolean isConstrained(String role) {
                    return role.equals("A");
                  }

                  @Override
                  public boolean isAgentExcluded(String role, AgentInfo agent) {
                    return role.equals("A") && agent.getHostname().equals("S1");
                  }
                })
            .build());
    assertThat(driver.offers()).containsExactly("A@S2 cpus:1.0");
  }

  @Test
  void theRandomSorterFollowsWeights() {
    AllocatorOptions random =
        AllocatorOptions.builder()
            .roleSorter("random")
            .frameworkSorter("random")
            .minAllocatable(List.of())
            .build();
    Driver driver = new Driver(random).frameworks("A", "B", "eng", "eng/x");
    driver.allocator.weightsUpdated(Map.of("A", 8.0, "eng", 1.0));
    String[] ids = new String[4000];
    Arrays.setAll(ids, i -> "S" + i);
    driver.agents("cpus:1", ids);
    Map<String, Long> shares =
        driver.allocate().stream()
            .collect(
                java.util.stream.Collectors.groupingBy(
                    Proposal::frameworkId, java.util.stream.Collectors.counting()));
    assertThat(shares.get("A")).isBetween(3000L, 3400L);
    assertThat(shares.get("B")).isBetween(300L, 500L);
    assertThat(shares.get("eng")).isBetween(130L, 270L);
    assertThat(shares.get("eng/x")).isBetween(130L, 270L);
  }

  @Test
  void theLimitOfARoleDoesNotBindThoseBelow() {
    Driver driver = new Driver().agents("cpus:4;mem:4096", "S1").frameworks("Q/sub", "R");
    driver.quota("Q", "", "cpus:1");
    assertThat(driver.offers()).containsExactly("Q/sub@S1 cpus:4.0 mem:4096.0");
  }

  @Test
  void everyRoleGetsItsGuarantee() {
    Driver driver = new Driver();
    Set<String> roles = new java.util.TreeSet<>();
    for (int i = 0; i < 50; i++) {
      driver.agents("cpus:4;mem:4096", "S" + i).frameworks("r" + i);
      driver.quota("r" + i, "cpus:4;mem:4096", "cpus:4;mem:4096");
      roles.add("r" + i);
    }
    assertThat(driver.allocate())
        .hasSize(50)
        .extracting(Proposal::role)
        .containsExactlyInAnyOrderElementsOf(roles);
  }

  @Test
  void ownReservationsCountAsConsumed() {
    Driver driver =
        new Driver().agents("cpus(Q):3;mem(Q):10;cpus:5;mem:5000", "S1").frameworks("Q", "R");
    driver.quota("Q", "", "cpus:4");
    assertThat(driver.offers()).containsExactly("Q@S1 cpus:4.0 mem:5010.0", "R@S1 cpus:4.0");
  }

  @Test
  void theRandomSorterGivesFrameworksOfARoleEqualChances() {
    AllocatorOptions random =
        AllocatorOptions.builder().frameworkSorter("random").minAllocatable(List.of()).build();
    Driver driver = new Driver(random);
    for (String id : List.of("F", "G", "H", "I")) {
      driver.allocator.frameworkAdded(framework(id, "A"));
    }
    String[] ids = new String[2000];
    Arrays.setAll(ids, i -> "S" + i);
    driver.agents("cpus:1", ids);
    Map<String, Long> shares =
        driver.allocate().stream()
            .collect(
                java.util.stream.Collectors.groupingBy(
                    Proposal::frameworkId, java.util.stream.Collectors.counting()));
    assertThat(shares).hasSize(4);
    assertThat(shares.values()).allSatisfy(share -> assertThat(share).isBetween(400L, 600L));
  }

  @Test
  void whatRolesBelowHoldCountsForTheTop() {
    Driver driver = new Driver(Driver.anyOffer());
    driver.quota("Q", "", "cpus:4");
    driver.allocator.agentAdded(
        Driver.agent(
            "S1", resources("cpus:8"), Map.of("Q/sub", resources("cpus:3").allocatedTo("Q/sub"))));
    driver.frameworks("Q", "Q/sub");
    driver.allocator.frameworkUpdated(
        framework("Q/sub", true, Set.of("Q/sub"), Set.of("MULTI_ROLE"), "Q/sub"));
    assertThat(driver.offers()).containsExactly("Q@S1 cpus:1.0");
  }

  @Test
  void reservationsOfRolesBelowCountForTheTop() {
    Driver driver =
        new Driver(Driver.anyOffer()).agents("cpus(Q/sub):3;cpus:8", "S1").frameworks("Q");
    driver.quota("Q", "cpus:4", "cpus:4");
    assertThat(driver.offers()).containsExactly("Q@S1 cpus:1.0");
  }

  @Test
  void whatComesAlongWithAGuarantee() throws Exception {
    Resources revocable =
        Resources.of(
            List.of(scalar("cpus", 16).setRevocable(RevocableInfo.getDefaultInstance()).build()));
    Driver driver = new Driver();
    driver.allocator.agentAdded(
        Driver.agent(
            "S1",
            resources("cpus:4;mem:4096;cpus(Q):1;cpus(R):2;ports:[1-10]").plus(revocable),
            Map.of()));
    driver.allocator.frameworkAdded(
        framework("Q", true, Set.of(), Set.of("MULTI_ROLE", "REVOCABLE_RESOURCES"), "Q"));
    driver.frameworks("R");
    driver.quota("Q", "cpus:2;mem:1024", "cpus:2;mem:1024");
    assertThat(driver.offers())
        .as("one of the two guaranteed is reserved, what is revocable counts for no limit")
        .containsExactly("Q@S1 cpus:18.0 mem:1024.0 ports:10.0", "R@S1 cpus:5.0 mem:3072.0");
  }

  @Test
  void aGuaranteeIsNotMetWithWhatIsHeldBackForOthersOrReserved() {
    Driver driver =
        new Driver(Driver.anyOffer()).agents("cpus(R):8;cpus:2", "S1").frameworks("Q", "R");
    driver.quota("P", "cpus:1", "");
    driver.quota("Q", "cpus:1", "");
    assertThat(driver.offers())
        .as("reserved resources are not headroom: of the two free one is Q's and one kept for P")
        .containsExactly("Q@S1 cpus:1.0", "R@S1 cpus:8.0");
  }

  @Test
  void aLeastOfferOfAFrameworkHoldsForItsGuaranteeToo() {
    OfferFilters much =
        OfferFilters.newBuilder()
            .setMinAllocatableResources(
                OfferFilters.MinAllocatableResources.newBuilder()
                    .addQuantities(
                        OfferFilters.ResourceQuantities.newBuilder()
                            .putQuantities("cpus", Value.Scalar.newBuilder().setValue(3).build())))
            .build();
    Driver driver = new Driver().agents("cpus:8;mem:8192", "S1");
    FrameworkState state = framework("Q", "Q");
    driver.allocator.frameworkAdded(
        FrameworkState.builder("Q", state.info().toBuilder().putOfferFilters("Q", much).build())
            .roles(state.roles())
            .capabilities(MULTI)
            .build());
    driver.quota("Q", "cpus:2", "cpus:2");
    assertThat(driver.offers()).isEmpty();
    driver.quota("Q", "cpus:3", "cpus:3");
    assertThat(driver.offers()).containsExactly("Q@S1 cpus:3.0 mem:8192.0");
  }
}
