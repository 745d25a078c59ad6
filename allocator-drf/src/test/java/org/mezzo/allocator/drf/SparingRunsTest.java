package org.mezzo.allocator.drf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mezzo.allocator.drf.Driver.resources;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.api.allocator.Quota;
import org.mezzo.protocol.v1.OfferFilters;
import org.mezzo.protocol.v1.Value;
import org.mezzo.resources.Quantities;
import org.mezzo.resources.Resources;

/**
 * Runs spare themselves what they know already. Beside the allocator lives a twin that sees the
 * same and spares itself nothing: whatever happens, both propose the same. Also, where something is
 * offered there was no hindrance, and where nothing stands in the way there is nothing left over.
 */
class SparingRunsTest {
  private static final List<String> ROLES = List.of("a", "a/b", "a/b/c", "d", "e", "f");
  private static final List<String> CAPABILITIES =
      List.of("MULTI_ROLE", "GPU_RESOURCES", "REVOCABLE_RESOURCES", "SHARED_RESOURCES");

  private final Driver driver = new Driver();
  private final Driver twin = new Driver();
  private final Map<String, AgentState> agents = new TreeMap<>();
  private final Map<String, FrameworkState> frameworks = new TreeMap<>();
  private final List<Proposal> held = new ArrayList<>();
  private int nextId;
  private int proposals;

  SparingRunsTest() {
    twin.allocator.index().sparing = false;
  }

  private void both(Consumer<HierarchicalAllocator> change) {
    change.accept(driver.allocator);
    change.accept(twin.allocator);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
  void whatIsSparedMakesNoDifference(long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 12; i++) {
      addAgent(random);
      addFramework(random);
    }
    for (int step = 0; step < 700; step++) {
      change(random);
      if (random.nextInt(3) > 0) {
        run(random);
      }
      driver.now = driver.now.plusMillis(random.nextInt(1500));
      twin.now = driver.now;
      if (step % 25 == 0) {
        compareSums();
      }
    }
    assertThat(proposals).as("something was offered").isGreaterThan(300);
  }

  private void run(Random random) {
    Optional<Set<String>> candidates =
        random.nextInt(4) == 0 && !agents.isEmpty()
            ? Optional.of(Set.of(pick(agents.keySet(), random)))
            : Optional.empty();
    List<Proposal> expected = twin.allocator.allocate(candidates);
    List<Proposal> made = driver.allocator.allocate(candidates);
    assertThat(made).isEqualTo(expected);
    proposals += made.size();
    held.addAll(made);
    if (candidates.isEmpty() && random.nextInt(10) == 0) {
      compareWithExplanations();
    }
  }

  /** After a run nobody is left who could be offered something, as far as the explanation knows. */
  private void compareWithExplanations() {
    List<Proposal> more = driver.allocator.allocate(Optional.empty());
    assertThat(twin.allocator.allocate(Optional.empty())).isEqualTo(more);
    held.addAll(more);
    if (!more.isEmpty()) {
      return;
    }
    for (FrameworkState framework : frameworks.values()) {
      for (String role : framework.roles()) {
        var answer = driver.allocator.explain(OfferQuestion.builder(framework.id(), role).build());
        assertThat(answer.orElseThrow().everywhere().isEmpty() ? answer.orElseThrow().free() : 0)
            .as("%s under %s: %s", framework.id(), role, answer)
            .isZero();
      }
    }
  }

  /** What roles have of their quotas, kept in step, against what it is when added up. */
  private void compareSums() {
    QuotaUse fresh = new QuotaUse();
    fresh.set(driver.quotas, driver.allocator.index().agents.values());
    assertThat(driver.allocator.index().quotas.sums())
        .isEqualTo(
            driver.quotas.isEmpty() ? List.of(Quantities.EMPTY, Quantities.EMPTY) : fresh.sums());
  }

  private void change(Random random) {
    switch (random.nextInt(16)) {
      case 0 -> addAgent(random);
      case 1 -> addFramework(random);
      case 2, 3 -> updateFramework(random);
      case 4 -> updateAgent(random);
      case 5 -> remove(random);
      case 6 -> quota(random);
      case 7 -> {
        Map<String, Double> weights = Map.of(pick(ROLES, random), 1.0 + random.nextInt(4));
        both(it -> it.weightsUpdated(weights));
      }
      case 8 -> revive(random);
      case 9 -> whitelist(random);
      default -> release(random);
    }
  }

  private void addAgent(Random random) {
    AgentState agent = agent("S" + nextId++, random);
    agents.put(agent.id(), agent);
    both(it -> it.agentAdded(agent));
  }

  private static AgentState agent(String id, Random random) {
    Resources total =
        resources(
            "cpus:"
                + (1 + random.nextInt(8))
                + ";mem:"
                + 100 * (1 + random.nextInt(50))
                + ";ports:[1-"
                + (1 + random.nextInt(20))
                + "];cpus(a):"
                + random.nextInt(3) * random.nextInt(2)
                + (random.nextInt(8) == 0 ? ";gpus:1" : ""));
    return Driver.agent(id, total, Map.of()).toBuilder()
        .active(random.nextInt(10) > 0)
        .capabilities(random.nextInt(10) > 0 ? Driver.CAPABLE : Set.of())
        .build();
  }

  private void updateAgent(Random random) {
    if (agents.isEmpty()) {
      return;
    }
    AgentState agent = agent(pick(agents.keySet(), random), random);
    agents.put(agent.id(), agent);
    both(it -> it.agentUpdated(agent));
  }

  private void addFramework(Random random) {
    FrameworkState framework = framework("F" + nextId++, random);
    frameworks.put(framework.id(), framework);
    both(it -> it.frameworkAdded(framework));
  }

  private void updateFramework(Random random) {
    if (frameworks.isEmpty()) {
      return;
    }
    FrameworkState framework = framework(pick(frameworks.keySet(), random), random);
    frameworks.put(framework.id(), framework);
    both(it -> it.frameworkUpdated(framework));
  }

  private static FrameworkState framework(String id, Random random) {
    Set<String> roles = new HashSet<>();
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      roles.add(pick(ROLES, random));
    }
    Set<String> capabilities = new HashSet<>(Set.of("MULTI_ROLE"));
    CAPABILITIES.stream().filter(it -> random.nextInt(3) == 0).forEach(capabilities::add);
    FrameworkState state =
        Driver.framework(
            id,
            random.nextInt(5) > 0,
            random.nextInt(5) == 0 ? roles : Set.of(),
            capabilities,
            roles.toArray(String[]::new));
    if (random.nextInt(6) > 0) {
      return state;
    }
    OfferFilters least =
        OfferFilters.newBuilder()
            .setMinAllocatableResources(
                OfferFilters.MinAllocatableResources.newBuilder()
                    .addQuantities(
                        OfferFilters.ResourceQuantities.newBuilder()
                            .putQuantities(
                                random.nextBoolean() ? "cpus" : "ports",
                                Value.Scalar.newBuilder().setValue(1 + random.nextInt(4)).build())))
            .build();
    return FrameworkState.builder(
            id, state.info().toBuilder().putOfferFilters(roles.iterator().next(), least).build())
        .roles(state.roles())
        .suppressed(state.suppressed())
        .capabilities(state.capabilities())
        .active(state.active())
        .build();
  }

  private void remove(Random random) {
    if (random.nextBoolean() && agents.size() > 6) {
      String id = pick(agents.keySet(), random);
      agents.remove(id);
      held.removeIf(one -> one.agentId().equals(id));
      both(it -> it.agentRemoved(id));
    } else if (frameworks.size() > 6) {
      String id = pick(frameworks.keySet(), random);
      frameworks.remove(id);
      held.removeIf(
          one -> {
            if (one.frameworkId().equals(id)) {
              both(it -> it.released(id, one.agentId(), one.resources()));
              return true;
            }
            return false;
          });
      both(it -> it.frameworkRemoved(id));
    }
  }

  private void quota(Random random) {
    String role = pick(List.of("a", "d", "e"), random);
    if (random.nextInt(3) == 0) {
      driver.quotas.remove(role);
    } else {
      int cpus = random.nextInt(12);
      int mem = 100 * random.nextInt(60);
      Quantities limits =
          switch (random.nextInt(3)) {
            case 0 -> Quantities.EMPTY;
            case 1 -> Quantities.parse("cpus:" + (cpus + random.nextInt(5)));
            default ->
                Quantities.parse(
                    "cpus:" + (cpus + random.nextInt(5)) + ";mem:" + (mem + random.nextInt(500)));
          };
      driver.quotas.put(
          role,
          new Quota(
              random.nextBoolean()
                  ? Quantities.EMPTY
                  : Quantities.parse("cpus:" + cpus + ";mem:" + mem),
              limits));
    }
    Map<String, Quota> quotas = new HashMap<>(driver.quotas);
    both(it -> it.quotasUpdated(quotas));
  }

  private void revive(Random random) {
    if (!frameworks.isEmpty()) {
      String id = pick(frameworks.keySet(), random);
      Optional<String> agent =
          random.nextBoolean() || agents.isEmpty()
              ? Optional.empty()
              : Optional.of(pick(agents.keySet(), random));
      Set<String> roles = random.nextBoolean() ? Set.of() : Set.of(pick(ROLES, random));
      both(it -> it.filtersRemoved(id, roles, agent));
    }
  }

  private void whitelist(Random random) {
    Optional<Set<String>> hosts =
        random.nextInt(3) > 0
            ? Optional.empty()
            : Optional.of(
                new HashSet<>(
                    agents.keySet().stream().filter(it -> random.nextBoolean()).toList()));
    both(it -> it.whitelistUpdated(hosts));
  }

  private void release(Random random) {
    List<Proposal> kept = new ArrayList<>();
    for (Proposal one : held) {
      int chance = random.nextInt(6);
      if (chance > 2) {
        kept.add(one);
        continue;
      }
      Resources some =
          chance == 0 ? one.resources().filter(entry -> random.nextBoolean()) : one.resources();
      if (some.isEmpty()) {
        kept.add(one);
        continue;
      }
      both(it -> it.released(one.frameworkId(), one.agentId(), some));
      Resources rest = one.resources().minus(some);
      if (!rest.isEmpty()) {
        kept.add(new Proposal(one.frameworkId(), one.role(), one.agentId(), rest));
      }
      if (random.nextInt(3) > 0 && frameworks.get(one.frameworkId()).roles().contains(one.role())) {
        OfferFilter filter =
            new OfferFilter(
                one.frameworkId(),
                one.role(),
                one.agentId(),
                some.unallocated(),
                driver.now.plusMillis(1 + random.nextInt(random.nextBoolean() ? 5_000 : 90_000)));
        both(it -> it.filterAdded(filter));
      }
    }
    held.clear();
    held.addAll(kept);
  }

  private static <T> T pick(java.util.Collection<T> all, Random random) {
    return List.copyOf(all).get(random.nextInt(all.size()));
  }
}
