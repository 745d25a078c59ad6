package org.mezzo.allocator.drf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mezzo.allocator.drf.Driver.framework;
import static org.mezzo.allocator.drf.Driver.resources;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.InverseAnswer;
import org.mezzo.api.allocator.InverseAnswer.Outcome;
import org.mezzo.api.allocator.InverseOffer;
import org.mezzo.protocol.v1.TimeInfo;
import org.mezzo.protocol.v1.Unavailability;

/** Section 8: who is asked to give back what an agent will not have. */
class InverseOffersTest {
  private static final AgentState UNTOUCHED =
      Driver.agent(
          "S1",
          resources("cpus:8;mem:8192"),
          Map.of(
              "A", resources("cpus:1;mem:100").allocatedTo("A"),
              "B", resources("cpus:1;mem:100").allocatedTo("B")));

  private final Driver driver = new Driver().frameworks("A", "B", "C");

  private static AgentState unavailable(long seconds) {
    return UNTOUCHED.toBuilder()
        .unavailability(
            Optional.of(
                Unavailability.newBuilder()
                    .setStart(TimeInfo.newBuilder().setNanoseconds(seconds * 1_000_000_000))
                    .build()))
        .build();
  }

  private List<String> asked() {
    return driver.allocator.inverseOffers(Optional.empty()).stream()
        .map(offer -> offer.frameworkId() + "@" + offer.agentId())
        .toList();
  }

  private void answer(String framework, Outcome outcome, Duration filter) {
    driver.allocator.inverseOfferAnswered(
        InverseAnswer.builder(new InverseOffer(framework, "S1"), outcome)
            .filterExpires(
                filter.isZero() ? Optional.empty() : Optional.of(driver.now.plus(filter)))
            .build());
  }

  @Test
  void everyActiveHolderIsAskedOnceUntilItAnswers() {
    driver.allocator.agentAdded(UNTOUCHED);
    assertThat(asked()).as("nothing is announced").isEmpty();
    driver.allocator.agentUpdated(unavailable(1));
    driver.allocator.frameworkUpdated(framework("B", false, Set.of(), Set.of("MULTI_ROLE"), "B"));
    assertThat(asked()).containsExactly("A@S1");
    assertThat(asked()).as("A has not answered").isEmpty();
    driver.allocator.frameworkUpdated(framework("B", "B"));
    assertThat(asked()).containsExactly("B@S1");
    answer("A", Outcome.ACCEPTED, Duration.ZERO);
    assertThat(asked()).as("it may change its mind").containsExactly("A@S1");
    answer("B", Outcome.WITHDRAWN, Duration.ZERO);
    assertThat(asked()).containsExactly("B@S1");
  }

  @Test
  void afterAnAnswerTheFilterHasToExpire() {
    driver.allocator.agentAdded(unavailable(1));
    assertThat(asked()).containsExactly("A@S1", "B@S1");
    answer("A", Outcome.DECLINED, Duration.ofSeconds(60));
    answer("B", Outcome.ACCEPTED, Duration.ofSeconds(30));
    assertThat(asked()).isEmpty();
    driver.pass(Duration.ofSeconds(30));
    assertThat(asked()).containsExactly("B@S1");
    driver.pass(Duration.ofSeconds(30));
    assertThat(asked()).containsExactly("A@S1");
  }

  @Test
  void whoGaveBackEverythingIsNotAsked() {
    driver.allocator.agentAdded(unavailable(1));
    driver.allocator.released("A", "S1", resources("cpus:1;mem:100").allocatedTo("A"));
    assertThat(asked()).containsExactly("B@S1");
  }

  @Test
  void anotherAnnouncementIsAnotherQuestion() {
    driver.allocator.agentAdded(unavailable(1));
    asked();
    driver.allocator.agentUpdated(unavailable(1));
    assertThat(asked()).isEmpty();
    answer("A", Outcome.DECLINED, Duration.ofDays(1));
    driver.allocator.agentUpdated(unavailable(2));
    assertThat(asked()).containsExactly("A@S1", "B@S1");
    driver.allocator.agentUpdated(UNTOUCHED);
    assertThat(asked()).isEmpty();
  }

  @Test
  void onlyAgentsOfTheRunCount() {
    driver.allocator.agentAdded(unavailable(1));
    assertThat(driver.allocator.inverseOffers(Optional.of(Set.of("S2")))).isEmpty();
    driver.allocator.whitelistUpdated(Optional.of(Set.of("elsewhere")));
    assertThat(asked()).isEmpty();
    driver.allocator.whitelistUpdated(Optional.empty());
    driver.allocator.agentUpdated(unavailable(1).toBuilder().active(false).build());
    assertThat(asked()).isEmpty();
    driver.allocator.agentUpdated(unavailable(1));
    assertThat(asked()).hasSize(2);
  }

  @Test
  void aFrameworkThatComesBackIsAskedAnew() {
    driver.allocator.agentAdded(unavailable(1));
    asked();
    driver.allocator.frameworkRemoved("A");
    driver.frameworks("A");
    driver.allocator.allocated("A", "S1", resources("cpus:1").allocatedTo("A"));
    assertThat(asked()).containsExactly("A@S1");
  }

  @Test
  void aSuccessorKnowsWhoWasAskedAndWhatWasAnswered() {
    AllocationState state =
        AllocationState.builder()
            .agents(List.of(unavailable(1)))
            .frameworks(List.of(framework("A", "A"), framework("B", "B")))
            .inverseOffers(List.of(new InverseOffer("A", "S1")))
            .inverseAnswers(
                List.of(
                    InverseAnswer.builder(new InverseOffer("B", "S1"), Outcome.DECLINED)
                        .filterExpires(Optional.of(driver.now.plusSeconds(60)))
                        .build()))
            .build();
    Driver successor = new Driver(AllocatorOptions.builder().build(), state);
    assertThat(successor.allocator.inverseOffers(Optional.empty())).isEmpty();
    successor.pass(Duration.ofSeconds(60));
    assertThat(successor.allocator.inverseOffers(Optional.empty()))
        .containsExactly(new InverseOffer("B", "S1"));
  }
}
