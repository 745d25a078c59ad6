package org.mezzo.allocator.drf;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeDaemonContext;

/** Drives an allocator through its interface alone, on a clock that stands still. */
final class Driver {
  static final Set<String> CAPABLE = Set.of("MULTI_ROLE", "HIERARCHICAL_ROLE");

  final HierarchicalAllocator allocator;
  final Map<String, Quota> quotas = new HashMap<>();
  Instant now = Instant.parse("2026-01-01T00:00:00Z");

  Driver() {
    this(AllocatorOptions.builder().build());
  }

  Driver(AllocatorOptions options) {
    this(options, AllocationState.EMPTY);
  }

  Driver(AllocatorOptions options, AllocationState state) {
    allocator =
        new HierarchicalAllocator(
            new Random(1), agents -> agents.sort(Comparator.comparing(agent -> agent.id)));
    allocator.open(context());
    allocator.start(options, state);
  }

  /** Every offer counts, however small. */
  static AllocatorOptions anyOffer() {
    return AllocatorOptions.builder().minAllocatable(List.of()).build();
  }

  static Resources resources(String text) {
    try {
      return Resources.parse(text, "*");
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  static AgentState agent(String id, String total) {
    return agent(id, resources(total), Map.of());
  }

  static AgentState agent(String id, Resources total, Map<String, Resources> used) {
    return AgentState.builder(id, AgentInfo.newBuilder().setHostname(id).build())
        .capabilities(CAPABLE)
        .total(total)
        .used(used)
        .build();
  }

  static FrameworkState framework(String id, String... roles) {
    return framework(id, true, Set.of(), Set.of("MULTI_ROLE"), roles);
  }

  static FrameworkState framework(
      String id,
      boolean active,
      Set<String> suppressed,
      Set<String> capabilities,
      String... roles) {
    return FrameworkState.builder(
            id,
            FrameworkInfo.newBuilder()
                .setUser("u")
                .setName(id)
                .addAllRoles(Arrays.asList(roles))
                .build())
        .roles(Set.of(roles))
        .suppressed(suppressed)
        .capabilities(capabilities)
        .active(active)
        .build();
  }

  Driver agents(String total, String... ids) {
    for (String id : ids) {
      allocator.agentAdded(agent(id, total));
    }
    return this;
  }

  Driver frameworks(String... roles) {
    for (String role : roles) {
      allocator.frameworkAdded(framework(role, role));
    }
    return this;
  }

  void quota(String role, String guarantees, String limits) {
    quotas.put(role, new Quota(Quantities.parse(guarantees), Quantities.parse(limits)));
    allocator.quotasUpdated(quotas);
  }

  List<Proposal> allocate() {
    return allocator.allocate(Optional.empty());
  }

  /** The proposals of a cycle as {@code framework@agent resources}, in the order they were made. */
  List<String> offers() {
    List<String> offers = new ArrayList<>();
    for (Proposal proposal : allocate()) {
      offers.add(show(proposal));
    }
    return offers;
  }

  static String show(Proposal proposal) {
    StringBuilder amounts = new StringBuilder();
    Quantities quantities = proposal.resources().quantities();
    for (String name : quantities.names()) {
      amounts.append(' ').append(name).append(':').append(quantities.get(name) / 1000.0);
    }
    return proposal.frameworkId() + "@" + proposal.agentId() + amounts;
  }

  void release(Proposal proposal, Resources resources) {
    allocator.released(
        proposal.frameworkId(), proposal.agentId(), resources.allocatedTo(proposal.role()));
  }

  /** Gives the whole offer back and wants nothing within it for that long. */
  void decline(Proposal proposal, Duration refusal) {
    allocator.released(proposal.frameworkId(), proposal.agentId(), proposal.resources());
    if (!refusal.isZero()) {
      allocator.filterAdded(
          new OfferFilter(
              proposal.frameworkId(),
              proposal.role(),
              proposal.agentId(),
              proposal.resources().unallocated(),
              now.plus(refusal)));
    }
  }

  void pass(Duration time) {
    now = now.plus(time);
  }

  private DaemonContext context() {
    Clock clock =
        new Clock() {
          @Override
          public ZoneId getZone() {
            return ZoneOffset.UTC;
          }

          @Override
          public Clock withZone(ZoneId zone) {
            return this;
          }

          @Override
          public Instant instant() {
            return now;
          }
        };
    return FakeDaemonContext.master().withClock(clock);
  }
}
