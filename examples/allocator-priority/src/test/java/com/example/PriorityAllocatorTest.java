package com.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.Hindrance.Reason;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.FakeMetrics;

class PriorityAllocatorTest {
  private static final Optional<Set<String>> ALL = Optional.empty();

  private final FakeMetrics metrics = new FakeMetrics();
  private final PriorityAllocator allocator = new PriorityAllocator();

  @BeforeEach
  void start() throws Exception {
    allocator.open(
        FakeDaemonContext.master()
            .withMetrics(metrics)
            .withParameters(Map.of("priority.prod", "10", "priority.batch", "-5")));
    allocator.start(AllocatorOptions.builder().build(), AllocationState.EMPTY);
  }

  private static Resources resources(String text) {
    try {
      return Resources.parse(text, "*");
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private void agent(String id, String total) {
    allocator.agentAdded(
        AgentState.builder(id, AgentInfo.newBuilder().setHostname("host-" + id).build())
            .total(resources(total))
            .build());
  }

  private static FrameworkState framework(String id, String... roles) {
    return FrameworkState.builder(id, FrameworkInfo.newBuilder().setName(id).setUser("u").build())
        .roles(Set.of(roles))
        .build();
  }

  private List<String> cycle() {
    return allocator.allocate(ALL).stream().map(Proposal::frameworkId).toList();
  }

  private OfferExplanation explain(String frameworkId, String role) {
    return allocator.explain(OfferQuestion.builder(frameworkId, role).build()).orElseThrow();
  }

  private List<Hindrance> hindrances(String frameworkId, String role) {
    return explain(frameworkId, role).agents().get(0).hindrances();
  }

  @Test
  void theHighestPriorityIsServedFirst() {
    allocator.frameworkAdded(framework("low", "batch"));
    allocator.frameworkAdded(framework("middle", "other"));
    allocator.frameworkAdded(framework("high", "prod/web"));
    agent("1", "cpus:4;mem:100");
    agent("2", "cpus:4;mem:100");
    assertThat(cycle()).containsExactly("high", "high");
    allocator.frameworkUpdated(
        framework("high", "prod/web").toBuilder().suppressed(Set.of("prod/web")).build());
    agent("3", "cpus:4;mem:100");
    assertThat(cycle()).containsExactly("middle");
  }

  @Test
  void equalsTakeTurns() {
    allocator.frameworkAdded(framework("one", "prod"));
    allocator.frameworkAdded(framework("two", "prod/web"));
    agent("1", "cpus:4");
    agent("2", "cpus:4");
    agent("3", "cpus:4");
    assertThat(cycle()).containsExactly("one", "two", "one");
    agent("4", "cpus:4");
    assertThat(cycle()).containsExactly("two");
  }

  @Test
  void whatTheHighestRefusesGoesToTheNext() {
    allocator.frameworkAdded(framework("low", "batch"));
    allocator.frameworkAdded(framework("high", "prod"));
    agent("1", "cpus:4");
    allocator.filterAdded(new OfferFilter("high", "prod", "1", resources("cpus:4"), Instant.MAX));
    assertThat(cycle()).containsExactly("low");
  }

  @Test
  void hintsAtWhatIsHeldBelowWhileAHigherOneFindsNothing() {
    allocator.frameworkAdded(framework("low", "batch"));
    agent("1", "cpus:4;mem:100");
    assertThat(cycle()).containsExactly("low");
    assertThat(metrics.names()).isEmpty();

    allocator.frameworkAdded(framework("high", "prod"));
    assertThat(cycle()).isEmpty();
    assertThat(metrics.names()).containsExactly("preemptible/low/cpus", "preemptible/low/mem");
    assertThat(metrics.value("preemptible/low/cpus")).isEqualTo(4);
    assertThat(metrics.value("preemptible/low/mem")).isEqualTo(100);
    Hindrance hint = hindrances("high", "prod").get(0);
    assertThat(hint.reason()).isEqualTo(Reason.NOTHING_FREE);
    assertThat(hint.text())
        .isEqualTo("nothing free, but under lower priorities cpus:4; mem:100")
        .doesNotContain("batch");
    assertThat(hint.otherRoles()).containsExactly("batch");
    // Nobody is to give way to a lower one.
    assertThat(hindrances("low", "batch").get(0).otherRoles()).isEmpty();

    allocator.released("low", "1", resources("cpus:3").allocatedTo("batch"));
    assertThat(cycle()).containsExactly("high");
    allocator.released("low", "1", resources("cpus:1;mem:100").allocatedTo("batch"));
    assertThat(cycle()).containsExactly("high");
    assertThat(metrics.names()).isEmpty();
  }

  @Test
  void saysNothingOfWhatTheHigherOneCouldNotHave() {
    allocator.frameworkAdded(framework("low", "batch"));
    agent("1", "cpus(batch):4");
    assertThat(cycle()).containsExactly("low");
    allocator.frameworkAdded(framework("high", "prod"));
    cycle();
    assertThat(metrics.names()).isEmpty();
    assertThat(hindrances("high", "prod").get(0).text()).isEqualTo("nothing free");
  }

  @Test
  void hintsAtNothingForWhoWantsNothing() {
    allocator.frameworkAdded(framework("low", "batch"));
    agent("1", "cpus:4");
    cycle();
    allocator.frameworkAdded(
        framework("high", "prod").toBuilder().suppressed(Set.of("prod")).build());
    cycle();
    assertThat(metrics.names()).isEmpty();
    assertThat(hindrances("high", "prod").get(0).reason()).isEqualTo(Reason.SUPPRESSED);
  }

  @Test
  void countsAllAgentsAndShowsSome() {
    allocator.frameworkAdded(framework("high", "prod"));
    agent("1", "cpus:4");
    cycle();
    agent("2", "cpus:4");
    OfferExplanation all =
        allocator
            .explain(OfferQuestion.builder("high", "prod").mostAgents(1).build())
            .orElseThrow();
    assertThat(all.agents()).hasSize(1);
    assertThat(all.looked()).isEqualTo(2);
    assertThat(all.free()).isEqualTo(1);
    assertThat(all.counts()).isEqualTo(Map.of(Reason.NOTHING_FREE, 1));
  }

  @ParameterizedTest
  @CsvSource({
    "priority.prod, high, 'priority.prod': 'high' is no priority",
    "priority.prod, 12345678901, is no priority",
    "priority.prod, '', is no priority",
    "priority., 1, 'priority.' is not known",
    "priority.a//b, 1, is not known",
    "priorities, 1, 'priorities' is not known"
  })
  void refusesParametersThatItDoesNotUnderstand(String name, String value, String said) {
    assertThatThrownBy(
            () ->
                new PriorityAllocator()
                    .open(FakeDaemonContext.master().withParameters(Map.of(name, value))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(said);
  }
}
