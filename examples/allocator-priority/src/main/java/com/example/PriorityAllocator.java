package com.example;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.allocator.AgentState;
import org.mezzo.api.allocator.Allocator;
import org.mezzo.api.allocator.FrameworkState;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.Hindrance.Reason;
import org.mezzo.api.allocator.IndexedAllocator;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.allocator.Proposal;
import org.mezzo.resources.Resources;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Offers each agent to the role of the highest priority that wants it, in turn among equals, and
 * hints at what is held under lower priorities where a higher one finds nothing free.
 */
@Component(service = Allocator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Allocator.KIND,
    name = "priority",
    version = "1.0.0",
    author = "me",
    description = "offers by priority of roles, hints at what to preempt")
public final class PriorityAllocator extends IndexedAllocator {
  private static final Set<Reason> LACKS =
      EnumSet.of(Reason.NOTHING_FREE, Reason.RESERVED, Reason.BELOW_MINIMUM);

  /** A framework under one of its roles. */
  private record Turn(String frameworkId, String role) {}

  private final Map<String, Integer> priorities = new HashMap<>();

  /** Who was offered something last is last. */
  private final Set<Turn> turns = new LinkedHashSet<>();

  private DaemonContext context;

  /** What others could take, by the metric's name; its readers have threads of their own. */
  private volatile Map<String, Double> preemptible = Map.of();

  @Override
  public void open(DaemonContext given) throws Exception {
    super.open(given);
    context = given;
    given.parameters().forEach(this::parameter);
  }

  private void parameter(String name, String value) {
    if (!name.matches("priority\\.[^/]+(/[^/]+)*")) {
      throw new IllegalArgumentException(
          "the parameter '" + name + "' is not known; there is priority.ROLE, as in priority.prod");
    }
    if (!value.matches("-?[0-9]{1,9}")) {
      throw new IllegalArgumentException(
          "the parameter '%s': '%s' is no priority; give an integer of up to nine digits"
              .formatted(name, value));
    }
    priorities.put(name.substring(name.indexOf('.') + 1), Integer.valueOf(value));
  }

  /** Its own, else that of the nearest role above it that has one, else 0. */
  private int priority(String role) {
    int up = role.lastIndexOf('/');
    return priorities.containsKey(role) || up < 0
        ? priorities.getOrDefault(role, 0)
        : priority(role.substring(0, up));
  }

  @Override
  public void frameworkAdded(FrameworkState framework) {
    super.frameworkAdded(framework);
    framework.roles().forEach(role -> turns.add(new Turn(framework.id(), role)));
  }

  @Override
  public void frameworkUpdated(FrameworkState framework) {
    super.frameworkUpdated(framework);
    frameworkAdded(framework);
    turns.removeIf(
        turn ->
            turn.frameworkId().equals(framework.id()) && !framework.roles().contains(turn.role()));
  }

  @Override
  public void frameworkRemoved(String frameworkId) {
    super.frameworkRemoved(frameworkId);
    turns.removeIf(turn -> turn.frameworkId().equals(frameworkId));
  }

  @Override
  public List<Proposal> allocate(Optional<Set<String>> candidates) {
    List<Proposal> proposals = new ArrayList<>();
    for (AgentState agent : agents()) {
      if (candidates.map(ids -> ids.contains(agent.id())).orElse(true)) {
        first(agent, Optional::isEmpty)
            .ifPresent(
                turn -> {
                  proposals.add(propose(turn.frameworkId(), turn.role(), agent.id()));
                  turns.remove(turn);
                  turns.add(turn);
                });
      }
    }
    hint();
    return proposals;
  }

  /** The next one of the highest priority about whom the agent has such a hindrance. */
  private Optional<Turn> first(AgentState agent, Predicate<Optional<Reason>> test) {
    return turns.stream()
        .filter(turn -> test.test(hindrance(turn.frameworkId(), turn.role(), agent.id())))
        .min(Comparator.comparing(turn -> -priority(turn.role())));
  }

  /** Numbers for each framework that holds something which a higher role waits for. */
  private void hint() {
    Map<String, Double> next = new TreeMap<>();
    for (AgentState agent : agents()) {
      first(agent, reason -> reason.filter(LACKS::contains).isPresent())
          .ifPresent(
              waiting ->
                  below(waiting.role(), agent)
                      .forEach(
                          (holder, part) -> {
                            for (String name : part.scalars().names()) {
                              next.merge(
                                  "preemptible/" + holder.frameworkId() + "/" + name,
                                  part.scalar(name) / 1000.0,
                                  Double::sum);
                            }
                          }));
    }
    Set<String> before = preemptible.keySet();
    preemptible = next;
    before.stream().filter(name -> !next.containsKey(name)).forEach(context.metrics()::remove);
    for (String name : next.keySet()) {
      context.metrics().gauge(name, () -> preemptible.getOrDefault(name, 0.0));
    }
  }

  /** What is held on an agent under lower priorities that the role could have. */
  private Map<Turn, Resources> below(String role, AgentState agent) {
    Map<Turn, Resources> below = new HashMap<>();
    held(agent.id())
        .forEach(
            (frameworkId, all) ->
                all.allocations()
                    .forEach(
                        (lower, part) -> {
                          Resources could = part.unallocated().allocatableTo(role).nonRevocable();
                          if (priority(lower) < priority(role) && !could.isEmpty()) {
                            below.put(new Turn(frameworkId, lower), could);
                          }
                        }));
    return below;
  }

  @Override
  protected Hindrance describe(OfferQuestion question, AgentState agent, Reason reason) {
    Hindrance plain = super.describe(question, agent, reason);
    Map<Turn, Resources> below = below(question.role(), agent);
    if (below.isEmpty() || !LACKS.contains(reason)) {
      return plain;
    }
    Resources all = Resources.sum(below.values());
    return Hindrance.builder(reason, plain.text() + ", but under lower priorities " + all)
        .otherRoles(below.keySet().stream().map(Turn::role).distinct().toList())
        .build();
  }
}
