package org.mezzo.benchmarks.allocator;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.mezzo.allocator.drf.HierarchicalAllocator;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

/** Clusters of equal idle agents and equal frameworks in one role. */
final class Clusters {
  static final String ROLE = "role";

  private Clusters() {}

  static Resources resources(String text) {
    try {
      return Resources.parse(text, "*");
    } catch (ResourceFormatException e) {
      throw new IllegalStateException(e);
    }
  }

  static AgentState agent(int number) {
    String id = "agent-" + number;
    return AgentState.builder(id, AgentInfo.newBuilder().setHostname(id).build())
        .capabilities(Set.of("MULTI_ROLE", "HIERARCHICAL_ROLE", "RESERVATION_REFINEMENT"))
        .total(resources("cpus:24;mem:65536;disk:409600;ports:[31000-32000]"))
        .build();
  }

  static FrameworkState framework(int number) {
    return framework(number, ROLE);
  }

  static FrameworkState framework(int number, String role) {
    String id = "framework-" + number;
    return FrameworkState.builder(
            id, FrameworkInfo.newBuilder().setUser("user").setName(id).addRoles(role).build())
        .roles(Set.of(role))
        .capabilities(Set.of("MULTI_ROLE", "RESERVATION_REFINEMENT"))
        .build();
  }

  static AllocationState state(int agents, int frameworks) {
    List<AgentState> allAgents = new ArrayList<>();
    for (int i = 0; i < agents; i++) {
      allAgents.add(agent(i));
    }
    List<FrameworkState> allFrameworks = new ArrayList<>();
    for (int i = 0; i < frameworks; i++) {
      allFrameworks.add(framework(i));
    }
    return AllocationState.builder().agents(allAgents).frameworks(allFrameworks).build();
  }

  static Allocator start(AllocationState state) {
    Allocator allocator = new HierarchicalAllocator();
    allocator.start(AllocatorOptions.builder().build(), state);
    return allocator;
  }

  /** Reads {@code 20000x2000}, agents by frameworks. */
  static int[] size(String text) {
    String[] parts = text.split("x");
    return new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[1])};
  }
}
