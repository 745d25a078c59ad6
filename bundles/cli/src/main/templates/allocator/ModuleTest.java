package {{package}};

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeDaemonContext;

class {{class}}Test {
  private final {{class}} allocator = new {{class}}();
  private Resources total;

  @BeforeEach
  void start() throws Exception {
    total = Resources.parse("cpus:2;mem:512", "*");
    allocator.open(FakeDaemonContext.master());
    allocator.start(
        AllocatorOptions.builder().build(),
        AllocationState.builder()
            .agents(List.of(agent("agent1")))
            .frameworks(List.of(framework("first"), framework("second")))
            .build());
  }

  private AgentState agent(String id) {
    return AgentState.builder(id, AgentInfo.newBuilder().setHostname(id).build())
        .total(total)
        .build();
  }

  private static FrameworkState framework(String id) {
    return FrameworkState.builder(
            id, FrameworkInfo.newBuilder().setUser("me").setName(id).addRoles("web").build())
        .roles(Set.of("web"))
        .build();
  }

  private List<Proposal> allocate() {
    return allocator.allocate(Optional.empty());
  }

  @Test
  void takesTurnsAndOffersNothingTwice() {
    Resources all = total.allocatedTo("web");
    assertThat(allocate()).containsExactly(new Proposal("first", "web", "agent1", all));
    assertThat(allocate()).isEmpty();
    allocator.released("first", "agent1", all);
    assertThat(allocate()).containsExactly(new Proposal("second", "web", "agent1", all));
  }

  @Test
  void asksNobodyWhoHasJustDeclined() {
    for (String id : List.of("first", "second")) {
      allocator.filterAdded(
          new OfferFilter(id, "web", "agent1", total, Instant.now().plusSeconds(60)));
    }
    assertThat(allocate()).isEmpty();
    allocator.filtersRemoved("second", Set.of(), Optional.empty());
    assertThat(allocate()).extracting(Proposal::frameworkId).containsExactly("second");
  }
}
