package org.mezzo.allocator.drf;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.AllocationState;
import org.mezzo.api.allocator.AllocatorOptions;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.OfferFilter;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.resources.Resources;

/**
 * Lives through random events beside a ledger that is as plain as can be, and compares: the index
 * against the ledger, and an allocator started from the ledger against the one that saw it all.
 */
class IndexModelTest {
  private static final List<String> ROLES = List.of("a", "a/b", "a/b/c", "d", "e");

  /** What a master would know. */
  private static final class Ledger {
    final Map<String, AgentState> agents = new TreeMap<>();
    final Map<String, Map<String, Resources>> used = new TreeMap<>();
    final Map<String, FrameworkState> frameworks = new TreeMap<>();
    final List<OfferFilter> filters = new ArrayList<>();
    Map<String, Double> weights = Map.of();

    AllocationState state() {
      List<AgentState> states = new ArrayList<>();
      agents.forEach((id, agent) -> states.add(Driver.agent(id, agent.total(), used.get(id))));
      return AllocationState.builder()
          .agents(states)
          .frameworks(List.copyOf(frameworks.values()))
          .filters(List.copyOf(filters))
          .weights(weights)
          .build();
    }

    void add(String framework, String agent, Resources resources) {
      used.get(agent).merge(framework, resources, Resources::plus);
    }

    void remove(String framework, String agent, Resources resources) {
      used.get(agent)
          .computeIfPresent(
              framework,
              (id, before) -> {
                Resources left = before.minus(resources);
                return left.isEmpty() ? null : left;
              });
    }
  }

  private final Ledger ledger = new Ledger();
  private final Driver driver = new Driver();
  private int nextId;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theIndexAgreesWithTheLedger(long seed) {
    Random random = new Random(seed);
    for (int step = 0; step < 400; step++) {
      change(random);
      if (step % 20 == 0) {
        compareIndex(driver.allocator.index());
        compareSuccessor();
      }
    }
  }

  private void change(Random random) {
    switch (random.nextInt(11)) {
      case 0, 1 -> addAgent(random);
      case 2 -> addFramework(random);
      case 3 -> updateFramework(random);
      case 4 -> remove(random);
      case 5, 6, 7 -> offer();
      case 8, 9 -> release(random);
      default -> weigh(random);
    }
    driver.now = driver.now.plusMillis(random.nextInt(1500));
    ledger.filters.removeIf(filter -> !filter.expires().isAfter(driver.now));
  }

  private void addAgent(Random random) {
    String id = "S" + nextId++;
    Resources total =
        Driver.resources(
            "cpus:"
                + (1 + random.nextInt(8))
                + ";mem:"
                + 100 * (1 + random.nextInt(50))
                + ";ports:[1-"
                + (1 + random.nextInt(20))
                + "];cpus(a):"
                + random.nextInt(3));
    AgentState agent = Driver.agent(id, total, Map.of());
    ledger.agents.put(id, agent);
    ledger.used.put(id, new HashMap<>());
    driver.allocator.agentAdded(agent);
  }

  private void addFramework(Random random) {
    FrameworkState framework = framework("F" + nextId++, random);
    ledger.frameworks.put(framework.id(), framework);
    driver.allocator.frameworkAdded(framework);
  }

  private static FrameworkState framework(String id, Random random) {
    Set<String> roles = new HashSet<>();
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      roles.add(ROLES.get(random.nextInt(ROLES.size())));
    }
    return Driver.framework(
        id,
        random.nextInt(5) > 0,
        random.nextInt(5) == 0 ? roles : Set.of(),
        Set.of("MULTI_ROLE"),
        roles.toArray(String[]::new));
  }

  private void updateFramework(Random random) {
    if (ledger.frameworks.isEmpty()) {
      return;
    }
    String id = pick(ledger.frameworks.keySet(), random);
    FrameworkState framework = framework(id, random);
    ledger.frameworks.put(id, framework);
    driver.allocator.frameworkUpdated(framework);
    ledger.filters.removeIf(filter -> filter.frameworkId().equals(id));
    driver.allocator.filtersRemoved(id, Set.of(), Optional.empty());
  }

  private void remove(Random random) {
    if (random.nextBoolean() && ledger.agents.size() > 3) {
      String id = pick(ledger.agents.keySet(), random);
      ledger.agents.remove(id);
      ledger.used.remove(id);
      ledger.filters.removeIf(filter -> filter.agentId().equals(id));
      driver.allocator.agentRemoved(id);
    } else if (ledger.frameworks.size() > 3) {
      String id = pick(ledger.frameworks.keySet(), random);
      ledger.used.forEach(
          (agent, by) -> {
            Resources held = by.remove(id);
            if (held != null) {
              held.allocations().values().forEach(p -> driver.allocator.released(id, agent, p));
            }
          });
      ledger.filters.removeIf(filter -> filter.frameworkId().equals(id));
      ledger.frameworks.remove(id);
      driver.allocator.frameworkRemoved(id);
    }
  }

  private void offer() {
    for (Proposal proposal : driver.allocate()) {
      Resources free = free(ledger, proposal.agentId());
      assertThat(free.contains(proposal.resources().unallocated()))
          .as("%s is free in %s", proposal, free)
          .isTrue();
      FrameworkState framework = ledger.frameworks.get(proposal.frameworkId());
      assertThat(framework.active()).isTrue();
      assertThat(framework.roles()).contains(proposal.role());
      assertThat(framework.suppressed()).doesNotContain(proposal.role());
      assertThat(ledger.filters)
          .noneMatch(
              filter ->
                  filter.frameworkId().equals(proposal.frameworkId())
                      && filter.role().equals(proposal.role())
                      && filter.agentId().equals(proposal.agentId())
                      && filter.resources().contains(proposal.resources().unallocated()));
      ledger.add(proposal.frameworkId(), proposal.agentId(), proposal.resources());
    }
  }

  private void release(Random random) {
    List<Runnable> releases = new ArrayList<>();
    ledger.used.forEach(
        (agent, by) ->
            by.forEach(
                (framework, held) ->
                    held.allocations()
                        .forEach(
                            (role, part) -> {
                              if (random.nextInt(3) == 0) {
                                releases.add(() -> release(framework, agent, role, part, random));
                              }
                            })));
    releases.forEach(Runnable::run);
  }

  private void release(String framework, String agent, String role, Resources part, Random random) {
    Resources some = random.nextBoolean() ? part : part.filter(entry -> random.nextBoolean());
    if (some.isEmpty()) {
      return;
    }
    ledger.remove(framework, agent, some);
    driver.allocator.released(framework, agent, some);
    boolean subscribed = ledger.frameworks.get(framework).roles().contains(role);
    if (subscribed && random.nextBoolean()) {
      OfferFilter filter =
          new OfferFilter(
              framework,
              role,
              agent,
              some.unallocated(),
              driver.now.plusMillis(1 + random.nextInt(20_000)));
      ledger.filters.add(filter);
      driver.allocator.filterAdded(filter);
    }
  }

  private void weigh(Random random) {
    ledger.weights = Map.of(ROLES.get(random.nextInt(ROLES.size())), 1.0 + random.nextInt(4));
    driver.allocator.weightsUpdated(ledger.weights);
  }

  private static String pick(Set<String> ids, Random random) {
    return List.copyOf(ids).get(random.nextInt(ids.size()));
  }

  private static Resources free(Ledger ledger, String agent) {
    Resources free = ledger.agents.get(agent).total();
    for (Resources used : ledger.used.get(agent).values()) {
      free = free.minus(used.unallocated());
    }
    return free;
  }

  private void compareIndex(ClusterIndex index) {
    assertThat(index.agents.keySet()).isEqualTo(ledger.agents.keySet());
    Map<String, Resources> byRole = new TreeMap<>();
    Map<String, Resources> byMember = new TreeMap<>();
    Resources total = Resources.EMPTY;
    for (String id : ledger.agents.keySet()) {
      assertThat(index.agents.get(id).available).as(id).isEqualTo(free(ledger, id));
      assertThat(index.agents.get(id).used).as(id).isEqualTo(ledger.used.get(id));
      total = total.plus(ledger.agents.get(id).total());
      ledger
          .used
          .get(id)
          .forEach(
              (framework, held) ->
                  held.allocations()
                      .forEach(
                          (role, part) -> {
                            byRole.merge(role, part, Resources::plus);
                            byMember.merge(framework + " " + role, part, Resources::plus);
                          }));
    }
    for (String name : List.of("cpus", "mem")) {
      assertThat(index.scalars.total(name)).isEqualTo(total.scalar(name));
    }
    Set<String> members = new TreeSet<>(byMember.keySet());
    ledger
        .frameworks
        .values()
        .forEach(f -> f.roles().forEach(role -> members.add(f.id() + " " + role)));
    Set<String> tracked = new TreeSet<>();
    index.frameworks.forEach(
        (id, framework) -> framework.members.keySet().forEach(r -> tracked.add(id + " " + r)));
    assertThat(tracked).isEqualTo(members);
    index.roles.forEach(
        (name, role) ->
            assertAmounts(
                index,
                ((DrfSorter<Role>) index.roleSorter).amounts(role.client),
                byRole.getOrDefault(name, Resources.EMPTY)));
    index.frameworks.forEach(
        (id, framework) ->
            framework.members.forEach(
                (role, member) ->
                    assertAmounts(
                        index,
                        ((DrfSorter<Member>) member.role.frameworks).amounts(member.client),
                        byMember.getOrDefault(id + " " + role, Resources.EMPTY))));
    assertAmounts(
        index, ((DrfSorter<Role>) index.roleSorter).amounts(), Resources.sum(byRole.values()));
  }

  private static void assertAmounts(ClusterIndex index, long[] amounts, Resources expected) {
    for (String name : List.of("cpus", "mem")) {
      assertThat(index.scalars.amount(amounts, name)).isEqualTo(expected.scalar(name));
    }
  }

  /** Counts of services are soft, so a successor may choose otherwise only among equals. */
  private void compareSuccessor() {
    Driver successor = new Driver(AllocatorOptions.builder().build(), ledger.state());
    Driver twin = new Driver(AllocatorOptions.builder().build(), ledger.state());
    successor.now = driver.now;
    twin.now = driver.now;
    compareIndex(successor.allocator.index());
    List<String> next = successor.offers();
    assertThat(next).isEqualTo(twin.offers());
    List<Proposal> lived = driver.allocate();
    assertThat(lived.stream().map(Proposal::agentId).distinct().toList())
        .as("the same agents are offered")
        .isEqualTo(
            next.stream()
                .map(text -> text.substring(text.indexOf('@') + 1, text.indexOf(' ')))
                .distinct()
                .toList());
    for (Proposal proposal : lived) {
      ledger.add(proposal.frameworkId(), proposal.agentId(), proposal.resources());
    }
  }
}
